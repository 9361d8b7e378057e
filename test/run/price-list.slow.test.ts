import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseExactJson } from '../../src/rules/exact-json.ts';
import { importGenaiPrices } from '../../src/rules/import-genai-prices.ts';
import { readTables } from '../../src/run/tables.ts';
import { memoryStore } from '../support/memory-store.ts';
import { type TestProject, testProject } from '../support/project.ts';

/**
 * 49,334 real requests, priced with a real price list: it is imported, its snippet put into a
 * config, and the pipeline run. The totals are those of shared/real/README.md, which other people
 * computed with other means.
 */
const real = join(import.meta.dirname, '..', '..', '..', 'shared', 'real');
const trace = join(real, 'claude-code', 'requests.csv.gz');
const list = join(real, 'prices', 'genai-prices.json');
const skipped = [trace, list].every((path) => existsSync(path))
    ? ''
    : ` (skipped: ${trace} or ${list} is absent)`;
const made: TestProject[] = [];
afterAll(() => {
    for (const project of made) project.remove();
});

/** The trace has neither ids nor dates: each request gets its line, and a time in February 2026. */
function withIdAndTime(csv: string): string {
    const [header = '', ...lines] = csv.trimEnd().split(/\r?\n/);
    const start = Date.UTC(2026, 1, 1);
    const rows = lines.map((line, at) => {
        const time = new Date(start + at * 40_000).toISOString();
        return `${line},request-${at + 1},${time}`;
    });
    return `${[`${header},id,time`, ...rows].join('\n')}\n`;
}

function configText(
    snippet: { readonly derived: unknown; readonly meters: readonly object[] },
    token_classes: Readonly<Record<string, string>>,
): string {
    return stringify({
        name: 'trace',
        store: { folder: 'data' },
        rate_card: 'genai-prices-anthropic.yaml',
        accounts: 'accounts.json',
        assets: { USD: { kind: 'currency', precision: 6 } },
        usage: [
            {
                name: 'trace',
                preset: 'none',
                prefix: 'usage/',
                format: 'csv',
                columns: { event_id: 'id', event_at: 'time' },
                constants: { source: 'trace', event_type: 'request', account_id: 'lab' },
                attributes: { reported_model: 'model' },
                quantities: {
                    input_tokens: 'input_tokens',
                    cache_read_tokens: 'derived_cached_prefix_tokens',
                    output_tokens: 'output_tokens',
                },
            },
        ],
        ...snippet,
        meters: snippet.meters.map((meter) => ({ ...meter, token_classes })),
        wallets: [],
        engine: { memory: '1GB' },
    });
}

/** Runs the month; what it rated, and how many rows it could not. */
async function rated(
    token_classes: Readonly<Record<string, string>>,
): Promise<{ readonly amount: unknown; readonly events: unknown; readonly unrated: unknown }> {
    const card = importGenaiPrices(parseExactJson(readFileSync(list, 'utf8')), {
        version: '1',
        provider: 'anthropic',
    });
    const csv = withIdAndTime(gunzipSync(readFileSync(trace)).toString('utf8'));
    const project = testProject(
        {
            'tieout.yaml': configText(parse(card.derivedYaml), token_classes),
            'genai-prices-anthropic.yaml': card.cardYaml,
            'genai-prices-anthropic.csv': card.matrixCsv,
            'accounts.json': JSON.stringify([
                { account_id: 'lab', currency: 'USD', valid_from: '2020-01-01T00:00:00Z' },
            ]),
        },
        memoryStore({ 'usage/requests.csv.gz': gzipSync(csv) }),
    );
    made.push(project);
    const { run } = await project.run({ period: '2026-02', as_of: '2026-03-05T00:00:00Z' });
    const engine = await readTables(run, {
        memory: '1GB',
        threads: 2,
        spill: join(project.folder, 'spill'),
    });
    try {
        const [row] = await engine.rows(`select
            (select sum(amount) from rated.usage) as amount,
            (select count(*) from mediated.usage_events) as events,
            (select count(*) from suspense.unrated_usage) as unrated`);
        return { amount: row?.amount, events: row?.events, unrated: row?.unrated };
    } finally {
        engine.close();
    }
}

describe.skipIf(skipped)(`a real trace at real list prices${skipped}`, () => {
    test.each([
        [
            'every input token at the full price',
            { input: 'input_tokens', output: 'output_tokens' },
            '29972.134739',
        ],
        [
            'cached tokens at their own price',
            {
                input: 'input_tokens - cache_read_tokens',
                cache_read: 'cache_read_tokens',
                output: 'output_tokens',
            },
            '4410.3533438',
        ],
    ])('%s', async (_what, token_classes, total) => {
        const { amount, events, unrated } = await rated(token_classes);
        expect([events, unrated]).toEqual([49_334n, 0n]);
        expect(String(amount).replace(/0+$/, '')).toBe(total);
    });
});
