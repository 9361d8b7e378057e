import { cpSync, globSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { sha256 } from '../../src/duck/sql.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { type Fault, faultyStore } from '../support/faulty-store.ts';
import { keysOf, machine, removeMachines, textOf } from '../support/machines.ts';
import { memoryStore } from '../support/memory-store.ts';
import { debitLine, type TinyProject, tieout, usageLine } from '../support/terminal.ts';

/** Whatever breaks while a run is published or fetched: what counts is whole, and a re-run heals. */
afterAll(removeMachines);
const month = ['--period', '2026-10'];

describe('every operation of the store of the state fails once', () => {
    const one = machine({ state: { bucket: 'memory', prefix: 'books' } });
    const run = (state: ObjectStore) => tieout(['run', ...month], { cwd: one.folder, state });

    async function contentOf(store: ObjectStore): Promise<Readonly<Record<string, string>>> {
        const content: Record<string, string> = {};
        for (const key of await keysOf(store)) content[key] = sha256(await textOf(store, key));
        return content;
    }

    test.each<Fault['kind']>(['unreachable', 'answer'])('%s: a re-run heals', async (kind) => {
        const whole = memoryStore({});
        expect((await run(whole)).exit).toBe(0);
        const reference = await contentOf(whole);
        let [operation, struck] = [1, 0];
        for (; operation < 100; operation += 1) {
            // Each begins with an empty bucket; that the run is finished here saves the night.
            const bucket = memoryStore({});
            const faulty = faultyStore(bucket, [{ kind, operation }]);
            const said = await run(faulty);
            if (faulty.operations.length < operation) break;
            struck += faulty.struck;
            expect(said.exit, said.err).toBe(faulty.struck ? 75 : 0);
            const [entry] = await keysOf(bucket, 'commits/');
            // An entry never names what is not there.
            if (entry !== undefined) expect(await contentOf(bucket)).toEqual(reference);
            const again = await run(bucket);
            expect(again.exit, again.err).toBe(0);
            expect(await contentOf(bucket), `${kind} of operation ${operation}`).toEqual(reference);
        }
        expect(struck).toBeGreaterThan(20);
        expect(operation).toBeLessThan(100);
    });

    test('a download that breaks off is begun again; one that is other bytes is never taken', async () => {
        const bucket = memoryStore({});
        await run(bucket);
        const [tables = ''] = (await keysOf(bucket)).filter((key) => key.endsWith('.duckdb'));
        const report = (...faults: readonly Fault[]) => {
            rmSync(join(one.folder, '.tieout'), { recursive: true, force: true });
            const state = faultyStore(bucket, faults);
            return tieout(['report', ...month], { cwd: one.folder, state });
        };
        for (const kind of ['reset', 'short', 'bytes'] as const) {
            expect((await report({ kind, key: tables, times: 2 })).err).toBe('');
        }
        for (const [kind, code] of [
            ['reset', 'STORE_UNREACHABLE'],
            ['short', 'STATE_DAMAGED'],
            ['bytes', 'STATE_DAMAGED'],
        ] as const) {
            const said = await report({ kind, key: tables, times: Number.POSITIVE_INFINITY });
            expect(said.err).toMatch(new RegExp(`^${code}: `));
            expect(globSync(join(one.folder, '.tieout/runs/*/tables.duckdb*'))).toEqual([]);
        }
    });
});

describe('what a machine has not', () => {
    const contracts = `contracts:
  - { contract: k, account: acme, from: 2026-09-01T00:00:00Z, cards: [{ card: rates.yaml }], commitments: [{ commitment: c, amount: "9", every: year }] }
`;
    const september = 'data/usage/dt=2026-09-29/0.ndjson';

    function withPromise(): TinyProject {
        const one = machine({ state: { bucket: 'memory', prefix: 'books' } });
        const config = readFileSync(join(one.folder, 'tieout.yaml'), 'utf8');
        one.write('tieout.yaml', `${config}contracts: contracts.yaml\nopenings: previous\n`);
        one.write('contracts.yaml', contracts);
        one.write(september, JSON.stringify({ ...usageLine(11), time: '2026-09-29T12:00:00Z' }));
        const debit = { ...debitLine(1), booked_at: '2026-09-29T12:00:00Z' };
        one.write('data/debits/dt=2026-09-29/log.ndjson', JSON.stringify(debit));
        return one;
    }

    test('the month before is fetched for what the next one opens with, and its output alone', async () => {
        const state = memoryStore({});
        const first = await tieout('run --period 2026-09', { cwd: withPromise().folder, state });
        expect(first.err).toBe('');
        const other = withPromise();
        const said = await tieout('run --period 2026-10 --json', { cwd: other.folder, state });
        const { rules } = JSON.parse(said.out).certificate;
        expect(Object.keys(rules)).toContain('closings.csv of 2026-09');
        const [before = ''] = globSync(join(other.folder, '.tieout/runs/2026-09-*'));
        expect(readdirSync(before)).toEqual(['output']);
    });

    test('tables of which the engine kept a part in a log of its own are published whole', async () => {
        const one = machine({ state: { bucket: 'memory', prefix: 'books' } });
        await tieout(['run', ...month], { cwd: one.folder, state: memoryStore({}) });
        const [database = ''] = globSync(join(one.folder, '.tieout/runs/*/tables.duckdb'));
        // As a process leaves them that is killed when its output is whole and its engine still open.
        const options = { file: database, memory: '512MB', threads: 1, spill: `${database}.spill` };
        const engine = await Engine.open(options);
        await engine.run('create table control.late as select 42 as answer');
        const files = [database, `${database}.wal`];
        for (const file of files) cpSync(file, `${file}.killed`);
        engine.close();
        for (const file of files) renameSync(`${file}.killed`, file);

        const state = memoryStore({});
        const again = await tieout(['run', ...month], { cwd: one.folder, state });
        expect(again.out).toContain('nothing was done');
        rmSync(join(one.folder, '.tieout'), { recursive: true });
        expect((await tieout(['report', ...month], { cwd: one.folder, state })).err).toBe('');
        const fetched = await Engine.open({ ...options, readOnly: true });
        expect(await fetched.one('select answer from control.late')).toEqual({ answer: 42 });
        fetched.close();
    });
});
