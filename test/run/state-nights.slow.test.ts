import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { keysOf, machine, removeMachines, tinyObjects } from '../support/machines.ts';
import { memoryStore } from '../support/memory-store.ts';
import { lines, tieout, usageLine } from '../support/terminal.ts';

afterAll(removeMachines);

/** A night goes on from the run before it, on whatever machine that was. */
test('two nights on two machines come to what one run over all comes to', async () => {
    const state = memoryStore({});
    const objects = memoryStore(tinyObjects());
    const night = async (asOf: string, books = state) => {
        const one = machine({
            store: { bucket: 'in' },
            state: { bucket: 'memory', prefix: 'books' },
        });
        const said = await tieout(`run --period 2026-10 --json --as-of ${asOf}`, {
            ...{ cwd: one.folder, store: objects, state: books },
        });
        expect(said.exit, said.out).toBe(0);
        const { certificate, folder } = JSON.parse(said.out);
        const report = await tieout('report --period 2026-10', { cwd: one.folder, state: books });
        expect(report.err).toBe('');
        const csv = readFileSync(join(folder, 'line_items.csv'), 'utf8');
        const lake = globSync('.tieout/lake/*/*/rows.parquet', { cwd: one.folder });
        return { certificate, csv, lake };
    };
    const first = await night('2026-11-05T00:00:00Z');
    await objects.put('usage/dt=2026-10-02/1.ndjson', lines([{ ...usageLine(8), id: 'evt-late' }]));
    const second = await night('2026-11-06T00:00:00Z');
    const alone = await night('2026-11-06T00:00:00Z', memoryStore({}));
    // It fetched what the first one knew, and read only the new object.
    expect(second.certificate.history.from).toBe(first.certificate.run_id);
    expect(second.lake).toEqual(expect.arrayContaining([...first.lake]));
    expect(await keysOf(state, 'lake/')).toHaveLength(6);
    expect(alone.certificate.history.from).toBeNull();
    expect(second.csv).toBe(alone.csv);
    expect(second.certificate.run_digest).toBe(alone.certificate.run_digest);
});
