import type { meteredUsage } from '../../pipelines/30-meter/tables.ts';
import { beginning } from '../compile/meters.ts';
import type { Engine, Row } from '../duck/engine.ts';
import type { RowOf } from '../duck/table.ts';
import type { FileProblem } from '../errors/index.ts';
import { compare, formatAmount, parseAmount } from '../money/amount.ts';
import { type CompiledCard, canonicalJson, segmentAt } from '../rules/card.ts';
import type { KnownMeters } from '../rules/lint.ts';
import { loadSpecs, type RateSpec } from '../rules/specs.ts';
import { formatInstant } from '../time/instant.ts';
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
 * Reads the worked examples of a card and runs them through the very SQL of 40-rate, in memory.
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

/** Rates examples that were read: each is one metered row of its own account. */
export async function rateSpecs(
    card: CompiledCard,
    specs: readonly RateSpec[],
): Promise<readonly SpecResult[]> {
    const engine = { memory: '512MB', threads: 1 };
    return reRate({ card, usage: meteredRows(card, specs), ...engine }, (rated) =>
        readResults(rated, card, specs),
    );
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
    return specs.map(({ at, meter, attributes, quantity }, index) => ({
        meter,
        account_id: accountOf(index),
        payer_id: accountOf(index),
        currency: card.currency,
        attributes: canonicalJson(attributes),
        unit: units.get(meter) ?? '',
        segment_at: segmentAt(card.boundaries, at, beginning),
        event_on: formatInstant(at).slice(0, 10),
        quantity,
        event_count: 1n,
    }));
}

async function readResults(
    engine: Engine,
    card: CompiledCard,
    specs: readonly RateSpec[],
): Promise<readonly SpecResult[]> {
    const rows = await engine.rows(
        'select account_id, rate_id, unit_price, amount from rated.usage',
    );
    const rated = new Map(rows.map((row) => [String(row.account_id), row]));
    const places = new Map(card.rates.map((of) => [of.rate_id, `${of.file}:${of.line}`]));
    return specs.map((spec, index) => {
        const row = rated.get(accountOf(index));
        const { name, file, line } = spec;
        const actual = row
            ? `${amountText(row.amount)} at ${amountText(row.unit_price)} ` +
              `by ${String(row.rate_id)}, ${places.get(String(row.rate_id)) ?? ''}`
            : 'unrated: no rate matches';
        return { name, file, line, ok: comesOut(spec, row), expected: expectedText(spec), actual };
    });
}

function comesOut({ expect }: RateSpec, row: Row | undefined): boolean {
    if ('unrated' in expect) return row === undefined;
    if (!row) return false;
    const isEqual = (expected: string, actual: unknown) =>
        compare(parseAmount(expected), parseAmount(String(actual))) === 0;
    return (
        isEqual(expect.amount, row.amount) &&
        (expect.unit_price === null || isEqual(expect.unit_price, row.unit_price)) &&
        (expect.rate === null || expect.rate === row.rate_id)
    );
}

const amountText = (text: unknown) => formatAmount(parseAmount(String(text)));

function expectedText({ expect }: RateSpec): string {
    if ('unrated' in expect) return 'unrated';
    const price = expect.unit_price === null ? '' : ` at ${amountText(expect.unit_price)}`;
    const by = expect.rate === null ? '' : ` by ${expect.rate}`;
    return `${amountText(expect.amount)}${price}${by}`;
}
