import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
    cpSync,
    existsSync,
    globSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chance } from '../../scripts/support/kill.ts';
import { type Progress, silent } from '../../src/effects.ts';
import type { Certificate } from '../../src/schema/certificate.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { type Fault, faultyStore } from '../support/faulty-store.ts';
import { fewOf, takesAll } from '../support/how-many.ts';
import { memoryStore } from '../support/memory-store.ts';
import {
    expectNothingWhole,
    type Said,
    type TinyProject,
    tieout,
    tinyFiles,
    tinyProject,
    tinyProjects,
} from '../support/terminal.ts';

/**
 * Whatever breaks a run, and wherever: afterwards there is no output that looks whole, and the same
 * command gives the very bytes of a run that never failed.
 */
const line = 'run --period 2026-10';
const tiny = tinyFiles();
const memory = () =>
    memoryStore(
        Object.fromEntries(
            Object.entries(tiny)
                .filter(([name]) => name.startsWith('data/'))
                .map(([name, text]) => [name.slice('data/'.length), text]),
        ),
    );

const project = tinyProjects();

interface Options {
    readonly store?: ObjectStore;
    readonly progress?: Progress;
}

const run = ({ folder }: TinyProject, options: Options = {}): Promise<Said> =>
    tieout(`${line} --json`, { cwd: folder, store: memory(), ...options });

/** The certificate of a run that went well: it names every byte of the output. */
function certificate({ exit, out }: Said): Certificate {
    expect(exit, out).toBe(0);
    return JSON.parse(out).certificate;
}

let reference: Certificate;
beforeAll(async () => {
    const one = tinyProject();
    reference = certificate(await run(one));
    one.remove();
});

/** Calls back at every part that begins and every table and audit that a stage comes to. */
function watching(see: (part: string, check: string | null) => void): Progress {
    let part = '';
    return {
        ...silent,
        begin: (name) => {
            part = name;
            see(part, null);
        },
        advance: (amount, detail) => {
            if (amount === 0) see(part, detail ?? '');
        },
    };
}

/** The stages that a run worked on, and did not find complete. */
async function stagesWorkedOn(one: TinyProject): Promise<readonly string[]> {
    const worked = new Set<string>();
    const progress = watching((part, check) => {
        if (check !== null) worked.add(part);
    });
    expect(certificate(await run(one, { progress }))).toEqual(reference);
    return [...worked];
}

const stages = [
    '20-mediate',
    '30-meter',
    '40-rate',
    '45-price',
    '50-roll-up',
    '70-reconcile',
    '72-bill',
    '76-draw-down',
    '80-invoice',
];
const parts = ['fetch gateway', ...stages, 'write'];

/** Breaks a run off where the named part begins. */
async function stopAt(one: TinyProject, stop: string): Promise<void> {
    const progress = watching((part) => {
        if (part === stop) throw new Error(`stopped at ${stop}`);
    });
    const { exit, out } = await run(one, { progress });
    expect(exit).toBe(70);
    expect(out).toContain(`stopped at ${stop}`);
    expectNothingWhole(one.folder);
}

describe('every operation of the store fails once', () => {
    const faultsFrom = (first: number, count: number): Fault[] =>
        Array.from({ length: count }, (_, at) => ({
            kind: 'unreachable',
            operation: first + at,
            times: Number.POSITIVE_INFINITY,
        }));

    test('and stays broken, until a run meets no fault', async () => {
        let operation = 1;
        for (; operation < 50; operation += takesAll ? 1 : 3) {
            const one = project();
            const once = faultyStore(memory(), faultsFrom(operation, 1));
            const failed = await run(one, { store: once });
            if (once.struck === 0) {
                expect(certificate(failed)).toEqual(reference);
                break;
            }
            expect(failed.exit).toBe(75);
            expect(JSON.parse(failed.out).error.code).toBe('STORE_UNREACHABLE');
            expectNothingWhole(one.folder);
            // What was landed meanwhile is not asked for again: nothing at all answers.
            const forever = faultyStore(memory(), faultsFrom(1, 50));
            expect((await run(one, { store: forever })).exit).toBe(75);
            expect(forever.struck).toBeGreaterThan(0);
            expectNothingWhole(one.folder);
            expect(certificate(await run(one))).toEqual(reference);
        }
        // Two listings, four objects; the next run met no fault.
        expect(operation).toBe(7);
    });

    test('a body that breaks off once is read again', async () => {
        const store = faultyStore(memory(), [{ kind: 'reset' }]);
        expect(certificate(await run(project(), { store }))).toEqual(reference);
        expect(store.struck).toBe(1);
    });
});

describe('the process stops', () => {
    test.each(fewOf(parts, 4))('where %s begins', async (part) => {
        const one = project();
        await stopAt(one, part);
        const worked = await stagesWorkedOn(one);
        // What was complete is not made again; everything from there on is.
        const left = stages.slice(Math.max(0, stages.indexOf(part)));
        expect(worked).toEqual(part === 'write' ? [] : left);
    });

    test('inside a stage, again and again: each time nothing of it is kept', async () => {
        const one = project();
        for (const stop of stages) {
            let last = '';
            const progress = watching((part, check) => {
                if (part !== stop || check === null) return;
                if (last) throw new Error(`stopped after ${last}`);
                last = check;
            });
            const { exit, out } = await run(one, { progress });
            expect(exit, out).toBe(70);
            expectNothingWhole(one.folder);
        }
        expect(await stagesWorkedOn(one)).toEqual(['80-invoice']);
    });
});

describe('the process is killed', () => {
    const cli = join(import.meta.dirname, '../../src/cli.ts');
    const kills = Number(process.env.TIEOUT_KILLS ?? (takesAll ? 4 : 1));
    const firstSeed = Number(process.env.TIEOUT_KILL_SEED ?? 20_261_001);

    /** Kills the child some milliseconds after one of its parts has begun. */
    async function killWithin(child: ChildProcess, part: string, millis: number): Promise<void> {
        const ended = once(child, 'close');
        if (!child.stderr) throw new Error('no log to read');
        for await (const record of createInterface(child.stderr)) {
            const { msg, part: of } = JSON.parse(record);
            if (msg !== 'begin' || of !== part) continue;
            setTimeout(() => child.kill('SIGKILL'), millis);
            break;
        }
        child.stderr.resume();
        await ended;
    }

    test.each(Array.from({ length: kills }, (_, at) => firstSeed + at))('seed %i', async (seed) => {
        const one = project();
        const part = parts[Math.floor(chance(seed) * parts.length)] ?? '';
        const millis = Math.floor(chance(seed + 1_000_003) * 120);
        const child = spawn(
            process.execPath,
            [cli, ...line.split(' '), '--as-of', '2026-11-05T00:00:00Z'],
            {
                cwd: one.folder,
                stdio: ['ignore', 'ignore', 'pipe'],
            },
        );
        await killWithin(child, part, millis);
        // Before or after: either nothing looks whole, or it is the whole.
        if (child.signalCode === 'SIGKILL') {
            for (const output of globSync(join(one.folder, '.tieout/runs/*/output'))) {
                expect(existsSync(join(output, 'certificate.json'))).toBe(true);
            }
        }
        const again = await tieout(`${line} --json`, { cwd: one.folder });
        const found = certificate(again);
        expect(found.run_digest, `killed ${millis} ms into ${part}`).toBe(reference.run_digest);
        expect(readdirSync(JSON.parse(again.out).folder).sort()).toEqual(
            [...Object.keys(reference.outputs), 'certificate.json'].sort(),
        );
    });
});

describe('what lies in the folder of a run is not taken on trust', () => {
    const runOf = ({ folder }: TinyProject) => globSync(join(folder, '.tieout/runs/*'))[0] ?? '';

    test('a half-written output.partial is never an output', async () => {
        const one = project();
        await run(one);
        const output = join(runOf(one), 'output');
        // Even one that has everything: it was never given its name.
        cpSync(output, `${output}.partial`, { recursive: true });
        rmSync(output, { recursive: true });
        rmSync(join(one.folder, '.tieout/commits'), { recursive: true });
        writeFileSync(join(`${output}.partial`, 'line_items.csv'), 'half a li');
        const { exit, err } = await tieout('report --period 2026-10', { cwd: one.folder });
        expect([exit, err]).toEqual([2, expect.stringMatching(/^RUN_NOT_FOUND/)]);
        const again = await run(one);
        expect(JSON.parse(again.out).is_reused).toBe(false);
        expect(certificate(again)).toEqual(reference);
        expect(existsSync(`${output}.partial`)).toBe(false);
    });

    test('an edited output is made anew, from stages that are complete', async () => {
        const one = project();
        await run(one);
        writeFileSync(join(runOf(one), 'output/line_items.csv'), 'more for us\n');
        expect(await stagesWorkedOn(one)).toEqual([]);
        const text = readFileSync(join(runOf(one), 'output/line_items.csv'), 'utf8');
        expect(text).toMatch(/^line_key,/);
    });

    test.each([
        ['changed', (path: string) => writeFileSync(path, flipped(readFileSync(path)))],
        ['removed', (path: string) => rmSync(path)],
    ])(
        'a file of the lake that was %s is told, and made anew once its batch is gone',
        async (_what, tamper) => {
            const one = project();
            await stopAt(one, '70-reconcile');
            const batches = globSync(join(one.folder, '.tieout/lake/*/*/rows.parquet'));
            expect(batches.length).toBeGreaterThan(0);
            for (const path of batches) tamper(path);
            const damaged = await run(one);
            expect(damaged.exit).toBe(1);
            expect(JSON.parse(damaged.out).error.code).toBe('LAKE_DAMAGED');
            expectNothingWhole(one.folder);
            for (const path of batches) rmSync(dirname(path), { recursive: true });
            expect(await stagesWorkedOn(one)).toEqual(stages.slice(-4));
        },
    );

    function flipped(bytes: Buffer): Buffer {
        const at = Math.floor(bytes.length / 2);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
        return bytes;
    }
});

describe('the disk is full', () => {
    const disk = mkdtempSync(join(tmpdir(), 'tieout-disk-'));
    const mount = (options: string) =>
        spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]);
    const canMount = mount('size=1m').status === 0;
    if (canMount) spawnSync('umount', [disk]);
    afterAll(() => rmSync(disk, { recursive: true, force: true }));

    // The first is full while the lake is written, the second while an output is.
    test.skipIf(!canMount).each(['96k', '248k'])('of %s, and then it is not', async (size) => {
        const one = project();
        one.write('tieout.yaml', `${tiny['tieout.yaml']}state: ${disk}\n`);
        expect(mount(`size=${size}`).status).toBe(0);
        try {
            const failed = await run(one);
            expect(failed.exit).toBe(75);
            expect(JSON.parse(failed.out).error.code).toBe('DISK_FULL');
            expect(globSync(join(disk, 'runs/*/output'))).toEqual([]);
            expect(mount('remount,size=20m').status).toBe(0);
            expect(certificate(await run(one)).run_digest).toBe(reference.run_digest);
        } finally {
            spawnSync('umount', [disk]);
        }
    });
});
