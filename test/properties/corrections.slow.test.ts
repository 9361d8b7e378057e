import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { quoteText } from '../../src/duck/sql.ts';
import { type Effects, silent } from '../../src/effects.ts';
import { currencyExponent } from '../../src/money/currency.ts';
import { comparePeriod } from '../../src/run/backfill.ts';
import { keepBackfill } from '../../src/run/backfills.ts';
import { entryOf, readStateLog } from '../../src/run/books.ts';
import { correctionLines } from '../../src/run/corrections.ts';
import { type RunFolder, runFolder } from '../../src/run/folders.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import type { Project } from '../../src/run/project.ts';
import type { Certificate } from '../../src/schema/certificate.ts';
import type { Commit } from '../../src/schema/commit.ts';
import { appendCommit } from '../../src/state/commit-log.ts';
import { correctionsOf } from '../../src/state/corrections.ts';
import { folderState } from '../../src/state/state.ts';
import { folderStore } from '../../src/store/local.ts';

/*
 * Whatever lines a month was billed with, and whatever it would be billed with again and again: what was
 * billed and all corrections are what would be, by line and to the cent, and reverting takes all back.
 */
const period = '2026-10';
const options = { pipeline: 'nightly', period, as_of: '2026-11-05T00:00:00Z' } as const;
const currencies = ['USD', 'JPY', 'KWD'] as const;

/** Line number to minor units; a line may come and go. Every third line is in another currency. */
const side = fc.dictionary(
    fc.integer({ min: 0, max: 11 }).map(String),
    fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
    { maxKeys: 12 },
);
type Side = Readonly<Record<string, bigint>>;
const currencyOf = (line: string) => currencies[Number.parseInt(line, 10) % 3] ?? 'USD';

let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '512MB', threads: 1, spill: tmpdir() });
});
afterAll(() => engine.close());

/** A finished run with these lines and nothing else. */
async function runOf(state: string, name: string, lines: Side): Promise<RunResult> {
    const run: RunFolder = runFolder(state, name);
    mkdirSync(run.output, { recursive: true });
    const rows = Object.entries(lines).map(([line, minor]) => {
        const amount = `cast(${minor} as decimal(38, 12)) * 1`;
        const payer = quoteText(`payer-${Number.parseInt(line, 10) % 4}`);
        return `(${quoteText(line)}, 'usage', ${payer}, ${payer}, 'acct', 'x', 'calls', '{}', 'X',
            timestamp '2026-10-01', timestamp '2026-11-01', 1.0, 1.0, ${amount}, ${minor}, '${currencyOf(line)}')`;
    });
    const names = [
        ...['line_key', 'line_type', 'payer_id', 'payer_name', 'account_id', 'product', 'meter'],
        ...['attributes', 'description', 'service_start', 'service_end', 'quantity', 'unit_price'],
        ...['amount_exact', 'amount_minor', 'currency'],
    ];
    // A row that is left out gives the columns their types where there is no line.
    const none = `('', '', '', '', '', '', '', '', '', timestamp '2026-10-01', timestamp '2026-11-01', 1.0, 1.0, cast(0 as decimal(38, 12)) * 1, 0, '')`;
    const file = join(run.output, 'line_items.parquet');
    await engine.run(
        `copy (
            select * replace (cast(amount_minor as decimal(38, 0)) as amount_minor)
            from (values ${[none, ...rows].join(', ')}) as lines(${names.join(', ')})
            where line_key <> ''
        ) to ${quoteText(file)} (format parquet)`,
    );
    // Nothing was debited: no debit is late.
    await engine.run(
        `copy (
            select '' as payer_id, '' as account_id, '' as asset, cast(0 as decimal(38, 24)) as debited
            where false
        ) to ${quoteText(join(run.output, 'tie_outs.parquet'))} (format parquet)`,
    );
    const header = 'contract,product,meter,commitment,grant,period,quantity\n';
    writeFileSync(join(run.output, 'closings.csv'), header);
    const certificate = {
        ...{ ...options, run_id: name, run_digest: 'd'.repeat(64), tieout_version: '1' },
        ...{ inputs: [], rules: {}, stages: [], payers: [], outputs: {} },
    } as unknown as Certificate;
    writeFileSync(join(run.output, 'certificate.json'), JSON.stringify(certificate));
    return { run, certificate, isReused: false };
}

const note = { by: 'ada', reason: 'why', at: '2026-11-05T09:00:00Z' };
const effects: Effects = {
    openStore: () => Promise.reject(new Error('nothing is read')),
    ...{ now: () => note.at, progress: silent },
};

async function append(state: string, draft: Omit<Commit, 'number' | 'previous'>) {
    await appendCommit(folderStore(state), await readStateLog(folderState(state)), draft, () => {});
}

/** What was billed of each line: by the run, and by all corrections of it. */
async function billedIn(state: string, original: Side): Promise<Side> {
    const sums = new Map(Object.entries(original));
    for (const correction of correctionsOf(await readStateLog(folderState(state)), period)) {
        const { lines, totals } = await correctionLines(folderState(state), correction);
        const sum = (of: readonly { readonly amount_minor: bigint }[]) =>
            of.reduce((total, { amount_minor }) => total + amount_minor, 0n);
        expect(sum(lines)).toBe(sum(totals));
        for (const { corrects_line_key: key, amount_minor } of lines) {
            sums.set(key, (sums.get(key) ?? 0n) + amount_minor);
        }
    }
    return nonZero(Object.fromEntries(sums));
}
const nonZero = (of: Side) => Object.fromEntries(Object.entries(of).filter(([, minor]) => minor));

test('original + corrections = restated, by line; and a reversal takes them back', async () => {
    await fc.assert(
        fc.asyncProperty(
            side,
            fc.array(side, { minLength: 1, maxLength: 3 }),
            async (original, candidates) => {
                const state = mkdtempSync(join(tmpdir(), 'tieout-corrections-'));
                try {
                    await correctAll(state, original, candidates);
                } finally {
                    rmSync(state, { recursive: true, force: true });
                }
            },
        ),
        { numRuns: 12 },
    );
});

async function correctAll(state: string, original: Side, candidates: readonly Side[]) {
    const { run, certificate } = await runOf(state, 'original', original);
    const entry = { ...entryOf(run, certificate), ...note };
    await append(state, { ...entry, kind: 'run' });
    const config = { engine: { memory: '512MB' }, accounts: 'accounts.yaml' };
    const project = { state, config, folder: '/p', file: '/p/tieout.yaml' } as unknown as Project;
    const compare = async (made: RunResult) => {
        const log = await readStateLog(folderState(state));
        return (
            await comparePeriod(
                project,
                folderState(state),
                effects,
                log,
                options,
                async () => made,
            )
        ).period;
    };
    for (const [at, candidate] of candidates.entries()) {
        const made = await runOf(state, `candidate-${at}`, candidate);
        const found = await compare(made);
        for (const line of found.lines) {
            const exponent = currencyExponent(line.currency) ?? 0;
            expect(line.delta.split('.')[1]?.length ?? 0).toBe(exponent);
        }
        const document = { document: 'tieout/backfill/1', periods: [found] } as const;
        const { id, diff_sha256 } = await keepBackfill(folderState(state), {
            ...document,
            periods: [found],
        });
        const backfill = { id, diff_sha256, bills_in: '2026-11' };
        await append(state, { ...entry, kind: 'backfill', backfill });
        expect(await billedIn(state, original)).toEqual(nonZero(candidate));
        expect((await compare(made)).lines).toEqual([]);
    }
    for (const { backfill_id: id, diff_sha256 } of correctionsOf(
        await readStateLog(folderState(state)),
        period,
    )) {
        const backfill = { id, diff_sha256, bills_in: '2026-12' };
        await append(state, { ...entry, kind: 'revert', backfill });
    }
    expect(await billedIn(state, original)).toEqual(nonZero(original));
}
