import { beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { memoryStore } from '../support/memory-store.ts';
import { testProject } from '../support/project.ts';
import { lines } from '../support/terminal.ts';

/*
 * Usage as debits, and debits as usage: what one side lacks the other has too much. One unit of usage costs
 * one dollar and counts one credit, so that a row of either side can be one of the other.
 */

/** An event, or a debit of one. */
interface Row {
    readonly event_id: string;
    readonly account_id: string;
    readonly amount: string;
    readonly at: string;
}

const accounts = ['money', 'credits', 'daily'].flatMap((root) => [
    { account_id: root, parent: null },
    ...['a', 'b'].map((name) => ({ account_id: `${root}-${name}`, parent: root })),
]);
const users = accounts.filter(({ parent }) => parent !== null).map((of) => of.account_id);

/** Forty events of each account on as many instants, with odd amounts. */
const clean: readonly Row[] = users.flatMap((account_id, user) =>
    Array.from({ length: 40 }, (_, at) => ({
        event_id: `${account_id}-${at}`,
        account_id,
        amount: `${1 + ((at * 37 + user * 11) % 90)}.${String((at * 7919) % 1000).padStart(3, '0')}`,
        at: `2026-10-${String(1 + Math.floor(at / 2)).padStart(2, '0')}T1${at % 2}:00:00Z`,
    })),
);

type Sides = { readonly usage: readonly Row[]; readonly debits: readonly Row[] };
const without = (rows: readonly Row[], id: string) => rows.filter((row) => row.event_id !== id);
const changed = (rows: readonly Row[], id: string, change: (row: Row) => Partial<Row>) =>
    rows.map((row) => (row.event_id === id ? { ...row, ...change(row) } : row));
const times = (factor: number) => (row: Row) => {
    const [whole = '', places = ''] = row.amount.split('.');
    const thousandths = BigInt(whole + places) * BigInt(factor);
    return { amount: `${thousandths / 1000n}.${String(thousandths % 1000n).padStart(3, '0')}` };
};

/** What is done to one side or the other, by event; each leaves every other event alone. */
const wrongs: readonly ((of: Sides) => Sides)[] = ['money-a', 'credits-a'].flatMap((id) => [
    ({ usage, debits }) => ({ usage, debits: without(debits, `${id}-1`) }),
    ({ usage, debits }) => ({ usage: without(usage, `${id}-3`), debits }),
    ({ usage, debits }) => ({ usage, debits: changed(debits, `${id}-5`, times(3)) }),
    ({ usage, debits }) => ({ usage: changed(usage, `${id}-7`, times(7)), debits }),
    ({ usage, debits }) => ({ usage, debits: changed(debits, `${id}-9`, times(1000)) }),
    ({ usage, debits }) => ({ usage: changed(usage, `${id}-11`, times(60)), debits }),
    ({ usage, debits }) => ({
        usage,
        debits: changed(debits, `${id}-13`, () => ({ account_id: id.replace('-a', '-b') })),
    }),
    ({ usage, debits }) => ({
        usage,
        debits: changed(debits, `${id}-15`, () => ({ account_id: id.replace('-a', '') })),
    }),
    ({ usage, debits }) => ({
        usage: changed(usage, `${id}-17`, () => ({ at: '2026-11-01T00:30:00Z' })),
        debits,
    }),
    ({ usage, debits }) => ({
        usage,
        debits: changed(debits, `${id}-19`, () => ({ at: '2026-11-01T00:30:00Z' })),
    }),
]);
const days: readonly ((of: Sides) => Sides)[] = [
    ({ usage, debits }) => ({ usage, debits: debits.filter(({ at }) => !isOf('01')(at)) }),
    ({ usage, debits }) => ({ usage: usage.filter(({ at }) => !isOf('02')(at)), debits }),
    ({ usage, debits }) => ({ usage, debits: changed(debits, 'daily-a-4', times(5)) }),
    ({ usage, debits }) => ({ usage: changed(usage, 'daily-b-6', times(2)), debits }),
];
const isOf = (day: string) => (at: string) => at.startsWith(`2026-10-${day}`);
const ofDays = (sides: Sides, wrong: (of: Sides) => Sides): Sides => {
    const isDaily = ({ account_id }: Row) => account_id.startsWith('daily');
    const spoilt = wrong({
        usage: sides.usage.filter(isDaily),
        debits: sides.debits.filter(isDaily),
    });
    return {
        usage: [...sides.usage.filter((row) => !isDaily(row)), ...spoilt.usage],
        debits: [...sides.debits.filter((row) => !isDaily(row)), ...spoilt.debits],
    };
};

const usageOf = ({ event_id, account_id, amount, at }: Row) => ({
    ...{ specversion: '1.0', id: event_id, source: '/g', type: 'use', subject: account_id },
    ...{ time: at, data: { units: amount } },
});
const assetOf = (account_id: string) => (account_id.startsWith('money') ? 'USD' : 'CRD');
const debitOf = ({ event_id, account_id, amount, at }: Row) => ({
    ...{ entry_id: `d-${event_id}`, entry_type: 'capture', account_id, amount, booked_at: at },
    ...{ asset: assetOf(account_id), occurred_at: at },
    ...(account_id.startsWith('daily')
        ? { aggregated: 'day', meter: 'units' }
        : { event_id, wallet_id: undefined }),
});

const files = {
    'tieout.yaml': `name: mirror
store: { folder: data }
rate_card: card.yaml
accounts: accounts.json
assets:
  USD: { kind: currency, precision: 6 }
  CRD: { kind: unit, precision: 3 }
usage:
  - name: gateway
    preset: cloudevents
    prefix: usage/
    quantities: { units: { path: data.units, type: decimal } }
debits: [{ name: wallet, preset: neutral, prefix: debits/ }]
meters: [{ meter: units, event_type: use, aggregation: sum, value: units, unit: unit }]
counts: { units: units }
asset_counts: { CRD: units }
wallets:
  - { accounts: money, asset: USD, shape: instant, funding: postpaid }
  - { accounts: credits, asset: CRD, shape: instant, funding: postpaid }
  - { accounts: daily, asset: CRD, shape: aggregated, funding: postpaid }
engine: { memory: 1GB, threads: 1 }
`,
    'card.yaml': `card: list
version: "1"
currency: USD
charges:
  - product: units
    description: Units
    meter: units
    model: per_unit
    unit: unit
    price_per: "1"
    rates: [{ when: {}, price: "1", from: 2025-01-01T00:00:00Z }]
`,
    'accounts.json': JSON.stringify(
        accounts.map((of) => ({ ...of, currency: 'USD', valid_from: '2025-01-01T00:00:00Z' })),
    ),
};

interface Found {
    readonly breaks: readonly string[];
    readonly legs: readonly string[];
    readonly tieOuts: readonly string[];
}

/** What a night found, every amount times a sign, usage and debits in the places that are given. */
async function nightOf({ usage, debits }: Sides, sign: '' | '-'): Promise<Found> {
    const store = memoryStore({
        'usage/0.ndjson': lines(usage.map(usageOf)),
        'debits/0.ndjson': lines(debits.map(debitOf)),
    });
    const project = testProject(files, store);
    try {
        const { run } = await project.run();
        const engine = await Engine.open({
            ...{
                file: run.database,
                memory: '1GB',
                threads: 1,
                spill: run.scratch,
                readOnly: true,
            },
        });
        const rows = async (sql: string) =>
            (await engine.rows(sql)).map((row) => Object.values(row).join(' | ')).sort();
        const mirrored =
            sign === ''
                ? 'code'
                : `case code
            when 'METERED_NOT_DEBITED' then 'DEBITED_NOT_METERED'
            when 'DEBITED_NOT_METERED' then 'METERED_NOT_DEBITED' else code end`;
        const sides = sign === '' ? 'rated, debited' : 'debited, rated';
        const found = {
            // A break of two accounts is told on that of the usage: its legs say where both are.
            breaks: await rows(`select ${mirrored}, break_key,
                case when code like '%_MISMATCH' and code <> 'UNIT_MISMATCH' then 0
                    else ${sign}amount end from recon.breaks`),
            legs: await rows(
                `select ${mirrored}, account_id, asset, ${sign}amount from recon.break_legs`,
            ),
            tieOuts: await rows(`select account_id, asset, ${sides}, ${sign}difference,
                ${sign}broken, unexplained from recon.tie_outs
                where rated <> 0 or debited <> 0`),
        };
        engine.close();
        return found;
    } finally {
        project.remove();
    }
}

describe('usage and debits change places', { timeout: 120_000 }, () => {
    let asIs: Found;
    let mirrored: Found;

    beforeAll(async () => {
        const events = wrongs.reduce((sides, wrong) => wrong(sides), {
            usage: clean,
            debits: clean,
        });
        const sides = days.reduce(ofDays, events);
        asIs = await nightOf(sides, '');
        mirrored = await nightOf({ usage: sides.debits, debits: sides.usage }, '-');
    }, 120_000);

    test('every kind of wrong is among them, and each event is told once', () => {
        const codes = Map.groupBy(asIs.breaks, (row) => row.split(' | ')[0] ?? '');
        const counts = [...codes].map(([code, rows]) => [code, rows.length]);
        expect(Object.fromEntries(counts)).toEqual({
            ACCOUNT_MISMATCH: 2,
            AMOUNT_PRICE: 2,
            AMOUNT_QUANTITY: 4,
            DEBITED_NOT_METERED: 4,
            HIERARCHY_MISMATCH: 2,
            METERED_NOT_DEBITED: 4,
            TIMING_CUTOFF: 4,
            UNIT_MISMATCH: 4,
        });
    });

    test('what was metered and not debited is debited and not metered; other codes stay', () =>
        expect(mirrored.breaks).toEqual(asIs.breaks));

    test('every amount turns its sign, on the same account and asset', () =>
        expect(mirrored.legs).toEqual(asIs.legs));

    test('the tie-out closes both ways, with its sides exchanged', () => {
        expect(mirrored.tieOuts).toEqual(asIs.tieOuts);
        expect(asIs.tieOuts.filter((row) => !/ \| 0(\.0+)?$/.test(row))).toEqual([]);
    });
});
