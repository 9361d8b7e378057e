import type { accountPaths } from '../../pipelines/10-ingest/tables.ts';
import type { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import type { pricedEvents } from '../../pipelines/45-price/tables.ts';
import { beginning } from '../compile/meters.ts';
import type { Engine, Row } from '../duck/engine.ts';
import type { RowOf } from '../duck/table.ts';
import type { FileProblem } from '../errors/index.ts';
import { compare, formatAmount, parseAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';
import { type CompiledCard, canonicalJson, segmentAt } from '../rules/card.ts';
import type { KnownMeters } from '../rules/lint.ts';
import { type ExpectedTier, loadSpecs, type RateSpec } from '../rules/specs.ts';
import { civilDay } from '../time/civil.ts';
import { formatInstant, parseInstant } from '../time/instant.ts';
import { parsePeriod } from '../time/period.ts';
import { reRate } from './re-rate.ts';

/** What came of one worked example. */
export interface SpecResult {
    readonly name: string;
    readonly file: string;
    readonly line: number;
    readonly ok: boolean;
    /** What the example says, for people. */
    readonly expected: string;
    /** What the pipeline made of it, for people, with the place of the rate. */
    readonly actual: string;
}

/**
 * Reads the worked examples of a card and runs them through the very SQL of a night, in memory.
 * @param card a card that `lintCard` accepts.
 * @param known the meters of the config, to check the names in the examples against.
 * @throws RunError AUDIT_FAILED when the card is ambiguous after all, ENGINE_*
 */
export async function runSpecs(
    file: string,
    text: string,
    card: CompiledCard,
    known?: KnownMeters,
): Promise<
    { readonly results: readonly SpecResult[] } | { readonly problems: readonly FileProblem[] }
> {
    const loaded = loadSpecs(file, text, card, known);
    return 'problems' in loaded ? loaded : { results: await rateSpecs(card, loaded.specs) };
}

/** Prices examples that were read: each is the usage of its own account, which pays for itself. */
export async function rateSpecs(
    card: CompiledCard,
    specs: readonly RateSpec[],
): Promise<readonly SpecResult[]> {
    const engine = { memory: '512MB', threads: 1 };
    const usage = meteredRows(card, specs);
    const charging = {
        paths: specs.map((spec, index) => pathRow(card, spec, accountOf(index))),
        events: specs.flatMap((spec, index) => eventRows(spec, usage, accountOf(index))),
        isSummed: () => true,
    };
    return reRate({ card, usage, charging, ...engine }, (rated) => readResults(rated, card, specs));
}

/** The examples that did not come out, as RULES_SPEC_FAILED takes them. */
export function specProblems(results: readonly SpecResult[]): readonly FileProblem[] {
    return results
        .filter(({ ok }) => !ok)
        .map(({ name, file, line, expected, actual }) => ({
            code: 'SPEC_FAILED',
            file,
            line,
            message: `"${name}": expected ${expected}; it comes out as ${actual}`,
        }));
}

const accountOf = (index: number) => `spec-${String(index + 1).padStart(6, '0')}`;

function meteredRows(
    card: CompiledCard,
    specs: readonly RateSpec[],
): readonly RowOf<typeof meteredUsage>[] {
    const units = new Map(card.charges.map(({ meter, unit }) => [meter, unit]));
    return specs.flatMap(({ at, meter, attributes, quantity, events }, index) =>
        quantity === null
            ? []
            : [
                  {
                      meter,
                      account_id: accountOf(index),
                      payer_id: accountOf(index),
                      pool_id: accountOf(index),
                      wallet_asset: card.currency,
                      currency: card.currency,
                      ...{ book_id: card.card, channel_id: '' },
                      attributes: canonicalJson(attributes),
                      unit: units.get(meter) ?? '',
                      segment_at: segmentAt(card.boundaries, at, beginning),
                      event_on: formatInstant(at).slice(0, 10),
                      quantity,
                      event_count: BigInt(events?.length ?? 1),
                  },
              ],
    );
}

/** The month of the example in the zone of its payer, and the stay of its account. */
function pathRow(
    { card, currency }: CompiledCard,
    { at, zone, active }: RateSpec,
    account: string,
): RowOf<typeof accountPaths> {
    const { start, end } = parsePeriod(civilDay(at, zone).slice(0, 7), zone);
    return {
        account_id: account,
        account_name: account,
        valid_from: active.from === null ? '1900-01-01T00:00:00Z' : formatInstant(active.from),
        valid_to: active.to === null ? '9999-12-31T00:00:00Z' : formatInstant(active.to),
        path: account,
        payer_id: account,
        payer_name: account,
        pool_id: account,
        line_account_id: account,
        ...{ book_id: card, channel_id: '' },
        currency,
        time_zone: zone,
        period_start: formatInstant(start),
        period_end: formatInstant(end),
        wallet_asset: currency,
        ...{ wallet_shape: 'instant', is_prepaid: true },
    };
}

/** The events of an example; a bare quantity is one event. */
function eventRows(
    { at, events, quantity }: RateSpec,
    usage: readonly RowOf<typeof meteredUsage>[],
    account: string,
): readonly RowOf<typeof pricedEvents>[] {
    const row = usage.find(({ account_id }) => account_id === account);
    if (!row || quantity === null) return [];
    const values =
        events ?? (compare(parseAmount(quantity), parseAmount('0')) === 0 ? [] : [quantity]);
    const { meter, account_id, payer_id, pool_id, currency } = row;
    const { book_id, channel_id, attributes, segment_at } = row;
    return values.map((value, index) => ({
        meter,
        source: 'spec',
        event_id: String(index + 1).padStart(9, '0'),
        event_at: formatInstant(at),
        ...{ account_id, payer_id, pool_id, currency, book_id, channel_id, attributes, segment_at },
        value,
    }));
}

/** What the pipeline made of an example. */
interface Made {
    readonly amount: string;
    readonly rounded: string;
    readonly unit_price: string;
    readonly rate_id: string;
    readonly tiers: readonly Row[];
}

async function readResults(
    engine: Engine,
    card: CompiledCard,
    specs: readonly RateSpec[],
): Promise<readonly SpecResult[]> {
    const made = await madeOf(engine, card, specs);
    const places = new Map(card.rates.map((of) => [of.rate_id, `${of.file}:${of.line}`]));
    return specs.map((spec, index) => {
        const of = made[index];
        const { name, file, line } = spec;
        const actual = of
            ? `${amountText(of.amount)} at ${amountText(of.unit_price)} ` +
              `by ${of.rate_id}, ${places.get(of.rate_id) ?? ''}${tiersText(of.tiers)}`
            : spec.quantity === null
              ? 'nothing charged'
              : 'unrated: no rate matches';
        return { name, file, line, ok: comesOut(spec, of), expected: expectedText(spec), actual };
    });
}

async function madeOf(
    engine: Engine,
    card: CompiledCard,
    specs: readonly RateSpec[],
): Promise<readonly (Made | undefined)[]> {
    const digits = currencyExponent(card.currency) ?? 0;
    const charges = await engine.rows(
        `select charges.*, rates.effective_from, rates.effective_to, usage.rate_id as used_rate_id,
            money_round(charges.amount, ${digits}) as plain_rounded
         from rolled.charges as charges
         inner join rules.rates as rates on charges.rate_id = rates.rate_id
         left join rated.usage as usage
            on charges.account_id = usage.account_id and charges.rate_id = usage.rate_id
         order by charges.account_id, charges.rate_id`,
    );
    const byAccount = Map.groupBy(charges, ({ account_id }) => String(account_id));
    const tiers = Map.groupBy(
        await engine.rows('select * from rolled.charge_tiers order by line_id, tier_no'),
        ({ line_id }) => String(line_id),
    );
    return specs.map((spec, index) => {
        const of = byAccount.get(accountOf(index)) ?? [];
        const row = spec.quantity === null ? feeOf(spec, of) : of.find((one) => one.used_rate_id);
        if (!row) return undefined;
        return {
            amount: String(row.amount),
            rounded: String(row.rounded ?? row.plain_rounded),
            unit_price: String(row.unit_price),
            rate_id: String(row.rate_id),
            tiers: tiers.get(String(row.line_id)) ?? [],
        };
    });
}

/** What an account is charged that used nothing: by the rate of the meter in force, if any. */
function feeOf({ meter, at }: RateSpec, charges: readonly Row[]): Row | undefined {
    const own = charges.filter((row) => row.meter === meter);
    const inForce = own.filter(
        ({ effective_from, effective_to }) =>
            parseInstant(String(effective_from)) <= at &&
            (effective_to === null || parseInstant(String(effective_to)) > at),
    );
    return inForce[0] ?? own[0];
}

function comesOut({ expect, quantity }: RateSpec, made: Made | undefined): boolean {
    if ('unrated' in expect) return made === undefined && quantity !== null;
    if ('charged' in expect) return made === undefined && quantity === null;
    if (!made) return false;
    return (
        isEqual(expect.amount, made.amount) &&
        (expect.rounded === null || isEqual(expect.rounded, made.rounded)) &&
        (expect.unit_price === null || isEqual(expect.unit_price, made.unit_price)) &&
        (expect.rate === null || expect.rate === made.rate_id) &&
        (expect.tiers === null || areTiers(expect.tiers, made.tiers))
    );
}

const isEqual = (expected: string, actual: unknown) =>
    compare(parseAmount(expected), parseAmount(String(actual))) === 0;

function areTiers(expected: readonly ExpectedTier[], actual: readonly Row[]): boolean {
    return (
        expected.length === actual.length &&
        expected.every((tier, index) =>
            Object.entries(tier).every(([name, text]) => {
                const value = actual[index]?.[name] ?? null;
                return text === undefined || (value !== null && isEqual(text, value));
            }),
        )
    );
}

const amountText = (text: unknown) => formatAmount(parseAmount(String(text)));

function tiersText(tiers: readonly Row[]): string {
    if (tiers.length === 0) return '';
    const parts = tiers.map(
        ({ tier_no, quantity, amount }) =>
            `${tier_no}: ${amountText(quantity)} for ${amountText(amount)}`,
    );
    return `; tiers ${parts.join(', ')}`;
}

function expectedText({ expect }: RateSpec): string {
    if ('unrated' in expect) return 'unrated';
    if ('charged' in expect) return 'nothing charged';
    const price = expect.unit_price === null ? '' : ` at ${amountText(expect.unit_price)}`;
    const rounded = expect.rounded === null ? '' : `, rounded ${amountText(expect.rounded)}`;
    const by = expect.rate === null ? '' : ` by ${expect.rate}`;
    const tiers = expect.tiers === null ? '' : `, tiers ${JSON.stringify(expect.tiers)}`;
    return `${amountText(expect.amount)}${price}${rounded}${by}${tiers}`;
}
