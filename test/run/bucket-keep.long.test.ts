import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { silent } from '../../src/effects.ts';
import { keepBounded } from '../../src/run/keep.ts';
import { openProject } from '../../src/run/project.ts';
import { openState } from '../../src/state/open.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { keysOf, machine, removeMachines, tinyObjects } from '../support/machines.ts';
import { memoryStore } from '../support/memory-store.ts';
import { debitLine, lines, type TinyProject, tieout, usageLine } from '../support/terminal.ts';

/* What goes from the bucket of a state, and that nothing does which anybody needs. */
afterAll(removeMachines);

const places = { store: { bucket: 'in' }, state: { bucket: 'memory', prefix: 'books' } };

/** A bucket of a state, objects that every machine reads, and a way to type on a machine. */
function world() {
    const [state, objects] = [memoryStore({}), memoryStore(tinyObjects())];
    const says = async (of: TinyProject, line: string, now = '2026-11-05T09:00:00Z') => {
        const { exit, out, err } = await tieout(line, {
            ...{ cwd: of.folder, state, store: objects, now },
        });
        expect({ exit, err }).toEqual({ exit: 0, err: '' });
        return out;
    };
    const night = async (of: TinyProject, asOf: string, period = '2026-10', now = asOf) => {
        const said = await says(of, `run --period ${period} --json --as-of ${asOf}`, now);
        return JSON.parse(said).certificate;
    };
    return { state, objects, says, night };
}

/** Keeps the state of a project bounded as of an instant, and gives what that says. */
async function keeps(
    { folder }: TinyProject,
    store: ObjectStore,
    now: string,
): Promise<readonly string[]> {
    const said: string[] = [];
    const project = openProject(join(folder, 'tieout.yaml'));
    const state = await openState(project, { openStore: async () => store });
    await keepBounded(project, state, {
        now: () => now,
        progress: { ...silent, end: (detail = '') => said.push(detail) },
    });
    return said;
}

const tablesOf = async (state: ObjectStore) =>
    (await keysOf(state, 'runs/')).filter((key) => key.endsWith('.duckdb'));
const batchesOf = async (state: ObjectStore) =>
    (await keysOf(state, 'lake/')).filter((key) => key.endsWith('/batch.json'));

test('tables of a run that another replaced go; its output, and the one that speaks, stay', async () => {
    const { state, says, night } = world();
    const one = machine(places);
    const first = await night(one, '2026-11-05T00:00:00Z');
    const second = await night(one, '2026-11-06T00:00:00Z');
    const outputs = (await keysOf(state, 'runs/')).filter((key) => key.includes('/output/'));
    expect(await keeps(machine(places), state, '2027-02-03T09:00:00Z')).toEqual([]);
    expect(await keeps(machine(places), state, '2027-02-04T09:00:00Z')).toEqual([
        `s3://memory: deleted the tables of ${first.run_id}`,
    ]);
    expect(await tablesOf(state)).toEqual([`runs/${second.run_id}/tables.duckdb`]);
    expect(await keysOf(state, 'runs/')).toEqual(expect.arrayContaining([...outputs]));
    const other = machine(places);
    expect(await says(other, 'report --period 2026-10')).toContain('2026-10');
    expect(await says(other, `run --reproduce ${first.run_id}`)).toContain('the same');
}, 300_000);

describe('rows', () => {
    /** Two months, the first of them and the second closed, the third not there. */
    async function closedMonths() {
        const { state, objects, says, night } = world();
        const one = machine(places);
        const first = await night(one, '2026-11-05T00:00:00Z');
        await says(one, 'close --period 2026-10', '2026-11-06T09:00:00Z');
        const time = '2026-11-10T03:00:00Z';
        await objects.put('usage/dt=2026-11-10/0.ndjson', lines([{ ...usageLine(1), time }]));
        const debit = { ...debitLine(1), booked_at: time };
        await objects.put('debits/dt=2026-11-10/0.ndjson', lines([debit]));
        await night(one, '2026-12-05T00:00:00Z', '2026-11');
        await says(one, 'close --period 2026-11', '2026-12-06T09:00:00Z');
        return { state, says, first, one };
    }

    test('that only closed months counted go, for whoever keeps house', async () => {
        const { state, says, one } = await closedMonths();
        const all = await batchesOf(state);
        expect(all).toHaveLength(4);
        // It has nothing of the state: certificates are asked of the bucket.
        expect(await keeps(machine(places), state, '2028-01-09T09:00:00Z')).toEqual([]);
        expect(await keeps(machine(places), state, '2028-01-10T09:00:00Z')).toEqual([
            expect.stringMatching(/^s3:\/\/memory: deleted batches [0-9a-f]{16}, [0-9a-f]{16}$/),
        ]);
        expect(await batchesOf(state)).toHaveLength(2);
        expect((await keysOf(state, 'lake/')).length).toBe(4);
        const text = await says(one, 'report --period 2026-10');
        expect(text).toContain('2026-10');
    }, 300_000);

    test('stay where an entry came in between', async () => {
        const { state, one } = await closedMonths();
        let reads = 0;
        const busy: ObjectStore = {
            ...state,
            async *list(prefix) {
                // Somebody reopens a month after the log was read.
                if (prefix === 'commits/' && ++reads === 2) await reopen(one, state);
                yield* state.list(prefix);
            },
        };
        const before = await keysOf(state, 'lake/');
        expect(await keeps(machine(places), busy, '2028-01-10T09:00:00Z')).toEqual([]);
        expect(await keysOf(state, 'lake/')).toEqual(before);
    }, 300_000);

    test('whatever fails once, nothing is lost, and it is done the next time', async () => {
        const { state: origin } = await closedMonths();
        const copyOf = async () => {
            const state = memoryStore({});
            for (const key of await keysOf(origin)) {
                const body = await (await origin.get(key)).stream.toArray();
                await state.put(key, Buffer.concat(body));
            }
            return state;
        };
        const [whole, now] = [await copyOf(), '2028-01-10T09:00:00Z'];
        await keeps(machine(places), whole, now);
        const reference = await keysOf(whole);
        for (const kind of ['unreachable', 'answer'] as const) {
            let [operation, struck] = [1, 0];
            for (; operation < 100; operation += 1) {
                const state = await copyOf();
                const faulty = faultyStore(state, [{ kind, operation }]);
                const said = await keeps(machine(places), faulty, now);
                if (faulty.operations.length < operation) break;
                struck += faulty.struck;
                if (faulty.struck) expect(said.join('\n')).toMatch(/^not done: /);
                expect(await keysOf(state)).toEqual(expect.arrayContaining([...reference]));
                await keeps(machine(places), state, now);
                expect((await keysOf(state)).filter(isManifest)).toEqual(
                    reference.filter(isManifest),
                );
            }
            expect(struck).toBeGreaterThan(3);
            expect(operation).toBeLessThan(100);
        }
    }, 300_000);
});

const isManifest = (key: string) => key.endsWith('/batch.json');

async function reopen({ folder: cwd }: TinyProject, state: ObjectStore): Promise<void> {
    const line = ['reopen', '--period', '2026-11', '--reason', 'late', '--by', 'ada'];
    await tieout(line, { cwd, state });
}

test('small batches become one there too; the others go two days later', async () => {
    const { state, objects, says, night } = world();
    const one = machine(places);
    for (let at = 10; at <= 27; at++) {
        const event = { ...usageLine(at % 9 || 9, { input_tokens: at }), id: `evt-${at}` };
        await objects.put(`usage/dt=2026-10-03/${at}.ndjson`, lines([event]));
        await says(one, `run --period 2026-10 --as-of 2026-11-05T00:${at}:00Z`);
    }
    const usage = async () =>
        (await batchesOf(state)).filter((key) => key.startsWith('lake/gateway/'));
    const before = await usage();
    expect(before.length).toBeGreaterThan(16);
    await keeps(one, state, '2026-11-09T09:00:00Z');
    const [made, ...others] = await usage();
    expect([made !== undefined, others.length]).toEqual([true, 1]);
    // A machine that comes now goes on from a run that was made of batches that are gone.
    const last = await night(machine(places), '2026-11-10T00:00:00Z');
    expect(last.history.from).not.toBeNull();
    const alone = await tieout('run --period 2026-10 --json --as-of 2026-11-10T00:00:00Z', {
        ...{ cwd: machine(places).folder, state: memoryStore({}), store: objects },
    });
    expect(JSON.parse(alone.out).certificate.run_digest).toBe(last.run_digest);
}, 600_000);
