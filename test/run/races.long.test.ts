import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Commit } from '../../src/schema/commit.ts';
import { readLog } from '../../src/state/commit-log.ts';
import { folderStore } from '../../src/store/local.ts';
import { openStore } from '../../src/store/open.ts';
import { machine, removeMachines, tinyObjects } from '../support/machines.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { type TinyProject, tieout } from '../support/terminal.ts';

/**
 * Eight schedules start at once. Whatever they do to each other, each number of the log has one
 * entry, whoever lost was told, and the lines are those of one run alone.
 */
const night = ['run', '--period', '2026-10', '--as-of'];
const today = '2026-11-05T00:00:00Z';
const eight = Array.from({ length: 8 }, (_, at) => at);

afterAll(removeMachines);

interface Ended {
    readonly exit: number | null;
    readonly err: string;
}

/** The command line in a process of its own, as a schedule starts it. */
async function start({ folder: cwd }: TinyProject, asOf: string): Promise<Ended> {
    const cli = join(import.meta.dirname, '../../src/cli.ts');
    const child = spawn(process.execPath, [cli, ...night, asOf], {
        ...{ cwd, stdio: ['ignore', 'ignore', 'pipe'] },
        env: { ...process.env, TIEOUT_LOG_LEVEL: 'silent' },
    });
    const [err, [exit]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    return { exit, err };
}

/** Nothing crashed, somebody came first, and every other one is done as well or was told by whom. */
function expectTold(ended: readonly Ended[]): void {
    for (const { exit, err } of ended) {
        expect([0, 75], err).toContain(exit);
        if (exit === 75) expect(err).toMatch(/^(ENGINE_LOCKED: .* is held by |RUN_OUTRUN: )/);
    }
    expect(ended.map(({ exit }) => exit)).toContain(0);
}

/** What is billed: the lines, whatever else differs between two runs. */
const linesOf = ({ folder }: TinyProject, { run_id }: Commit) =>
    readFileSync(join(folder, '.tieout/runs', run_id, 'output/line_items.csv'), 'utf8');

async function linesOfOneAlone(): Promise<string> {
    const one = machine();
    expect((await tieout([...night, today], { cwd: one.folder })).exit).toBe(0);
    const [file = ''] = globSync(join(one.folder, '.tieout/runs/*/output/line_items.csv'));
    return readFileSync(file, 'utf8');
}

describe.skipIf(process.env.TIEOUT_TEST_S3_ENDPOINT)('in one folder', () => {
    test.each([
        ['of the same night', () => today],
        ['of nights that differ', (at: number) => `2026-11-0${at + 2}T00:00:00Z`],
    ])('%s', async (_what, asOf) => {
        const one = machine();
        expectTold(await Promise.all(eight.map((at) => start(one, asOf(at)))));
        const { commits } = await readLog(folderStore(join(one.folder, '.tieout')));
        const names = readdirSync(join(one.folder, '.tieout/commits'));
        expect(names).toHaveLength(commits.length);
        const lines = await linesOfOneAlone();
        for (const commit of commits) expect(linesOf(one, commit)).toBe(lines);
        expect(globSync(join(one.folder, '.tieout/**/{scratch,spill,*.partial}'))).toEqual([]);
        // Whoever was told to try again does.
        expect(await start(one, asOf(7))).toEqual({ exit: 0, err: '' });
    });

    test('one that was killed blocks nobody', async () => {
        const one = machine();
        const cli = join(import.meta.dirname, '../../src/cli.ts');
        const child = spawn(process.execPath, [cli, ...night, today], {
            ...{ cwd: one.folder, stdio: ['ignore', 'ignore', 'pipe'] },
            env: { ...process.env, TIEOUT_LOG_LEVEL: 'info' },
        });
        child.stderr.once('data', () => child.kill('SIGKILL'));
        await once(child, 'exit');
        expect(child.signalCode).toBe('SIGKILL');
        expect((await start(one, today)).exit).toBe(0);
    });
});

describe.runIf(process.env.TIEOUT_TEST_S3_ENDPOINT)('in one bucket, on eight machines', () => {
    let server: S3Server;
    const bucket = `races-${process.pid}`;
    beforeAll(async () => {
        server = await startS3();
        for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
        await server.makeBucket(bucket);
        for (const [key, body] of Object.entries(tinyObjects()))
            await server.put(bucket, key, body);
    });
    afterAll(async () => {
        vi.unstubAllEnvs();
        await server.stop();
    });

    test.each([
        ['of the same night', 'same', () => today],
        ['of nights that differ', 'other', (at: number) => `2026-11-0${at + 2}T00:00:00Z`],
    ])('%s', async (_what, prefix, asOf) => {
        const at = { bucket, endpoint: server.endpoint, path_style: true };
        const places = { store: at, state: { ...at, prefix } };
        const machines = eight.map(() => machine(places));
        const ended = await Promise.all(machines.map((one, no) => start(one, asOf(no))));
        expectTold(ended);
        const store = await openStore({ ...at, prefix }, '/');
        const { commits } = await readLog(store);
        await store.close();
        const winners = ended.filter(({ exit }) => exit === 0);
        // Of one night all have done the same; of nights that differ each winner made an entry.
        expect(commits).toHaveLength(prefix === 'same' ? 1 : winners.length);
        if (prefix === 'same') expect(winners).toHaveLength(8);
        const reader = machine(places);
        const said = await tieout('report --period 2026-10', { cwd: reader.folder });
        expect(said.err).toBe('');
        const speaks = commits.at(-1);
        expect(speaks && linesOf(reader, speaks)).toBe(await linesOfOneAlone());
    });
});
