import { z } from 'zod';
import { sorted } from './card.ts';
import { plainDecimal } from './exact-json.ts';
import type { ContextBand, HourBand, ListedPrice } from './listed-price.ts';
import {
    contextBands,
    hourBands,
    type ImportedCard,
    type ImportOptions,
    since,
    writeCard,
} from './price-list.ts';

/**
 * pydantic/genai-prices: a list of providers with models. Prices are USD per million tokens. A tier
 * holds for the whole request once its input tokens exceed `start`. Of several conditional prices
 * the last whose condition holds is the one; when none does, the first.
 */

const price = z.union([
    z.string(),
    z.looseObject({
        base: z.string(),
        tiers: z.array(z.looseObject({ start: z.string().regex(/^[1-9]\d*$/), price: z.string() })),
    }),
]);
const prices = z.record(z.string(), price);
const conditional = z.looseObject({
    constraint: z.record(z.string(), z.unknown()).nullish(),
    prices,
});
const model = z.looseObject({
    id: z.string().min(1),
    match: z.unknown(),
    prices: z.union([z.array(conditional).min(1), prices]),
});
const provider = z.looseObject({
    id: z.string().min(1),
    models: z.array(model),
    fallback_model_providers: z.array(z.string()).nullish(),
});
const listSchema = z.array(provider).min(1);

type Model = z.infer<typeof model>;
type Provider = z.infer<typeof provider>;
type Price = z.infer<typeof price>;

/** The prices of a model under one condition. */
interface Entry {
    /** First day, or null. */
    readonly from: string | null;
    /** Part of the day in UTC, or null for all of it. */
    readonly window: { readonly start: string; readonly end: string } | null;
    readonly prices: Readonly<Record<string, Price>>;
}

/** A model whose conditions are understood. */
interface ReadModel {
    readonly provider: string;
    readonly model: string;
    readonly entries: readonly Entry[];
}

/** Providers of a list, for who wants one of them. @throws ZodError when it is no such list. */
export function genaiProviders(json: unknown): readonly string[] {
    return listSchema.parse(json).map(({ id }) => id);
}

/**
 * Makes a card of a list. @param json from parseExactJson: numbers are texts.
 * @throws ZodError when it is no such list.
 */
export function importGenaiPrices(json: unknown, options: ImportOptions): ImportedCard {
    const only = options.provider;
    const providers = listSchema.parse(json).filter(({ id }) => only === undefined || id === only);
    const notes: string[] = [];
    const models = providers.flatMap((of) => of.models.flatMap((is) => readModel(of, is, notes)));
    const tiers = models.flatMap(({ entries }) =>
        entries.flatMap((entry) => Object.values(entry.prices).flatMap(tiersOf)),
    );
    const contexts = contextBands(tiers.map(({ start }) => BigInt(start)));
    const hours = hourBands(
        models.flatMap(({ entries }) =>
            entries.flatMap(({ window }) => (window ? [window.start, window.end] : [])),
        ),
    );
    for (const { id, fallback_model_providers: others } of providers) {
        if (!others?.length) continue;
        notes.push(
            `${id}: models it does not list are those of ${others.join(', ')}: not imported`,
        );
    }
    const modelSql = modelExpression(providers, notes);
    const list = {
        name: only === undefined ? 'genai-prices' : `genai-prices-${cardPart(only)}`,
        source: `pydantic/genai-prices${only === undefined ? '' : `, provider ${only}`}`,
        priceColumn: 'usd_per_million_tokens',
        pricePer: '1000000',
        prices: models.flatMap((of) => rowsOf(of, contexts, hours, notes)),
        contexts,
        hours,
        modelSql,
        notes: [...new Set(notes)],
    };
    return writeCard(list, options);
}

const cardPart = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9._-]/g, '-');
const tiersOf = (of: Price) => (typeof of === 'string' ? [] : of.tiers);

/** A model with its conditions; none when one of them is of an unknown kind. */
function readModel({ id }: Provider, of: Model, notes: string[]): readonly ReadModel[] {
    const name = `${id}/${of.id}`;
    const listed = Array.isArray(of.prices) ? of.prices : [{ prices: of.prices }];
    const entries: Entry[] = [];
    for (const { constraint, prices } of listed) {
        const condition = readConstraint(constraint ?? {});
        if (!condition) {
            const text = JSON.stringify(constraint);
            notes.push(`${name}: no price is imported: the condition ${text} is not understood`);
            return [];
        }
        entries.push({ ...condition, prices: tokenPrices(name, prices, notes) });
    }
    return [{ provider: id, model: of.id, entries }];
}

function readConstraint(of: Readonly<Record<string, unknown>>): Omit<Entry, 'prices'> | null {
    const { start_date: day, start_time: start, end_time: end, ...rest } = of;
    if (Object.keys(rest).length) return null;
    const isDay = typeof day === 'string' && /^\d{4}-\d\d-\d\d$/.test(day);
    if (day !== undefined && !isDay) return null;
    const from = isDay ? `${day}T00:00:00Z` : null;
    if (start === undefined && end === undefined) return { from, window: null };
    const [first, last] = [utcTime(start), utcTime(end)];
    if (first === null || last === null || first === last) return null;
    return { from, window: { start: first, end: last } };
}

/** `hh:mm:ss` of a time in UTC; of no other. */
function utcTime(of: unknown): string | null {
    return typeof of === 'string' ? (/^(\d\d:\d\d:\d\d)Z$/.exec(of)?.[1] ?? null) : null;
}

/** The prices by token class that a card can hold; the others are noted. */
function tokenPrices(
    name: string,
    prices: Readonly<Record<string, Price>>,
    notes: string[],
): Readonly<Record<string, Price>> {
    const kept: Record<string, Price> = {};
    for (const [key, of] of Object.entries(prices)) {
        const shown = typeof of === 'string' ? of : JSON.stringify(of);
        const texts =
            typeof of === 'string' ? [of] : [of.base, ...of.tiers.map((tier) => tier.price)];
        const plain = texts.map(plainDecimal);
        const no = (why: string) => notes.push(`${name}: ${key} ${shown} is not imported: ${why}`);
        if (!key.endsWith('_mtok')) no('it is a price of something else than tokens');
        else if (plain.some((text) => text === null)) no('it is not a number');
        else if (plain.some((text) => text?.startsWith('-'))) no('it is below zero');
        else if (plain.some((text) => (text?.split('.')[1] ?? '').length > 6)) {
            no('the price of one token would have more than 12 decimals');
        } else kept[key.replace(/_mtok$/, '')] = of;
    }
    return kept;
}

/** The rows of a model: one for each class, band and span of time with one price. */
function rowsOf(
    of: ReadModel,
    contexts: readonly ContextBand[],
    hours: readonly HourBand[],
    notes: string[],
): readonly ListedPrice[] {
    const { entries } = of;
    const starts = ['', ...sorted(new Set(entries.flatMap(({ from }) => from ?? [])))];
    const isTimed = entries.some(({ window }) => window !== null);
    const classes = sorted(new Set(entries.flatMap((entry) => Object.keys(entry.prices))));
    return classes.flatMap((token_class) => {
        const isBanded = entries.some(
            (entry) => tiersOf(entry.prices[token_class] ?? '').length > 0,
        );
        const bands = isBanded ? contexts : [null];
        const times = isTimed ? hours : [null];
        return times.flatMap((hour) =>
            bands.flatMap((band) => {
                const spans = starts.map((start) => ({
                    start,
                    price: priceIn(entryAt(entries, start, hour)?.prices[token_class], band),
                }));
                return spansToRows(of, { token_class, hour, band }, spans, notes);
            }),
        );
    });
}

/** Which prices hold from a day on (`''` is before all of them), in a part of the day. */
function entryAt(entries: readonly Entry[], day: string, hour: HourBand | null): Entry | undefined {
    const holds = ({ from, window }: Entry) =>
        (from === null || from <= day) && (window === null || (hour && isWithin(hour, window)));
    return entries.findLast(holds) ?? entries[0];
}

/** A band begins inside of a window or outside of it, and then it is so as a whole. */
function isWithin({ from }: HourBand, { start, end }: { start: string; end: string }): boolean {
    return start < end ? from >= start && from < end : from >= start || from < end;
}

function priceIn(of: Price | undefined, band: ContextBand | null): string | null {
    if (of === undefined) return null;
    if (typeof of === 'string') return plainDecimal(of);
    const tier = [...of.tiers]
        .sort((one, other) => (BigInt(one.start) < BigInt(other.start) ? -1 : 1))
        .findLast(({ start }) => band && BigInt(start) <= band.over);
    return plainDecimal(tier?.price ?? of.base);
}

interface Cell {
    readonly token_class: string;
    readonly hour: HourBand | null;
    readonly band: ContextBand | null;
}

/** Spans one after the other with a price or none, as rows: equal neighbours are one. */
function spansToRows(
    { provider, model }: ReadModel,
    { token_class, hour, band }: Cell,
    spans: readonly { readonly start: string; readonly price: string | null }[],
    notes: string[],
): readonly ListedPrice[] {
    const changes = spans.filter(({ price }, at) => at === 0 || price !== spans[at - 1]?.price);
    const last = changes.findLastIndex(({ price }) => price !== null);
    return changes.flatMap(({ start, price }, at) => {
        const to = changes[at + 1]?.start ?? '';
        if (price === null) {
            if (at > 0 && at < last) {
                notes.push(
                    `${provider}/${model}: ${token_class} has no price from ${start} to ${to}`,
                );
            }
            return [];
        }
        return [
            {
                provider,
                model,
                token_class,
                context_band: band?.name ?? '*',
                service_tier: '*',
                time_of_day: hour?.name ?? '*',
                effective_from: start || since,
                effective_to: to,
                price,
            },
        ];
    });
}

/** The model of the list for a name in a request: the first whose `match` holds. */
function modelExpression(providers: readonly Provider[], notes: string[]): string {
    const branches = providers.flatMap(({ id, models }) =>
        models.flatMap((of) => {
            const sql = matchSql(of.match, `${id}/${of.id}`, notes);
            if (sql === null) return [];
            const whose = providers.length > 1 ? `provider = ${quoted(id)} and ` : '';
            return [`when ${whose}${sql} then ${quoted(of.id)}`];
        }),
    );
    if (branches.length === 0) return 'reported_model';
    return ['case', ...branches, 'else reported_model end'].join('\n');
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
const functions = new Set(['starts_with', 'ends_with', 'contains']);

/** A clause of `match` as an expression of tieout, or null when it cannot be one. */
function matchSql(clause: unknown, name: string, notes: string[]): string | null {
    const [[kind, value] = ['', null]] = Object.entries((clause ?? {}) as object);
    if (typeof value === 'string' && kind === 'equals') return `reported_model = ${quoted(value)}`;
    if (typeof value === 'string' && functions.has(kind)) {
        return `${kind}(reported_model, ${quoted(value)})`;
    }
    if (Array.isArray(value) && (kind === 'or' || kind === 'and')) {
        const parts = value.map((of) => matchSql(of, name, notes));
        const known = parts.filter((of) => of !== null);
        if (known.length === 0 || (kind === 'and' && known.length < parts.length)) return null;
        return known.length === 1 ? (known[0] ?? null) : `(${known.join(` ${kind} `)})`;
    }
    const text = JSON.stringify(clause);
    notes.push(`${name}: names that match ${text} are not recognised: write a map for them`);
    return null;
}
