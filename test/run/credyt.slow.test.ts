import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { latestRun } from '../../src/run/books.ts';
import { folderState } from '../../src/state/state.ts';
import { acme } from '../support/acme.ts';
import { takesAll } from '../support/how-many.ts';
import { lines, type TinyProject, tieout, tinyProjects } from '../support/terminal.ts';

/*
 * Events of Credyt are usage and debit log in one: the same objects are read twice. A token costs a
 * cent; what was taken for an event is in its fees.
 */
const event = (id: string, tokens: number, fees: readonly number[]) => ({
    ...{ id, customer_id: 'acme', event_type: 'chat', occurred_at: '2026-10-09T12:00:00Z' },
    data: { tokens },
    fees: fees.map((amount) => ({ amount, asset: 'USD', product_version: 1 })),
});

const objects = {
    'data/credyt/dt=2026-10-09/0.ndjson': lines([
        event('whole', 100, [1]),
        event('in-parts', 300, [1, 2]),
        event('not-subscribed', 50, []),
        event('too-much', 200, [1, 1.5]),
    ]),
    // The export of the next day has one again, one whose second fee changed, and one more.
    'data/credyt/dt=2026-10-10/0.ndjson': lines([
        event('in-parts', 300, [1, 2]),
        event('too-much', 200, [1, 1]),
        event('late', 1, [0.01]),
    ]),
};
const [first] = Object.keys(objects) as [keyof typeof objects];

const files = {
    'tieout.yaml': `
name: credyt
store: { folder: data }
rate_card: card.yaml
accounts: accounts.yaml
assets: { USD: { kind: currency, precision: 2 } }
usage:
  - { name: events, preset: credyt, prefix: credyt/, quantities: { tokens: data.tokens } }
debits:
  - { name: fees, preset: credyt, prefix: credyt/ }
meters:
  - { meter: tokens, aggregation: sum, quantity: tokens, unit: token }
wallets:
  - { accounts: acme, asset: USD, shape: instant }
hold: { absolute: "100" }
engine: { memory: 1GB }
`,
    ...acme,
};

const makes = tinyProjects();

/** A night over a project, and what it found. */
async function night({ folder }: TinyProject) {
    const { exit, err } = await tieout('run --period 2026-10', { cwd: folder });
    expect([exit, err]).toEqual([0, '']);
    const { output } = await latestRun(folderState(join(folder, '.tieout')), '2026-10');
    const rows = (name: string): readonly Readonly<Record<string, string>>[] =>
        parse(readFileSync(join(output, name), 'utf8'), { columns: true, bom: true });
    const cells = (name: string, columns: readonly string[]) =>
        rows(name).map((row) => columns.map((column) => row[column]).join(' '));
    return {
        breaks: cells('breaks.csv', ['code', 'event_id', 'amount']).sort(),
        repeats: cells('repeats.csv', ['kind', 'record_id', 'line', 'first_line']),
        suspense: cells('suspense.csv', ['code', 'field', 'key', 'line']),
        lines: rows('line_items.csv'),
    };
}

test('fees of one event are parts of one debit; an event without is told, and not debited', async () => {
    const {
        breaks,
        repeats,
        suspense,
        lines: billed,
    } = await night(makes({ ...files, [first]: objects[first] }));
    expect(breaks).toEqual([
        'METERED_NOT_DEBITED not-subscribed 0.5',
        'SPLIT_INCOMPLETE too-much -0.5',
    ]);
    expect(repeats).toEqual([]);
    expect(suspense).toEqual(['NO_ENTRIES fees credyt/dt=2026-10-09/0.ndjson 3']);
    // 650 tokens; the wallet paid what they are worth: 1 + 3 + 2.
    expect(billed.map(({ amount }) => amount)).toEqual(['6.50', '-6.00']);
});

// Any night that goes on: test/oracle/nights.slow.test.ts.
test.runIf(takesAll)(
    'a night that goes on finds what one night over everything finds',
    async () => {
        const whole = await night(makes({ ...files, ...objects }));
        expect(whole.repeats).toEqual([
            ...['duplicate in-parts 1 2', 'duplicate too-much 2 4'],
            ...['duplicate in-parts:1 1 2', 'duplicate in-parts:2 1 2'],
            ...['duplicate too-much:1 2 4', 'conflict too-much:2 2 4'],
        ]);
        const project = makes({ ...files, [first]: objects[first] });
        await night(project);
        for (const [name, text] of Object.entries(objects)) project.write(name, text);
        expect(await night(project)).toEqual(whole);
    },
);

test('explain shows the line of an object that two inputs read', async () => {
    const project = makes({ ...files, [first]: objects[first] });
    const [usage] = (await night(project)).lines;
    const line = `explain ${usage?.line_key} --raw --events 9 --json`;
    const { exit, out } = await tieout(line, { cwd: project.folder });
    expect(exit).toBe(0);
    const { events } = JSON.parse(out);
    expect(events.map(({ raw }: { raw: string }) => JSON.parse(raw).id)).toEqual([
        ...['in-parts', 'not-subscribed', 'too-much', 'whole'],
    ]);
});
