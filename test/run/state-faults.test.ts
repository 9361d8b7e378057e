import { globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/duck/sql.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { type Fault, faultyStore } from '../support/faulty-store.ts';
import { keysOf, machine, textOf } from '../support/machines.ts';
import { memoryStore } from '../support/memory-store.ts';
import { tieout } from '../support/terminal.ts';

/** Whatever breaks while a run is published or fetched: what counts is whole, and a re-run heals. */
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
