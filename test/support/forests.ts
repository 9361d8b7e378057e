import fc, { type Arbitrary } from 'fast-check';
import { stringify } from 'yaml';
import { Engine } from '../../src/duck/engine.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import {
    type Forest,
    standardCard,
    type TreeAccount,
    type TreeContract,
    type TreeEvent,
    type TreeRate,
} from '../oracle/slow-tree.ts';
import { linesOf } from './charges.ts';
import { decimalText, instant, parseDecimal, unitsText } from './exact.ts';
import { memoryStore } from './memory-store.ts';
import { type TestProject, testProject } from './project.ts';
import { lines } from './terminal.ts';

/*
 * Random trees of accounts, many in one night: a night costs seconds, a tree in it nothing. All that a
 * tree decides is drawn: parents that change in mid-period, the three switches, contracts, and charges
 * of every model that counts, in every scope.
 */

/** All forests are of this month, in UTC. */
export const month = {
    period: '2026-10',
    start: '2026-10-01T00:00:00Z',
    end: '2026-11-01T00:00:00Z',
} as const;
/** When every account begins. */
export const began = '2026-01-01T00:00:00Z';

/** Instants at which accounts move and contracts begin or end; the first is before the period. */
const cuts = [
    '2026-09-20T00:00:00Z',
    '2026-10-05T00:00:00Z',
    '2026-10-15T12:00:00Z',
    '2026-10-20T10:30:00.000001Z',
] as const;

const pick = <const T>(...of: readonly T[]): Arbitrary<T> => fc.constantFrom(...of);

/** What each span of an account draws. `up` counts back from the account itself: 0 makes a chain. */
const switches = fc.record({
    up: fc.oneof(fc.constant(0), fc.nat(7)),
    isRoot: fc.nat(11).map((of) => of === 0),
    bill_to: pick('self', 'parent', 'top', 'top'),
    rate_at: pick('self', 'pool', 'pool'),
    detail: pick('breakdown', 'summary'),
});
const account = fc.record({
    spans: fc.array(switches, { minLength: 1, maxLength: 3 }),
    at: fc.subarray([...cuts]),
});
type AccountDraw = typeof account extends Arbitrary<infer T> ? T : never;

/** Spans without a gap; a parent is always an earlier account, so there is no cycle. */
function spansOf({ spans, at }: AccountDraw, no: number, idOf: (no: number) => string) {
    const starts = [began, ...at].slice(0, spans.length);
    return starts.map((from, index): TreeAccount => {
        const { up, isRoot, ...rest } = spans[index] as (typeof spans)[number];
        const parent = no === 0 || isRoot ? null : idOf(no - 1 - (up % no));
        return { account_id: idOf(no), parent, from, to: starts[index + 1] ?? null, ...rest };
    });
}

const edges = [month.start, ...cuts.slice(1), month.end].map(instant);
const at: Arbitrary<string> = fc
    .oneof(
        fc.tuple(pick(...edges), pick(-1n, 0n, 1n)).map(([edge, beside]) => edge + beside),
        fc.bigInt({ min: instant(month.start), max: instant(month.end) - 1n }),
    )
    .map(
        (micros) =>
            `${new Date(Number(micros / 1000n)).toISOString().slice(0, 19)}.${`${micros % 1_000_000n}`.padStart(6, '0')}Z`,
    );

/** A quantity of three decimals, biased to the bounds that tiers are cut at. */
export const quantity: Arbitrary<string> = fc
    .oneof(
        fc.bigInt({ min: 1n, max: 2_000_000n }),
        pick(1n, 1000n, 10_000n, 99_000n, 100_000n, 100_001n, 1_000_000n),
    )
    .map((thousandths) => decimalText(parseDecimal(unitsText(thousandths, 3))));

/** The meters of a forest: one of a bare price, the others of charges. A tree uses three of them. */
const bareMeter = 'm0';
const meters = Array.from({ length: 13 }, (_, no) => `m${no}`);
const meterOf = (treeNo: number, of: number) =>
    of === 0 ? bareMeter : `m${1 + ((treeNo * 2 + of) % (meters.length - 1))}`;

const tree = (dealCard: string) =>
    fc.record({
        accounts: fc.array(account, { minLength: 2, maxLength: 8 }),
        contracts: fc.uniqueArray(
            fc.record({
                account: fc.nat(7),
                at: fc.subarray([...cuts], { minLength: 1, maxLength: 2 }),
                card: pick(dealCard, dealCard, standardCard),
            }),
            { maxLength: 3, selector: (of) => of.account },
        ),
        events: fc.array(
            fc.record({
                ...{ account: fc.nat(7), at, meter: fc.nat(2), kind: pick('x', 'x', 'y') },
                quantity,
            }),
            { minLength: 8, maxLength: 24 },
        ),
    });
type TreeDraw = ReturnType<typeof tree> extends Arbitrary<infer T> ? T : never;

/** Number and draws to a tree with ids of its own. */
function planted(draw: TreeDraw, no: number): Omit<Forest, 'rates'> {
    const many = draw.accounts.length;
    const idOf = (of: number) => `t${no}-a${of % many}`;
    const contracts = new Map(
        draw.contracts.map(({ account: of, at: [from = began, to = null], card }) => [
            idOf(of),
            { contract: `deal-${idOf(of)}`, account_id: idOf(of), card, from, to },
        ]),
    );
    return {
        accounts: draw.accounts.flatMap((of, index) => spansOf(of, index, idOf)),
        contracts: [...contracts.values()] as readonly TreeContract[],
        events: draw.events.map(
            ({ account: of, meter, ...event }): TreeEvent => ({
                ...{ ...event, account_id: idOf(of), meter: meterOf(no, meter) },
            }),
        ),
    };
}

// What is of a period has no part in what is shared; a card has no decimals of its own.
const ofPeriod = ['charge_zero_usage', 'proration', 'tier_scope', 'negative'];
const counting = ['graduated', 'volume', 'package', 'stairstep', 'graduated_percentage', 'dynamic'];

/** A charge of a model that counts a quantity, as a quote says it. */
export const countingCharge: Arbitrary<TreeRate['charge']> = pick(...counting)
    .chain(linesOf)
    .filter((line) => typeof line.quantity === 'string')
    .map(({ charge }) => {
        const { rounding } = charge as { rounding?: { mode: string } };
        const kept = Object.entries(charge).filter(([name]) => !ofPeriod.includes(name));
        return {
            ...Object.fromEntries(kept),
            ...(rounding ? { rounding: { mode: rounding.mode } } : {}),
        };
    });

const ratesOf = (card: string, isBare: boolean): Arbitrary<readonly TreeRate[]> =>
    fc.tuple(
        ...meters.map((meter) =>
            meter === bareMeter || isBare
                ? pick('0.125', '0.0333', '1', '0.005').map((price) => ({
                      ...{ card, meter, price, charge: {}, scope: 'line' as const },
                  }))
                : fc.record({
                      ...{ card: pick(card), meter: pick(meter), price: pick(null) },
                      charge: countingCharge,
                      scope: pick('pool', 'pool', 'pool', 'account', 'line'),
                  }),
        ),
    );

/** Forests of so many trees. A night each: they are not made smaller, but what differs names its tree. @param isBare whether nothing counts: every price is of one unit. */
export function forests(trees: number, isBare = false): Arbitrary<Forest> {
    return fc
        .record({
            trees: fc.array(tree('deal'), { minLength: trees, maxLength: trees }),
            rates: fc.tuple(ratesOf(standardCard, isBare), ratesOf('deal', isBare)),
        })
        .map(({ trees: drawn, rates }) => {
            const all = drawn.map(planted);
            return {
                accounts: all.flatMap(({ accounts }) => accounts),
                contracts: all.flatMap(({ contracts }) => contracts),
                events: all.flatMap(({ events }) => events),
                rates: rates.flat(),
            };
        });
}

function cardText(card: string, rates: readonly TreeRate[]): string {
    const charges = rates
        .filter((of) => of.card === card)
        .map(({ meter, price, charge, scope }) => ({
            ...{ product: meter, meter, unit: 'unit' },
            ...(price === null ? { ...charge, tier_scope: scope } : { model: 'per_unit' }),
            rates: [
                {
                    ...{ when: {}, from: began },
                    ...(price === null ? { list_price: '0' } : { price }),
                },
            ],
        }));
    return stringify({ card, version: '1', currency: 'USD', charges });
}

/** The project of a forest, its objects in memory. Whoever makes it removes it. */
export function forestProject(forest: Forest, more: Readonly<Record<string, string>> = {}) {
    const contracts = forest.contracts.map(({ contract, account_id, card, from, to }) => ({
        ...{ contract, account: account_id, from, ...(to === null ? {} : { to }) },
        cards: [{ card: `${card}.yaml` }],
    }));
    const cards = [...new Set(forest.rates.map(({ card }) => card))];
    const files = {
        ...Object.fromEntries(cards.map((card) => [`${card}.yaml`, cardText(card, forest.rates)])),
        'accounts.json': JSON.stringify(
            forest.accounts.map(({ from, to, ...of }) => ({
                ...{ ...of, currency: 'USD', valid_from: from, valid_to: to },
            })),
        ),
        ...(contracts.length ? { 'contracts.yaml': stringify({ contracts }) } : {}),
        'tieout.yaml': stringify({
            name: 'forest',
            store: { folder: 'bucket' },
            rate_card: `${standardCard}.yaml`,
            ...(contracts.length ? { contracts: 'contracts.yaml' } : {}),
            ...('openings.csv' in more ? { openings: 'openings.csv' } : {}),
            accounts: 'accounts.json',
            assets: { USD: { kind: 'currency', precision: 2 } },
            usage: [
                {
                    ...{ name: 'usage', prefix: 'usage/', attributes: { kind: 'data.kind' } },
                    quantities: { units: { path: 'data.units', type: 'decimal' } },
                },
            ],
            meters: [...new Set(forest.rates.map(({ meter }) => meter))].map((meter) => ({
                ...{ meter, event_type: meter, aggregation: 'sum', unit: 'unit' },
                ...{ quantity: 'units', attributes: ['kind'] },
            })),
            engine: { memory: '2GB', threads: 1 },
        }),
        ...more,
    };
    const events = forest.events.map(
        ({ account_id, at: time, meter, kind, quantity: units }, no) => ({
            ...{ specversion: '1.0', id: `e${no}`, source: '/forest', type: meter },
            ...{ subject: account_id, time, data: { kind, units } },
        }),
    );
    return testProject(files, memoryStore({ 'usage/all.ndjson': Buffer.from(lines(events)) }));
}

/** Figures in their shortest form, but the last: minor units as they are, nothing for null. */
function factOf(values: readonly unknown[]): string {
    const short = values.slice(0, -1).map((value) => {
        const text = String(value);
        return /^-?\d+\.\d+$/.test(text) ? decimalText(parseDecimal(text)) : text;
    });
    return [...short, values.at(-1) ?? ''].join(' | ');
}

/** What a night made of a forest, in the words of the oracle. */
export interface ForestNight {
    readonly charges: readonly string[];
    readonly lines: readonly string[];
    /** Of each priced line: exact sum, rounded sum, and whether a share is a minor unit off. */
    readonly shares: readonly Readonly<Record<string, unknown>>[];
    readonly result: RunResult;
}

/**
 * That a night says of a forest what the oracle does.
 * @throws Error with the first tree that differs, all that it is made of, and both answers.
 */
export function sameFacts(
    forest: Forest,
    said: readonly string[],
    expected: readonly string[],
): void {
    const [inNight, inOracle] = [new Set(said), new Set(expected)];
    const differing = [...said, ...expected].filter(
        (fact) => inNight.has(fact) !== inOracle.has(fact),
    );
    const tree = /\bt\d+-/.exec(differing[0] ?? '')?.[0] ?? '';
    const of = <T>(facts: readonly T[]) =>
        facts.filter((fact) => JSON.stringify(fact).includes(tree));
    const shown = (facts: readonly unknown[]) =>
        facts.map((fact) => JSON.stringify(fact)).join('\n');
    if (differing.length === 0 && said.length === expected.length) return;
    const { accounts, contracts, events } = forest;
    const used = new Set(of(events).map(({ meter }) => meter));
    throw new Error(
        [
            ...[`tree ${tree}`, shown(of(accounts)), shown(of(contracts)), shown(of(events))],
            shown(forest.rates.filter(({ meter }) => used.has(meter))),
            ...['the night', shown(of(said).filter((fact) => !inOracle.has(fact)))],
            ...['the oracle', shown(of(expected).filter((fact) => !inNight.has(fact)))],
        ].join('\n'),
    );
}

/** Runs the whole pipeline over a forest. @throws RunError as the run does. */
export async function nightOfForest(forest: Forest): Promise<ForestNight> {
    const project = forestProject(forest);
    try {
        return await readForest(project);
    } finally {
        project.remove();
    }
}

/** Runs a month of a project and reads its charges and lines. */
export async function readForest(
    project: TestProject,
    period: string = month.period,
): Promise<ForestNight> {
    const result = await project.run({ period });
    const engine = await Engine.open({
        ...{ file: result.run.database, memory: '1GB', threads: 1, spill: result.run.scratch },
        readOnly: true,
    });
    const facts = async (sql: string): Promise<readonly string[]> => {
        const rows = await engine.rows(sql);
        return rows.map((row) => factOf(Object.values(row))).sort();
    };
    try {
        return {
            charges: await facts(`
                select payer_id, account_id, pool_id, charges.meter, attributes ->> 'kind', card,
                    quantity, amount, cast(rounded as decimal(38, 2)) as rounded
                from rolled.charges as charges
                inner join rules.rates as rates on charges.rate_id = rates.rate_id`),
            lines: await facts(`
                select payer_id, account_id, meter, attributes ->> 'kind', card, quantity,
                    amount_exact, cast(amount as decimal(38, 2)) as amount
                from invoice.line_items`),
            shares: await engine.rows(`
                select line_id, sum(amount) as amount, sum(rounded) as rounded,
                    max(abs(amount - rounded)) as widest
                from rolled.charges where line_id is not null
                group by line_id order by line_id`),
            result,
        };
    } finally {
        engine.close();
    }
}
