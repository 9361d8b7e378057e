import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
    chmodSync,
    chownSync,
    mkdtempSync,
    openSync,
    readdirSync,
    readFileSync,
    rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cost, Part } from '../support/cost.ts';
import { processorSeconds } from '../support/timed-night.ts';
import { answerOf, priceValues, type SqlRow } from './answer.ts';
import { csvFolder } from './data.ts';
import { postgresFolder } from './peers.ts';
import type { Measured, Setting } from './subject.ts';

/** The job as plain SQL on a PostgreSQL of its own, which is copied both sides first. */
export async function measure(setting: Setting): Promise<Measured> {
    const cluster = Cluster.start(setting);
    try {
        await cluster.sql(tables);
        const load = await cluster.cost(async () => {
            await Promise.all(
                ['usage', 'debits'].map((side) =>
                    cluster.copy(side, join(csvFolder(setting), `${side}.csv`)),
                ),
            );
            await cluster.sql('analyze usage; analyze debits');
        });
        let text = '';
        const job = await cluster.cost(async () => {
            text = await cluster.sql(`${settings(setting)} ${jobSql}`);
        });
        const rows: readonly SqlRow[] = JSON.parse(text);
        const parts: readonly Part[] = [
            { name: 'job', cost: both(load, job) },
            { name: 'select', cost: job },
        ];
        const version = await cluster.sql('show server_version');
        return { parts, answer: answerOf(rows), says: `PostgreSQL ${version.trim()}: ${said}` };
    } finally {
        cluster.stop();
    }
}

const said =
    'COPY of CSV into unlogged tables and ANALYZE (both counted), then one select, numeric';

const both = (one: Cost, other: Cost): Cost => ({
    seconds: one.seconds + other.seconds,
    cpu: one.cpu + other.cpu,
    peakBytes: Math.max(one.peakBytes, other.peakBytes),
});

/** Of one session, which has the machine for itself. */
const settings = ({ threads }: Setting) => `
    set work_mem = '1GB'; set hash_mem_multiplier = 2; set jit = off;
    set max_parallel_workers_per_gather = ${threads}; set min_parallel_table_scan_size = 0;
    set parallel_setup_cost = 0;`;

/** A cluster in a temporary folder that only a socket in that folder leads to. */
class Cluster {
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
    static start({ threads }: Setting): Cluster {
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
        const options = {
            ...{ listen_addresses: '', unix_socket_directories: folder, max_connections: '10' },
            ...{
                shared_buffers: '2GB',
                effective_cache_size: '8GB',
                maintenance_work_mem: '512MB',
            },
            ...{ max_worker_processes: `${2 * threads}`, max_parallel_workers: `${threads}` },
            ...{
                fsync: 'off',
                synchronous_commit: 'off',
                wal_level: 'minimal',
                max_wal_senders: '0',
            },
            ...{ max_wal_size: '8GB', autovacuum: 'off' },
        };
        const flags = Object.entries(options).flatMap(([name, value]) => [
            '-c',
            `${name}=${value}`,
        ]);
        const server = spawn(join(bin, 'postgres'), ['-D', data, ...flags], {
            ...user,
            ...{ cwd: folder, stdio: 'ignore' },
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

    async copy(table: string, file: string): Promise<void> {
        await this.#psql(['-c', `copy ${table} from stdin (format csv)`], openSync(file, 'r'));
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
        const [start, before] = [performance.now(), used()];
        try {
            await work();
        } finally {
            clearInterval(watch);
        }
        const seconds = (performance.now() - start) / 1000;
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

/** Of a server and its backends, what they share counted once. */
function memoryOf(server: string): number {
    const isOf = (pid: string) => {
        if (pid === server) return true;
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        return /PPid:\s+(\d+)/.exec(status)?.[1] === server;
    };
    const bytes = readdirSync('/proc').map((pid) => {
        try {
            if (!/^\d+$/.test(pid) || !isOf(pid)) return 0;
            const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
            return Number.parseInt(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? '0', 10) * 1024;
        } catch {
            return 0;
        }
    });
    return bytes.reduce((sum, of) => sum + of, 0);
}

const tables = `
create unlogged table usage (
    source text, id text, type text, subject text, "time" timestamp, model text,
    input_tokens bigint, cached_input_tokens bigint, output_tokens bigint
);
create unlogged table debits (
    entry_id text, entry_type text, account_id text, asset text, amount numeric(18, 6),
    booked_at timestamp, event_id text, wallet_id text
);`;

const jobSql = `
with prices (model, is_long, input_price, cached_price, output_price) as (
    values ${priceValues('numeric')}
),
kept as (
    select distinct on (source, id) id, subject as account, model, "time"::date as day,
        input_tokens > 200000 as is_long, input_tokens - cached_input_tokens as fresh,
        cached_input_tokens as cached, output_tokens as output
    from usage
),
events as materialized (
    select id, account, kept.model, is_long, day, fresh, cached, output,
        fresh * input_price + cached * cached_price + output * output_price as amount
    from kept join prices using (model, is_long)
),
entries as (
    select distinct on (entry_id) account_id as account, event_id, amount from debits
),
metered as (
    select account, model, is_long, day, count(*) as events, sum(fresh) as fresh,
        sum(cached) as cached, sum(output) as output, sum(amount) as amount
    from events group by account, model, is_long, day
),
rated as (
    select account, sum(events) as events, count(*) as metered, sum(fresh) as fresh,
        sum(cached) as cached, sum(output) as output, sum(amount) as rated
    from metered group by account
),
tied as (
    select coalesce(events.account, entries.account) as account,
        count(entries.amount) as entries, sum(entries.amount) as debited,
        count(*) filter (where round(events.amount) = entries.amount * 1000000) as agreed,
        count(*) filter (where entries.amount is null) as undebited,
        sum(events.amount) filter (where entries.amount is null) as undebited_amount,
        count(*) filter (where events.amount is null) as unused,
        sum(entries.amount) filter (where events.amount is null) as unused_amount
    from events full join entries on events.id = entries.event_id group by 1
),
answer as (
    select account, entries::text, debited::text, agreed::text, undebited::text,
        undebited_amount::text, unused::text, unused_amount::text, events::text, metered::text,
        fresh::text, cached::text, output::text, rated::text
    from tied full join rated using (account)
)
select json_agg(answer) from answer`;
