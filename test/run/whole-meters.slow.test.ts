import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { RunResult } from '../../src/run/pipeline.ts';
import { takesAll } from '../support/how-many.ts';
import { memoryStore } from '../support/memory-store.ts';
import { oneNight } from '../support/night.ts';
import { generatedWorld, type TestProject, testProject } from '../support/project.ts';

/**
 * A night with meters that cannot be added up: they are rated and invoiced beside the others, and
 * the tie-out closes for wallets in money as well as in units.
 */
const world = generatedWorld();
const projects: TestProject[] = [];

const meters = [
    {
        ...{ meter: 'peak', aggregation: 'sum', unit: 'token', attributes: ['model'] },
        ...{ value: 'output_tokens', window: { unit: 'hour', of: 'max', zone: 'Europe/Berlin' } },
    },
    {
        ...{ meter: 'models', aggregation: 'unique_count', unit: 'model', value: 'model' },
        ...{ event_type: 'llm.completion' },
    },
    {
        ...{ meter: 'held', aggregation: 'weighted_sum', unit: 'token', opening: 'zero' },
        value: 'input_tokens',
    },
    {
        ...{ meter: 'mean', aggregation: 'average', unit: 'token', rated: false },
        value: 'output_tokens',
    },
    { meter: 'score', aggregation: 'formula', unit: 'point', formula: 'mean * 2 + held' },
];

const change = '2026-10-16T12:00:00Z';

function project(threads: number): TestProject {
    const config = parse(world.files['tieout.yaml'] ?? '');
    config.meters.push(...meters);
    config.engine.threads = threads;
    // Northwind is debited in USD still, as whoever has no wallet of its own.
    config.wallets = config.wallets.filter(({ asset }: { asset: string }) => asset !== 'USD');
    const card = parse(world.files['rates.yaml'] ?? '');
    for (const { meter, unit } of meters.filter(({ meter }) => meter !== 'mean')) {
        card.charges.push({
            ...{ product: 'extra', description: `Extra ${meter}`, meter, model: 'per_unit', unit },
            rates: [
                { when: {}, price: '0.01', from: '2026-01-01T00:00:00Z', to: change },
                { when: {}, price: '0.02', from: change },
            ],
        });
    }
    const made = testProject(
        {
            ...world.files,
            'tieout.yaml': stringify(config),
            'rates.yaml': stringify(card),
        },
        memoryStore(world.objects),
    );
    projects.push(made);
    return made;
}

const night = oneNight(() => project(1));
afterAll(() => {
    for (const one of projects) one.remove();
});

describe('meters that cannot be added up', () => {
    test('are invoiced at their rates', async () => {
        const lines = await night.engine.rows(
            `select meter from invoice.line_items where line_type = 'usage'
            group by meter order by meter`,
        );
        expect(lines.map(({ meter }) => meter)).toEqual([
            ...['held', 'models', 'peak', 'score', 'tokens'],
        ]);
    });

    test('and everything ties out, to the last digit', async () => {
        const open = await night.engine.rows(
            'select account_id, asset, unexplained from recon.tie_outs where unexplained <> 0',
        );
        expect(open).toEqual([]);
        const rated = await night.engine.rows(
            "select count(*)::varchar as parts from recon.tie_outs where asset = 'USD' and rated > 0",
        );
        expect(rated).not.toEqual([{ parts: '0' }]);
    });

    test.runIf(takesAll)('give the same bytes on eight threads', async () => {
        const other = await project(8).run();
        const text = ({ run }: RunResult) =>
            readFileSync(join(run.output, 'line_items.csv'), 'utf8');
        expect(text(other)).toBe(text(night.result));
    });
});
