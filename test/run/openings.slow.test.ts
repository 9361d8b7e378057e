import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { sha256 } from '../../src/duck/sql.ts';
import { certificateFile } from '../../src/run/folders.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import { memoryStore } from '../support/memory-store.ts';
import { besideTiny } from '../support/night.ts';
import { type TestProject, testProject } from '../support/project.ts';
import { debitLine, lines, tieout, usageLine } from '../support/terminal.ts';

/*
 * Acme promised 1200.00 a quarter from September 16th and got 50.00 then, for good. October reads what
 * September left.
 */
const contracts = (more = '') => `contracts:
  - contract: acme-1
    account: acme
    from: 2026-09-16T00:00:00Z
    cards: [{ card: rates.yaml }]
    commitments: [{ commitment: spend, amount: "1200", every: quarter, prorate: false }]
    grants: [{ grant: hello, amount: "50.00", products: [llm-tokens] }${more}]
`;
const header = 'contract,product,meter,commitment,grant,period,quantity\n';
const closings = `${header}acme-1,,,spend,,2026-10,0.30\nacme-1,,,,hello,2026-10,49.70\n`;

const beside = besideTiny();
const files = {
    ...beside,
    'tieout.yaml': `${beside['tieout.yaml']}contracts: contracts.yaml\nopenings: previous\n`,
    'contracts.yaml': contracts(),
};
const days = ['2026-09-15', '2026-09-16', '2026-10-02'];
const store = memoryStore(
    Object.fromEntries(
        days.flatMap((day, at) => [
            [
                `usage/dt=${day}/0.ndjson`,
                Buffer.from(lines([{ ...usageLine(at + 1), time: `${day}T12:00:00Z` }])),
            ],
            [
                `debits/dt=${day}/0.ndjson`,
                Buffer.from(lines([{ ...debitLine(at + 1), booked_at: `${day}T12:00:00Z` }])),
            ],
        ]),
    ),
);

let project: TestProject;
let september: RunResult;
beforeAll(async () => {
    project = testProject(files, store);
    september = await project.run({ period: '2026-09' });
});
afterAll(() => project?.remove());

/** Lets a finished run close with that; with null, with nothing that its certificate knows of. */
function close({ run }: RunResult, text: string | null): void {
    if (text !== null) writeFileSync(join(run.output, 'closings.csv'), text);
    const file = join(run.output, certificateFile);
    const certificate = JSON.parse(readFileSync(file, 'utf8'));
    const { 'closings.csv': _, ...others } = certificate.outputs;
    const outputs = text === null ? others : { ...others, 'closings.csv': sha256(text) };
    writeFileSync(file, JSON.stringify({ ...certificate, outputs }));
}

async function rowsOf({ run }: RunResult, query: string): Promise<readonly string[]> {
    const engine = await Engine.open({
        ...{ file: run.database, memory: '1GB', threads: 2, spill: '/tmp', readOnly: true },
    });
    try {
        const rows = await engine.rows(query);
        return rows.map((row) => Object.values(row).join(' '));
    } finally {
        engine.close();
    }
}

describe('openings of the run before', () => {
    test('nothing is needed where everything begins', async () => {
        const commitments = `select commitment_id, window_start, window_end,
            cast(committed as varchar), cast(counted_before as varchar), is_due
            from rules.commitments`;
        expect(await rowsOf(september, commitments)).toEqual([
            'acme-1/spend 2026-09-16T00:00:00Z 2026-12-01T00:00:00Z 1200.000000000000 0.000000000000 false',
        ]);
        const holders = `select holder_id, account_id from rules.holder_accounts order by all`;
        expect(await rowsOf(september, holders)).toEqual([
            'acme-1/hello acme',
            'acme-1/hello acme-dev',
            'acme-1/spend acme',
            'acme-1/spend acme-dev',
        ]);
        expect(await rowsOf(september, 'select * from rules.holder_products')).toEqual([
            'acme acme-1/hello llm-tokens',
        ]);
    });

    test('usage is split at the begin of a promise', async () => {
        const segments = `select segment_at from metered.usage group by all order by all`;
        expect(await rowsOf(september, segments)).toContain('2026-09-16T00:00:00Z');
    });

    test('are missing without such a run, or in one that closed nothing', async () => {
        const said = (period: string) => project.run({ period }).catch((error) => error.message);
        const first = 'run `tieout run --period 2026-09` first';
        close(september, null);
        expect(await said('2026-10')).toContain(`No nightly run of 2026-09 is whole: ${first}`);
        expect(await said('2026-12')).toContain('No nightly run of 2026-11 is whole');
    });

    test('are its closings, and part of what the run is', async () => {
        close(september, closings);
        const october = await project.run({ period: '2026-10' });
        const grants = `select grant_id, cast(opening as varchar), cast(granted as varchar),
            asset, precision, cast(rate as varchar), coalesce(cast(expires_at as varchar), '-')
            from rules.grants`;
        expect(await rowsOf(october, grants)).toEqual([
            'acme-1/hello 49.700000000000 0.000000000000 USD 2 1.000000000000 -',
        ]);
        expect(october.certificate.rules['closings.csv of 2026-09']).toBe(sha256(closings));
        expect(october.certificate.rules['accounts.json']).toBeDefined();

        const reconciled = await project.run({ period: '2026-09', pipeline: 'reconcile' });
        expect(reconciled.run.runId).not.toBe(september.run.runId);
        expect((await project.run({ period: '2026-10' })).isReused).toBe(true);

        close(september, closings.replace('49.70', '49.60'));
        const again = await project.run({ period: '2026-10' });
        expect(again.isReused).toBe(false);
        expect(await rowsOf(again, grants)).toEqual([expect.stringContaining('49.600000000000')]);
    });

    test('that someone edited are not those of the run', async () => {
        close(september, closings);
        writeFileSync(join(september.run.output, 'closings.csv'), `${closings}\n`);
        await expect(project.run({ period: '2026-10' })).rejects.toThrow(/OPENING_MISSING/);
        close(september, closings);
    });

    test('that contracts no longer hold are told with their file', async () => {
        close(september, `${closings}acme-1,,,,bonus,2026-10,1\n`);
        const file = `.tieout/runs/${september.run.runId}/output/closings.csv`;
        await expect(project.run({ period: '2026-10' })).rejects.toThrow(
            `${file}:4: OPENING_UNKNOWN contract acme-1 has no grant "bonus"\n` +
                '    The run of 2026-09 wrote this: keep in the contracts what was open then, or name a CSV file of your own in `openings` of tieout.yaml.',
        );
    });

    test('that another run of the month before replaced keep the period open', async () => {
        const type = () =>
            tieout('close --period 2026-10 --by ada --with-held', { cwd: project.folder });
        close(september, closings);
        const refused = await type();
        expect(refused).toMatchObject({ exit: 1, out: '' });
        expect(refused.err).toContain(
            `what it opened with is not what ${september.run.runId}, the latest run of the month before, closed with`,
        );
        close(september, closings.replace('49.70', '49.60'));
        expect((await type()).err).toContain('2026-09 may still change');
    });

    test('make months close in their order', async () => {
        const own = testProject(files, store);
        try {
            const type = async (period: string) => {
                const line = `close --period ${period} --by ada --with-held`;
                const { exit, err } = await tieout(line, { cwd: own.folder });
                return exit === 0 ? 'closed' : err.split(':')[0];
            };
            for (const period of ['2026-09', '2026-10']) await own.run({ period });
            expect(await type('2026-10')).toBe('CLOSE_REFUSED');
            expect(await type('2026-09')).toBe('closed');
            expect(await type('2026-10')).toBe('closed');
        } finally {
            own.remove();
        }
    });

    test('of a run that opened with what was replaced since open nothing', async () => {
        const november = () => project.run({ period: '2026-11' }).catch((error) => error.message);
        close(september, closings);
        expect(await november()).toContain(
            `2026-10 opened with what the month before no longer closes with: ${september.run.runId} was run since`,
        );
        close(september, closings.replace('49.70', '49.60'));
        expect(await november()).not.toContain('opened with');
    });
});
