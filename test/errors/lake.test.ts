import { appendFileSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { beforehand } from '../support/beforehand.ts';
import { fails, type TinyProject } from '../support/terminal.ts';

const run = 'run --period 2026-10';
const later = `${run} --as-of 2026-11-06T00:00:00Z`;
const first = (project: TinyProject) => beforehand(project, run);

describe('what was read once', () => {
    test('OBJECT_GONE: neither the store nor the lake has it', async () => {
        const before = async (project: TinyProject) => {
            await first(project);
            rmSync(join(project.folder, '.tieout/lake'), { recursive: true });
            rmSync(join(project.folder, 'data/usage/dt=2026-10-02/0.ndjson'));
        };
        const said = await fails('OBJECT_GONE', 1, { line: later, before, hasRun: true });
        expect(said).toMatchInlineSnapshot(`
          "OBJECT_GONE: folder:PROJECT/data/usage/dt=2026-10-02/0.ndjson is gone, and so is what was read of it: run 2026-10-nightly-RUN counted it
            -> Bring the object back, or say that it no longer counts: run with --accept-gone. Nothing was changed.
          "
        `);
    });

    test('LAKE_DAMAGED: a byte of a batch is another', async () => {
        const before = async (project: TinyProject) => {
            await first(project);
            const [rows = ''] = globSync(
                join(project.folder, '.tieout/lake/gateway/*/rows.parquet'),
            );
            appendFileSync(rows, ' ');
            // All rows are looked at again, and there is nothing to read them from but the lake.
            project.write(
                'rates.csv',
                `${'model,token_class,context_band,effective_from,effective_to,usd_per_million_tokens'}\nm1,input,standard,2025-01-01T00:00:00Z,,3\n`,
            );
        };
        const said = await fails('LAKE_DAMAGED', 1, { line: later, before, hasRun: true });
        expect(
            said.replace(/lake\/gateway\/[0-9a-f]+/g, 'lake/gateway/BATCH'),
        ).toMatchInlineSnapshot(`
          "LAKE_DAMAGED: PROJECT/.tieout/lake/gateway/BATCH/rows.parquet is not what was written there: sha256 SHA256 was, SHA256 is
            -> Nothing was counted from it. Delete PROJECT/.tieout/lake/gateway/BATCH and run again: its objects are read from the store anew.
          "
        `);
    });
});
