import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { json, markdown, terminal } from '../../scripts/bench/show.ts';
import { runSuite, type Wanted } from '../../scripts/bench/suite.ts';

let dir: string;
beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'tieout-bench-test-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const wanted = (of: Partial<Wanted>): Wanted => ({
    ...{ events: '2000', smallEvents: '1000000', runs: 1, dir, memory: '1GB', threads: 2 },
    ...{ only: [], skipsPeers: true, installsPeers: false, note: 'beside other tests' },
    cli: join(import.meta.dirname, '..', '..', 'src', 'cli.ts'),
    ...of,
});
const silent = () => undefined;

test('2,000 events against the bare engine, as a table, a page and JSON', async () => {
    const asked = wanted({ only: ['floor', 'duckdb', 'text-floor'], runs: 2 });
    const outcome = await runSuite(asked, silent);
    expect(outcome.problems).toEqual([]);
    expect(outcome.results.map(({ subject }) => subject.name)).toEqual([
        ...['floor', 'duckdb', 'text-floor'],
    ]);
    // Nothing to compare one select with.
    expect(terminal(asked, outcome)).not.toMatch(/the same totals/);
    const page = markdown(asked, outcome, '2026-11-28');
    expect(page).toMatch(/\| DuckDB, one select \| 2,000 \|/);
    expect(page).toContain('\n- beside other tests\n');
    const written = JSON.parse(json(asked, outcome, '2026-11-28'));
    expect(written.data).toEqual([{ events: '2000', bytes: expect.any(Number) }]);
});

test('a name that is none is refused before anything is made', async () => {
    await expect(runSuite(wanted({ only: ['floor', 'oracle'] }), silent)).rejects.toThrow(
        'no subject is called oracle',
    );
});

test('a subject that fails is a problem, and the others are measured', async () => {
    const asked = wanted({ only: ['floor', 'night'], cli: join(dir, 'no-such-program.js') });
    const { problems, results } = await runSuite(asked, silent);
    expect(problems).toEqual([expect.stringMatching(/^night: .*no-such-program/s)]);
    expect(results.map(({ subject }) => subject.name)).toEqual(['floor']);
});
