import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
    chmodSync,
    chownSync,
    closeSync,
    mkdtempSync,
    openSync,
    readdirSync,
    readFileSync,
    rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Cost } from '../support/cost.ts';
import { processorSeconds } from '../support/timed-night.ts';
import { postgresFolder } from './peers.ts';
import type { Setting } from './subject.ts';

/** A cluster in a temporary folder that only a socket in that folder leads to. */
export class Cluster {
    readonly #folder: string;
    readonly #bin: string;
    readonly #server: ChildProcess;
    readonly #user: ServerUser;

    private constructor(folder: string, bin: string, server: ChildProcess, user: ServerUser) {
        this.#folder = folder;
        this.#bin = bin;
        this.#server = server;
        this.#user = user;
    }

    /** @throws Error when there is no PostgreSQL, or it does not start */
    static start({ threads }: Pick<Setting, 'threads'>): Cluster {
        const bin = postgresFolder();
        if (!bin) throw new Error('PostgreSQL is not installed');
        const folder = mkdtempSync(join(tmpdir(), 'tieout-pg-'));
        const user = serverUser();
        if ('uid' in user) chownSync(folder, user.uid, user.gid);
        chmodSync(folder, 0o700);
        const data = join(folder, 'data');
        const made = spawnSync(
            join(bin, 'initdb'),
            ['-D', data, '-U', 'bench', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
            { ...user, cwd: folder, encoding: 'utf8' },
        );
        if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
        const server = spawn(join(bin, 'postgres'), ['-D', data, ...serverFlags(folder, threads)], {
            ...user,
            cwd: folder,
            stdio: 'ignore',
        });
        const cluster = new Cluster(folder, bin, server, user);
        try {
            cluster.#await();
        } catch (error) {
            cluster.stop();
            throw error;
        }
        return cluster;
    }

    /** Runs statements, and gives what the last of them printed. @throws Error as psql says it */
    sql(text: string): Promise<string> {
        return this.#psql(['-c', text], 'ignore');
    }

    /** Copies a CSV without a header into a table. */
    async copy(table: string, file: string): Promise<void> {
        const input = openSync(file, 'r');
        try {
            await this.#psql(['-c', `copy ${table} from stdin (format csv)`], input);
        } finally {
            closeSync(input);
        }
    }

    /** What the server used for some work: its clients do next to nothing. */
    async cost(work: () => Promise<unknown>): Promise<Cost> {
        const pid = `${this.#server.pid}`;
        // A backend that has ended is counted with its parent.
        const used = () =>
            processorSeconds(pid, ['user', 'system', 'childrenUser', 'childrenSystem']);
        let peakBytes = 0;
        const watch = setInterval(() => {
            peakBytes = Math.max(peakBytes, memoryOf(pid));
        }, 250);
        const idle = childrenOf(pid).length;
        const [start, before] = [performance.now(), used()];
        try {
            await work();
        } finally {
            clearInterval(watch);
        }
        const seconds = (performance.now() - start) / 1000;
        // A client that is done does not wait for its backend to end.
        for (let look = 0; childrenOf(pid).length > idle && look < 500; look += 1) {
            await setTimeout(20);
        }
        return { seconds, cpu: used() - before, peakBytes };
    }

    /** Stops the server, waits for it, and leaves nothing behind. */
    stop(): void {
        const data = join(this.#folder, 'data');
        const flags = ['stop', '-D', data, '-m', 'immediate', '-w', '-t', '30'];
        spawnSync(join(this.#bin, 'pg_ctl'), flags, { ...this.#user, cwd: this.#folder });
        this.#server.kill('SIGQUIT');
        rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    }

    #await(): void {
        const ready = join(this.#bin, 'pg_isready');
        for (let attempt = 0; attempt < 300; attempt += 1) {
            if (spawnSync(ready, ['-q', '-h', this.#folder, '-t', '1']).status === 0) return;
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
        }
        throw new Error('PostgreSQL did not start within 30 seconds');
    }

    #psql(args: readonly string[], input: number | 'ignore'): Promise<string> {
        const flags = ['-h', this.#folder, '-U', 'bench', '-d', 'postgres', '-X', '-q', '-A', '-t'];
        const child = spawn(join(this.#bin, 'psql'), [...flags, '-v', 'ON_ERROR_STOP=1', ...args], {
            stdio: [input, 'pipe', 'pipe'],
        });
        const [out, err]: [Buffer[], Buffer[]] = [[], []];
        child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
        child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
        return new Promise((done, fail) => {
            child.on('error', fail);
            child.on('close', (code) => {
                if (code === 0) done(Buffer.concat(out).toString('utf8'));
                else fail(new Error(`psql: ${Buffer.concat(err).toString('utf8')}`));
            });
        });
    }
}

/** Whom the server runs as; nobody else than who runs the benchmark, when that is empty. */
type ServerUser = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** PostgreSQL refuses to run as root: then it runs as the user of its package. */
function serverUser(): ServerUser {
    if (process.getuid?.() !== 0) return {};
    const id = (flag: string) =>
        Number.parseInt(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout, 10);
    return { uid: id('-u'), gid: id('-g') };
}

/** Processes that a server has started and that have not ended. */
function childrenOf(server: string): readonly string[] {
    return readdirSync('/proc').filter((pid) => {
        try {
            const status = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/status`, 'utf8') : '';
            return /PPid:\s+(\d+)/.exec(status)?.[1] === server;
        } catch {
            return false;
        }
    });
}

/** Of a server and its backends, what they share counted once. */
function memoryOf(server: string): number {
    const bytes = [server, ...childrenOf(server)].map((pid) => {
        try {
            const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
            return Number.parseInt(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? '0', 10) * 1024;
        } catch {
            return 0;
        }
    });
    return bytes.reduce((sum, of) => sum + of, 0);
}

/** Of a server that has the machine for itself, and whose data nobody will miss. */
function serverFlags(folder: string, threads: number): readonly string[] {
    const options = {
        ...{ listen_addresses: '', unix_socket_directories: folder, max_connections: '10' },
        ...{ shared_buffers: '2GB', effective_cache_size: '8GB', maintenance_work_mem: '512MB' },
        ...{ max_worker_processes: `${2 * threads}`, max_parallel_workers: `${threads}` },
        ...{ fsync: 'off', synchronous_commit: 'off', wal_level: 'minimal', max_wal_senders: '0' },
        ...{ max_wal_size: '8GB', autovacuum: 'off' },
    };
    return Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
