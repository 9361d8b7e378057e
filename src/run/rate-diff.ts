import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import type { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import type { ratedUsage } from '../../pipelines/40-rate/tables.ts';
import type { Engine, Row } from '../duck/engine.ts';
import { quoteText } from '../duck/sql.ts';
import type { RowOf } from '../duck/table.ts';
import { sum } from '../report/figures.ts';
import {
    type DiffRow,
    type DiffUsage,
    moved,
    type RateDiff,
    type RatedOrNot,
    type Undecided,
} from '../report/rate-diff.ts';
import { type CompiledCard, sqlTimestamp } from '../rules/card.ts';
import { isByEvent, readTerms } from '../schema/terms.ts';
import { formatInstant, parseInstant } from '../time/instant.ts';
import { anyBook, inBooks, readBooks, requireNoTerms, termedMeters } from './diff-books.ts';
import { cardIn, readCurrencies, readCurrencyRates, type Within } from './diff-currencies.ts';
import { type PricedProduct, priceRated } from './price-rated.ts';
import { reRate } from './re-rate.ts';
import { readSlots, type Slot, slotAt, slotKeys } from './slots.ts';

/** What a diff is made with, and from. */
export interface DiffOptions {
    readonly memory: string;
    readonly threads: number;
    /** Meters that add up events; a rate may price each of those. */
    readonly isSummed: (meter: string) => boolean;
    /** SQL of compiled.priced_events of some meters. */
    readonly eventsSql: (meters: readonly string[]) => string;
}

/**
 * What moves between two cards over the metered usage of a run. Metered rows hold the usage of a day
 * and of a span in which no rate of the run's own card changed. Where one of the cards changes a
 * price inside of such a row, the row is not compared: how much of it came before is not known. Usage
 * under contracts that name other cards is left out. For payers in another currency both cards are
 * converted as the run converted its own.
 */
export async function diffRates(
    engine: Engine,
    cards: { readonly old: CompiledCard; readonly new: CompiledCard },
    options: DiffOptions,
): Promise<Omit<RateDiff, 'run_id' | 'period' | 'old' | 'new'>> {
    for (const card of [cards.old, cards.new]) requireNoTerms(card);
    const boundaries = [...new Set([...cards.old.boundaries, ...cards.new.boundaries])].sort();
    const slots = await readSlots(engine, boundaries);
    const books = await readBooks(engine, cards.old);
    const termed = [...termedMeters(cards.old), ...termedMeters(cards.new)];
    const groups = await readGroups(engine, slots, books, [...new Set(termed)].sort());
    const rates = await readCurrencyRates(engine);
    const all: Compared[] = [];
    const priced: Priced[] = [];
    for (const currency of await readCurrencies(engine, books)) {
        const own = groups.filter((group) => group.currency === currency);
        const [old, now] = [cards.old, cards.new].map((card) => cardIn(card, currency, rates));
        if (!old || !now) continue;
        const usage = own.flatMap(probes);
        const { memory, threads } = options;
        const oldOf = await outcomesBy({ card: old, usage, memory, threads });
        const nowOf = await outcomesBy({ card: now, usage, memory, threads });
        const made = own.map((group) => ({ group, old: oldOf(group), now: nowOf(group) }));
        all.push(...made);
        const by = async (card: CompiledCard, side: 'old' | 'now') => {
            const outcomes = made.filter(isDecided).map((of) => ({ ...of, outcome: of[side] }));
            const found = await pricedBy(
                engine,
                card,
                outcomes,
                { slots, books, currency },
                options,
            );
            priced.push(...found.map((of) => ({ ...of, isOld: side === 'old' })));
        };
        await by(old, 'old');
        await by(now, 'now');
    }
    return compared(all, all.filter(isDecided), priced);
}

const isDecided = ({ old, now }: Compared) => old.kind !== 'undecided' && now.kind !== 'undecided';

/** What payers of a currency pay by the terms of a card, for the groups whose rates have some. */
async function pricedBy(
    engine: Engine,
    card: CompiledCard,
    outcomes: readonly { readonly group: Group; readonly outcome: Outcome }[],
    { slots, books, currency }: Within,
    { memory, threads, isSummed, eventsSql }: DiffOptions,
): Promise<readonly PricedProduct[]> {
    if (termedMeters(card).length === 0) return [];
    const usage = outcomes.flatMap(({ group, outcome }) =>
        outcome.kind === 'rated' && outcome.isByTerms ? [ratedRow(group, outcome)] : [],
    );
    const metered = outcomes.flatMap(({ group }) =>
        group.account_id === '' ? [] : [meteredRow(group)],
    );
    const paths = (await engine.table(accountPaths, 'account_id, valid_from')).filter(
        (path) => books.includes(path.book_id) && path.currency === currency,
    );
    const byEvent = card.rates.flatMap(({ terms, meter }) =>
        terms !== null && isSummed(meter) && isByEvent(readTerms(terms)) ? [meter] : [],
    );
    const folder = mkdtempSync(join(tmpdir(), 'tieout-events-'));
    try {
        const meters = [...new Set(byEvent)].sort();
        const events = meters.length
            ? await writeEvents(
                  engine,
                  `select * from (${eventsSql(meters)}) where ${inBooks(books)} and currency = ${quoteText(currency)}`,
                  slots,
                  join(folder, 'events.parquet'),
              )
            : null;
        const rows = { usage, metered, paths, events };
        return await priceRated({ card, ...rows, isSummed, memory, threads });
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** The events of the run with the slot that each is metered in. */
async function writeEvents(
    engine: Engine,
    sql: string,
    slots: readonly Slot[],
    file: string,
): Promise<string> {
    const keys = slotKeys(slots);
    const values = slots.map(({ segment_at, event_on, instants }) => {
        const at = slotAt(keys.indexOf(JSON.stringify(instants)));
        return `(timestamp ${quoteText(segment_at)}, date ${quoteText(event_on)}, timestamp ${quoteText(at)})`;
    });
    await engine.run(
        `copy (
            select events.* replace (slots.slot_at as segment_at, ${quoteText(anyBook)} as book_id)
            from (${sql}) as events
            inner join (values ${values.join(', ')}) as slots(segment_at, event_on, slot_at)
                on events.segment_at = slots.segment_at
                and cast(events.event_at as date) = slots.event_on
        ) to ${quoteText(file)} (format parquet)`,
    );
    return file;
}

function meteredRow(group: Group): RowOf<typeof meteredUsage> {
    const { meter, account_id, payer_id, pool_id, attributes, unit, quantity, currency } = group;
    const { event_count } = group;
    return {
        ...{ meter, account_id, payer_id, pool_id, attributes, unit, quantity, currency },
        wallet_asset: currency,
        ...{ book_id: anyBook, channel_id: '' },
        event_count: BigInt(event_count),
        segment_at: slotAt(group.slot),
        event_on: '2000-01-01',
    };
}

function ratedRow(
    group: Group,
    { rate_id, product, unit_price, amount }: Extract<Outcome, { readonly kind: 'rated' }>,
): RowOf<typeof ratedUsage> {
    return { ...meteredRow(group), rate_id, product, unit_price, amount };
}

/** Usage of a payer that both cards price in the same way, whatever its account and day. */
interface Group extends DiffUsage {
    readonly group_id: string;
    /** Empty where no rate of the meter looks at more than one account's unit. */
    readonly account_id: string;
    /** The payer where no rate of the meter looks at more than one account's unit. */
    readonly pool_id: string;
    readonly currency: string;
    readonly slot: number;
    readonly instants: readonly string[];
}

/** @param termed meters whose usage is priced by account. */
async function readGroups(
    engine: Engine,
    slots: readonly Slot[],
    books: readonly string[],
    termed: readonly string[],
): Promise<readonly Group[]> {
    if (slots.length === 0) return [];
    const keys = slotKeys(slots);
    const isTermed = termed.length ? `meter in (${termed.map(quoteText).join(', ')})` : 'false';
    const account = `case when ${isTermed} then account_id else '' end`;
    const pool = `case when ${isTermed} then pool_id else payer_id end`;
    const values = slots.map(({ segment_at, event_on, instants }) => {
        const slot = keys.indexOf(JSON.stringify(instants));
        return `(timestamp ${quoteText(segment_at)}, date ${quoteText(event_on)}, ${slot})`;
    });
    const rows = await engine.rows(
        `select meter, ${account} as account_id, payer_id, ${pool} as pool_id, currency, attributes, unit, slot,
            sum(quantity) as quantity, sum(event_count)::varchar as event_count
         from metered.usage
         inner join (values ${values.join(', ')}) as slots(segment_at, event_on, slot)
            using (segment_at, event_on)
         where ${inBooks(books)}
         group by all
         order by payer_id, meter, attributes, unit, currency, slot, account_id, pool_id`,
    );
    return rows.map((row, at) => ({
        group_id: `g${at}`,
        meter: String(row.meter),
        account_id: String(row.account_id),
        slot: Number.parseInt(String(row.slot), 10),
        payer_id: String(row.payer_id),
        pool_id: String(row.pool_id),
        currency: String(row.currency),
        attributes: String(row.attributes),
        unit: String(row.unit),
        quantity: String(row.quantity),
        event_count: String(row.event_count),
        instants: JSON.parse(keys[Number.parseInt(String(row.slot), 10)] ?? '[]'),
    }));
}

/** A group as metered rows: one for each instant at which it may be priced differently. */
function probes(group: Group): readonly RowOf<typeof meteredUsage>[] {
    return group.instants.map((segment_at) => ({
        meter: group.meter,
        account_id: group.group_id,
        payer_id: group.payer_id,
        pool_id: group.pool_id,
        wallet_asset: group.currency,
        ...{ book_id: anyBook, channel_id: '' },
        currency: group.currency,
        attributes: group.attributes,
        unit: group.unit,
        segment_at,
        event_on: '2000-01-01',
        quantity: group.quantity,
        event_count: BigInt(group.event_count),
    }));
}

/** What a card makes of a group. */
type Outcome =
    | {
          readonly kind: 'rated';
          readonly rate_id: string;
          readonly product: string;
          readonly unit_price: string;
          /** At the price of one unit. */
          readonly amount: string;
          /** Whether the rate has terms, which say what the total of the period comes to. */
          readonly isByTerms: boolean;
      }
    | { readonly kind: 'unrated'; readonly code: string }
    | { readonly kind: 'undecided'; readonly changes: readonly string[] };

async function outcomesBy(rating: Parameters<typeof reRate>[0]): Promise<(of: Group) => Outcome> {
    const rows = await reRate(rating, (engine) =>
        engine.rows(
            `select usage.account_id, usage.segment_at, usage.rate_id, usage.product, rates.terms,
                usage.unit_price::varchar as unit_price, usage.amount::varchar as amount,
                null as code
             from rated.usage as usage
             inner join rules.rates as rates on usage.rate_id = rates.rate_id
             union all
             select account_id, segment_at, null, null, null, null, null, code
             from suspense.unrated_usage`,
        ),
    );
    const instant = (row: Row) => sqlTimestamp(parseInstant(String(row.segment_at)));
    const byGroup = Map.groupBy(rows, ({ account_id }) => String(account_id));
    return ({ group_id }) => {
        const found = [...(byGroup.get(group_id) ?? [])].sort((one, other) =>
            instant(one) < instant(other) ? -1 : 1,
        );
        // Of terms, each rate counts from zero: another rate is another price.
        const said = found.map(({ product, unit_price, code, terms, rate_id }) =>
            JSON.stringify([product, unit_price, code, terms === null ? null : rate_id]),
        );
        const changes = found.filter((_, at) => at > 0 && said[at] !== said[at - 1]);
        if (changes.length) {
            const at = changes.map((row) => formatInstant(parseInstant(String(row.segment_at))));
            return { kind: 'undecided', changes: at };
        }
        const [first] = found;
        if (!first || first.code !== null) {
            return { kind: 'unrated', code: String(first?.code ?? 'UNRATED') };
        }
        return {
            kind: 'rated',
            rate_id: String(first.rate_id),
            product: String(first.product),
            unit_price: String(first.unit_price),
            amount: String(first.amount),
            isByTerms: first.terms !== null,
        };
    };
}

interface Compared {
    readonly group: Group;
    readonly old: Outcome;
    readonly now: Outcome;
}

type Priced = PricedProduct & { readonly isOld: boolean };

function compared(
    all: readonly Compared[],
    decided: readonly Compared[],
    priced: readonly Priced[],
): Omit<RateDiff, 'run_id' | 'period' | 'old' | 'new'> {
    const rows = sumRows(decided, priced);
    const byCurrency = Map.groupBy(rows, ({ currency }) => currency);
    return {
        rows,
        totals: [...byCurrency].sort().map(([currency, of]) => {
            const [old, now] = [sum(of.map((row) => row.old)), sum(of.map((row) => row.new))];
            return { currency, old, new: now, ...moved(old, now) };
        }),
        became_unrated: merged(decided.flatMap(({ group, old, now }) => lost(group, old, now))),
        became_rated: merged(decided.flatMap(({ group, old, now }) => lost(group, now, old))),
        unrated: merged(
            decided.flatMap(({ group, old, now }) =>
                old.kind === 'unrated' && now.kind === 'unrated' ? usageOf(group) : [],
            ),
        ),
        undecided: all.flatMap(({ group, old, now }): readonly Undecided[] => [
            ...(old.kind === 'undecided'
                ? [{ ...usageOf(group), card: 'old' as const, changes_at: old.changes }]
                : []),
            ...(now.kind === 'undecided'
                ? [{ ...usageOf(group), card: 'new' as const, changes_at: now.changes }]
                : []),
        ]),
    };
}

/** Payer and product to the sums of both cards. A product that changes has its old sum and its new. */
function sumRows(all: readonly Compared[], priced: readonly Priced[]): readonly DiffRow[] {
    const linear = all.flatMap(({ group: { payer_id, currency }, old, now }) =>
        [
            { of: old, isOld: true },
            { of: now, isOld: false },
        ].flatMap(({ of, isOld }): readonly Priced[] =>
            of.kind === 'rated' && !of.isByTerms
                ? [{ payer_id, currency, product: of.product, amount: of.amount, isOld }]
                : [],
        ),
    );
    const keyed = Map.groupBy([...linear, ...priced], ({ payer_id, product, currency }) =>
        JSON.stringify([payer_id, product, currency]),
    );
    return [...keyed].sort(byKey).map(([key, of]) => {
        const [payer_id = '', product = '', currency = ''] = JSON.parse(key) as string[];
        const total = (isOld: boolean) =>
            sum(of.filter((part) => part.isOld === isOld).map(({ amount }) => amount));
        const [old, now] = [total(true), total(false)];
        return { payer_id, currency, product, old, new: now, ...moved(old, now) };
    });
}

const byKey = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]) =>
    one < other ? -1 : 1;

function usageOf({ payer_id, meter, attributes, unit, quantity, event_count }: Group): DiffUsage {
    return { payer_id, meter, attributes, unit, quantity: sum([quantity]), event_count };
}

/** The group, when the one card prices it and the other does not. */
function lost(group: Group, priced: Outcome, other: Outcome): readonly RatedOrNot[] {
    if (priced.kind !== 'rated' || other.kind !== 'unrated') return [];
    const { product, amount } = priced;
    const { currency } = group;
    return [{ ...usageOf(group), product, amount: sum([amount]), currency, code: other.code }];
}

/** Usage that differs only in when it was, as one. */
function merged<U extends DiffUsage & { readonly amount?: string }>(
    all: readonly U[],
): readonly U[] {
    const alike = Map.groupBy(all, ({ quantity, event_count, amount, ...rest }) =>
        JSON.stringify(rest),
    );
    return [...alike.values()].map((of) => ({
        ...(of[0] as U),
        quantity: sum(of.map(({ quantity }) => quantity)),
        event_count: sum(of.map(({ event_count }) => event_count)),
        ...(of[0]?.amount === undefined
            ? {}
            : { amount: sum(of.map(({ amount }) => amount ?? '0')) }),
    }));
}
