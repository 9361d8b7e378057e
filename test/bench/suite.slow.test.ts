import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linesOf } from '../../scripts/bench/lines.ts';
import { type Outcome, runSuite, type Wanted } from '../../scripts/bench/suite.ts';

let dir: string;
beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'tieout-bench-test-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** 2,000 events; nothing is installed for it. */
async function suiteOf(only: readonly string[]): Promise<Outcome> {
    const wanted: Wanted = {
        ...{ events: '2000', smallEvents: '1000000', runs: 1, dir, memory: '1GB', threads: 2 },
        ...{ only, skipsPeers: false, installsPeers: false, note: '' },
        cli: join(import.meta.dirname, '..', '..', 'src', 'cli.ts'),
    };
    return runSuite(wanted, () => undefined);
}

test('a night over Parquet and one over text come to what one select comes to', async () => {
    const outcome = await suiteOf(['floor', 'night', 'duckdb', 'text-floor', 'text-night']);
    expect(outcome.problems).toEqual([]);
    const ratios = linesOf(outcome.results).filter(({ ratio }) => ratio);
    expect(ratios.map(({ what }) => what)).toEqual(
        expect.arrayContaining(['the whole night', 'reconcile', 'ingest of NDJSON.gz']),
    );
});

const peers = ['clickhouse', 'polars', 'postgres', 'node'];

test('peers come to the same totals; one that is not installed is left out with a word', async () => {
    const { problems, results, skipped } = await suiteOf(['duckdb', ...peers]);
    expect(problems).toEqual([]);
    for (const [name, why] of skipped) {
        expect(why).toMatch(/^not installed: /);
        process.stderr.write(`skipped ${name}: ${why}\n`);
    }
    const measured = results.map(({ subject }) => subject.name);
    expect([...measured, ...skipped.keys()].sort()).toEqual(['duckdb', ...peers].sort());
});

test('night 30 after 29 days and a month from its partials', async () => {
    const { problems, results } = await suiteOf(['month', 'reprice']);
    expect(problems).toEqual([]);
    expect(results.flatMap(({ parts }) => parts.map(({ name }) => name))).toEqual([
        ...['night 30', 'alone', 'once', 'from partials', 'from objects'],
    ]);
});
