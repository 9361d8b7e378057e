import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { debitFields, usageFields } from '../../src/compile/presets.ts';
import { acme } from '../support/acme.ts';
import { memoryStore } from '../support/memory-store.ts';
import { oneNight } from '../support/night.ts';
import { testProject } from '../support/project.ts';

/*
 * What others write, in their own shape (fixtures/formats/PRESET/lines.ndjson), as a night reads it.
 * events.csv and entries.csv say what counts of it, suspense.csv what does not. One night reads all.
 */
const folder = join(import.meta.dirname, '../../fixtures/formats');
const presets = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
const read = (preset: string, file: string) => readFileSync(join(folder, preset, file), 'utf8');
const having = (file: string) => presets.filter((preset) => existsSync(join(folder, preset, file)));
const ofUsage = having('events.csv');
const ofDebits = having('entries.csv');

/** The inputs of tieout.yaml: each as its fixture says, of its own prefix. */
const inputs = (names: readonly string[], ending: string) =>
    names.map((name) => {
        const lines = read(name, 'input.yaml').trimEnd().split('\n');
        const keys = ending === '' ? lines : lines.filter((line) => !/^(attr|quant)/.test(line));
        return [`- name: ${name}${ending}`, `prefix: ${name}/`, ...keys].join('\n    ');
    });

const night = oneNight(() =>
    testProject(
        {
            'tieout.yaml': `
name: presets
store: { folder: data }
rate_card: card.yaml
accounts: accounts.yaml
assets:
  USD: { kind: currency, precision: 12 }
  JPY: { kind: currency, precision: 0 }
  TOK: { kind: unit, precision: 3, counts: used }
counts: { used: tokens }
usage:
  ${inputs(ofUsage, '').join('\n  ')}
debits:
  ${inputs(ofDebits, '_log').join('\n  ')}
meters:
  - { meter: tokens, aggregation: sum, quantity: tokens, unit: token }
wallets:
  - { accounts: acme, asset: USD, shape: instant }
limits: { suspense_percent: "100" }
engine: { memory: 1GB }
`,
            'accounts.yaml': `
- { account_id: acme, name: Acme, currency: USD, valid_from: 2026-01-01T00:00:00Z }
- { account_id: sub-acme-1, name: One, parent: acme, currency: USD, valid_from: 2026-01-01T00:00:00Z }
`,
            'card.yaml': acme['card.yaml'],
        },
        memoryStore(
            Object.fromEntries(
                presets.map((of) => [`${of}/lines.ndjson`, read(of, 'lines.ndjson')]),
            ),
        ),
    ),
);

/** Rows of the night as CSV, without the columns that are empty in all of them. */
async function csv(sql: string, names: readonly string[]): Promise<string> {
    const rows = await night.engine.rows(sql);
    const texts = rows.map((row) => names.map((name) => String(row[name] ?? '')));
    const filled = names.flatMap((_, at) => (texts.some((row) => row[at] !== '') ? [at] : []));
    return [names, ...texts].map((row) => `${filled.map((at) => row[at]).join(',')}\n`).join('');
}

const text = (names: readonly string[]) =>
    names.map((name) => `stored.${name}::varchar as ${name}`);
const plain = (name: string) => `plain(stored.${name}) as ${name}`;
const decimals = ['amount', 'balance_before', 'balance_after'];

describe.each(ofUsage)('%s', (preset) => {
    test('events', async () => {
        const own = ['model', 'tokens', 'seconds'];
        const events = await csv(
            `select stored.line_no::varchar as line, ${text([...usageFields, 'model', 'tokens'])},
                ${plain('seconds')}
            from mediated.usage_events as stored
            inner join raw.objects as objects using (object_no)
            where objects.input = '${preset}'
            order by stored.line_no`,
            ['line', ...usageFields, ...own],
        );
        expect(events).toBe(read(preset, 'events.csv'));
    });
});

describe.each(ofDebits)('%s', (preset) => {
    test('entries', async () => {
        const texts = debitFields.filter((field) => !decimals.includes(field));
        const entries = await csv(
            `select stored.line_no::varchar as line, ${text(texts)}, ${decimals.map(plain)}
            from mediated.debit_entries as stored
            where stored.input = '${preset}_log'
            order by stored.line_no, stored.entry_id`,
            ['line', ...debitFields],
        );
        expect(entries).toBe(read(preset, 'entries.csv'));
    });
});

test.each(presets)('%s: what cannot be used', async (preset) => {
    const suspended = await csv(
        `select objects.role, stored.line_no::varchar as line, stored.entry_no::varchar as entry,
            stored.code, stored.field
        from (
            select * from suspense.usage_rows
            union all by name
            select * from suspense.debit_rows
        ) as stored
        inner join raw.objects as objects using (object_no)
        where objects.key = '${preset}/lines.ndjson'
        order by objects.object_no, stored.line_no, stored.entry_no`,
        ['role', 'line', 'entry', 'code', 'field'],
    );
    expect(suspended).toBe(read(preset, 'suspense.csv'));
});

test('a hold of TigerBeetle that was posted in part has nothing left', async () => {
    const holds = await night.engine.rows(`select event_key, plain(authorized) as authorized,
            plain(captured) as captured, plain(open_hold) as open_hold
        from recon.positions
        where captured > 0 and captured < authorized`);
    expect(holds).toEqual([{ event_key: '8', authorized: '0.9', captured: '0.6', open_hold: '0' }]);
});
