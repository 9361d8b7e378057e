import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { bucketRows } from '../support/bucket-rows.ts';
import { type Fault, faultyStore } from '../support/faulty-store.ts';
import { keysOf, machine, removeMachines, textOf, tinyObjects } from '../support/machines.ts';
import { memoryStore } from '../support/memory-store.ts';
import { type TinyProject, tieout } from '../support/terminal.ts';

/* An identifier leaves the lake of a bucket, whatever breaks, and stays away from it. */
afterAll(removeMachines);

const month = '--period 2026-10';
const why = ['--reason', 'ticket 12', '--by', 'ada'];
const erasing = ['erase', '--value', 'evt-3', ...why];
const apply = [...erasing, '--apply'];
// All machines read the same objects: a folder of each would give them other dates.
const objects = memoryStore(tinyObjects());
const ofBucket = { store: { bucket: 'in' }, state: { bucket: 'memory', prefix: 'books' } };

const type = ({ folder: cwd }: TinyProject, state: ObjectStore, line: string | readonly string[]) =>
    tieout(line, { cwd, state, store: objects });

async function says(of: TinyProject, state: ObjectStore, line: string | readonly string[]) {
    const { exit, out, err } = await type(of, state, line);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    return out;
}

async function night(of: TinyProject, state: ObjectStore, day: number) {
    const said = await says(of, state, `run ${month} --json --as-of 2026-11-0${day}T00:00:00Z`);
    const { certificate, folder } = JSON.parse(said);
    return { certificate, lines: readFileSync(join(folder, 'line_items.csv'), 'utf8') };
}

const explained = (of: TinyProject, state: ObjectStore, { lines }: { readonly lines: string }) =>
    says(of, state, `explain ${/\b[0-9a-f]{64}\b/.exec(lines)?.[0]} ${month}`);

/** What an explanation says of an event that is not erased. */
const lineOf = (explanation: string) =>
    explanation.split('\n').find((line) => line.includes('evt-1')) ?? 'no such line';

const isInLake = async (state: ObjectStore) => (await bucketRows(state)).includes('evt-3');
const manifestsOf = async (state: ObjectStore) =>
    (await keysOf(state, 'lake/')).filter((key) => key.endsWith('/batch.json'));
const lakeOf = ({ folder }: TinyProject) => globSync('*/*', { cwd: join(folder, '.tieout/lake') });

test('it is erased on one machine; every other one forgets it with its next night', async () => {
    const state = memoryStore({});
    const [here, other, third] = [machine(ofBucket), machine(ofBucket), machine(ofBucket)];
    const first = await night(here, state, 5);
    const explanation = await explained(other, state, first);
    const before = await manifestsOf(state);
    expect(await isInLake(state)).toBe(true);
    expect(await says(here, state, erasing)).toMatch(/rows +2 in 2 batches/);
    expect(await manifestsOf(state)).toEqual(before);
    await says(here, state, apply);
    expect(await isInLake(state)).toBe(false);
    const after = await manifestsOf(state);
    expect(after.filter((key) => before.includes(key))).toHaveLength(before.length - 2);
    expect(after).toHaveLength(before.length);
    const entry = JSON.parse(await textOf(state, 'commits/00000002.json'));
    expect(entry).toMatchObject({ kind: 'erase', row_count: 2 });
    expect(entry.batches.map(({ to }: { to: string }) => to)).not.toContain('');
    // The run was made from batches that are gone; its rows are found where they are now.
    const now = await explained(third, state, first);
    expect(now).toContain(lineOf(explanation));
    const second = await night(other, state, 6);
    expect(second.certificate.history.because).toBe('identifiers were erased from an object');
    expect(second.lines).toBe(first.lines);
    expect(lakeOf(other).toSorted()).toEqual(lakeOf(here).toSorted());
    expect(await isInLake(state)).toBe(false);
    expect((await night(third, state, 7)).certificate.history.from).toBe(second.certificate.run_id);
    expect(await says(third, state, apply)).toMatch(/rows +0 in 0 batches/);
}, 300_000);

test('what a night publishes that read it before does not come back', async () => {
    const [whole, state] = [memoryStore({}), memoryStore({})];
    const [here, slow] = [machine(ofBucket), machine(ofBucket)];
    await night(here, state, 5);
    await night(slow, whole, 5);
    await says(here, state, apply);
    const before = await manifestsOf(state);
    // As if it had begun when nothing was erased: with the rows, and publishing only now.
    const late = await night(slow, withoutErasures(state), 6);
    expect(late.certificate.period).toBe('2026-10');
    expect(await manifestsOf(state)).toEqual(before);
    expect(await isInLake(state)).toBe(false);
}, 300_000);

/** A store whose log has no entry yet until somebody asks for it a second time. */
function withoutErasures(store: ObjectStore): ObjectStore {
    let asked = 0;
    return {
        ...store,
        async *list(prefix) {
            if (prefix === 'commits/' && asked++ === 0) return yield* firstOf(store.list(prefix));
            yield* store.list(prefix);
        },
    };
}

async function* firstOf<T>(all: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const one of all) return yield one;
}

describe('every operation fails once', () => {
    test.each<Fault['kind']>(['unreachable', 'answer'])(
        '%s: the same command heals',
        async (kind) => {
            const one = machine(ofBucket);
            const origin = memoryStore({});
            const first = await night(one, origin, 5);
            const explanation = await explained(one, origin, first);
            const copy = async () => {
                const state = memoryStore({});
                for (const key of await keysOf(origin)) {
                    const body = await (await origin.get(key)).stream.toArray();
                    await state.put(key, Buffer.concat(body));
                }
                return state;
            };
            const whole = await copy();
            await says(one, whole, apply);
            const reference = await manifestsOf(whole);
            let [operation, struck] = [1, 0];
            for (; operation < 200; operation += 1) {
                const state = await copy();
                const faulty = faultyStore(state, [{ kind, operation }]);
                const said = await type(machine(ofBucket), faulty, apply);
                if (faulty.operations.length < operation) break;
                struck += faulty.struck;
                expect(said.exit, said.err).toBe(faulty.struck ? 75 : 0);
                // Whatever it left can be read, by a machine that knows nothing.
                if (operation % 7 === 0) {
                    const rows = await explained(machine(ofBucket), state, first);
                    expect(rows).toContain(lineOf(explanation));
                }
                await says(machine(ofBucket), state, apply);
                expect(await isInLake(state), `operation ${operation}`).toBe(false);
                expect(await manifestsOf(state)).toHaveLength(reference.length);
                removeMachines();
            }
            expect(struck).toBeGreaterThan(10);
            expect(operation).toBeLessThan(200);
        },
        600_000,
    );
});
