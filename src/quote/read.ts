import { isCurrency } from '../money/currency.ts';
import { type QuoteLine, quoteLine } from '../schema/quote.ts';
import { didYouMean } from '../schema/suggest.ts';
import { commitmentProblem, grantsProblem } from './check-draws.ts';
import { meterProblem } from './check-meter.ts';
import { QuoteError } from './error.ts';
import { isPricedByEvent } from './models.ts';

/** A line as it was read, or why it can not be priced. `id` is what the answer carries. */
export type ReadLine =
    | { readonly id: string | null; readonly line: QuoteLine }
    | { readonly id: string | null; readonly error: QuoteError };

/** Reads one line of a quote file. Never throws: a bad line is an answer like any other. */
export function readLine(text: string): ReadLine {
    let parsed: unknown;
    try {
        parsed = JSON.parse(text);
    } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        return { id: null, error: new QuoteError('QUOTE_JSON', `not a JSON object: ${detail}`) };
    }
    const id =
        typeof parsed === 'object' &&
        parsed !== null &&
        'id' in parsed &&
        typeof parsed.id === 'string'
            ? parsed.id
            : null;
    if (hasHalfPair(text)) {
        const message = 'an escape is half of a surrogate pair, which is no character';
        return { id, error: new QuoteError('QUOTE_JSON', message) };
    }
    const result = quoteLine.safeParse(parsed);
    if (!result.success) return { id, error: firstError(result.error.issues, parsed) };
    const wrong = contradiction(result.data);
    return wrong ? { id, error: wrong } : { id, line: result.data };
}

/** JSON can name half of a character, which no engine takes as text: it would stop every line. */
function hasHalfPair(json: string): boolean {
    const escapes = json
        .replaceAll('\\\\', ' ')
        .replaceAll(/\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}/gi, '');
    return /\\ud[89a-f]/i.test(escapes);
}

interface Issue {
    readonly code?: string | undefined;
    readonly message: string;
    readonly path: readonly PropertyKey[];
    readonly keys?: readonly string[];
    readonly errors?: readonly (readonly Issue[])[];
    readonly input?: unknown;
}

/** A union tells of every branch: the one that got furthest is the one that was meant. */
function flat(issue: Issue): readonly Issue[] {
    if (issue.code !== 'invalid_union' || !issue.errors?.length) return [issue];
    const branch = [...issue.errors].sort((one, other) => depth(other) - depth(one))[0] ?? [];
    return branch.flatMap((inner) => flat({ ...inner, path: [...issue.path, ...inner.path] }));
}

function depth(issues: readonly Issue[]): number {
    return Math.max(0, ...issues.map(({ path }) => path.length));
}

function firstError(issues: readonly unknown[], line: unknown): QuoteError {
    const all = (issues as readonly Issue[]).flatMap(flat);
    // A key that is not known is often the misspelt one that is missing.
    const issue = all.find(({ code }) => code === 'unrecognized_keys') ?? all[0];
    if (!issue) return new QuoteError('QUOTE_JSON', 'not a line of a quote');
    const at = issue.path.map(String).join('.') || 'the line';
    const value = valueAt(line, issue.path);
    if (issue.code === 'unrecognized_keys') {
        const key = issue.keys?.[0] ?? '';
        const known = Object.keys(typeof value === 'object' && value !== null ? value : {});
        const hint = didYouMean(
            key,
            knownKeys.filter((name) => !known.includes(name)),
        );
        return new QuoteError('QUOTE_KEY', `${at}: ${key} is not a key here. ${hint}`.trimEnd());
    }
    if (value === undefined) return new QuoteError('QUOTE_MISSING', `${at} is missing`);
    if (typeof value === 'number') {
        return new QuoteError('QUOTE_NUMBER', `${at} is a JSON number: write "${value}" in quotes`);
    }
    if (issue.code === 'invalid_value' || issue.code === 'invalid_union') {
        return new QuoteError(
            'QUOTE_CHOICE',
            `${at}: ${JSON.stringify(value)} is not a choice here`,
        );
    }
    return new QuoteError(
        'QUOTE_DECIMAL',
        `${at}: ${JSON.stringify(value)} is not a decimal it can be`,
    );
}

const knownKeys: readonly string[] = [
    ...['id', 'charge', 'quantity', 'groups', 'meter', 'events', 'previously_billed', 'currency'],
    ...['model', 'unit_price', 'tiers', 'package_size', 'package_price', 'steps', 'percent'],
    ...['fixed_fee_per_event', 'free_events', 'free_amount', 'min_per_event', 'max_per_event'],
    ...['markup_percent', 'fee', 'unit_conversion', 'included', 'included_mode', 'discounts'],
    ...['maximum', 'minimum', 'charge_zero_usage', 'negative', 'proration', 'rounding'],
    ...['tier_scope', 'up_to', 'flat_fee', 'price', 'divide_by', 'multiply_by', 'decimals', 'mode'],
    ...['aggregation', 'field', 'filter', 'window', 'percentile', 'values', 'opening'],
    ...['operation_field', 'period_start', 'period_end', 'from', 'to', 'unit', 'zone', 'amount'],
    ...['commitment', 'grants', 'product', 'at', 'window_quantities', 'overage_factor', 'true_up'],
    ...['overage_unit_price', 'asset', 'priority', 'is_rollover', 'cost_basis', 'scope'],
    ...['starts_at', 'expires_at'],
];

function valueAt(line: unknown, path: readonly PropertyKey[]): unknown {
    return path.reduce<unknown>(
        (of, step) =>
            typeof of === 'object' && of !== null
                ? (of as Readonly<Record<PropertyKey, unknown>>)[step]
                : undefined,
        line,
    );
}

/** What must hold between the parts of a line. */
function contradiction(line: QuoteLine): QuoteError | null {
    const { charge, quantity, groups, meter, events, previously_billed } = line;
    if (!isCurrency(line.currency)) {
        return new QuoteError('QUOTE_CURRENCY', `${line.currency} is not an ISO 4217 currency`);
    }
    const windows = line.commitment?.window_quantities;
    const given = [quantity ?? windows, groups, meter ?? events].filter(
        (of) => of !== undefined,
    ).length;
    if (given > 1 || (given === 0 && charge.model !== 'flat')) {
        return new QuoteError('QUOTE_USAGE', 'exactly one of quantity, groups, meter with events');
    }
    if (meter && !events) {
        return new QuoteError('QUOTE_USAGE', 'a meter needs events, which may be an empty list');
    }
    const wrongMeter = meter && meterProblem(meter);
    if (wrongMeter) return wrongMeter;
    const isDimensional = typeof quantity === 'object';
    if (isDimensional && charge.model !== 'stairstep') {
        return new QuoteError('QUOTE_DECIMAL', 'only a stairstep has a quantity by dimension');
    }
    if (previously_billed && groups && charge.tier_scope !== 'pool') {
        return new QuoteError('QUOTE_MODIFIER', 'previously_billed takes groups only as a pool');
    }
    const modifies = charge.unit_conversion !== undefined || charge.included !== undefined;
    const cannot = charge.model === 'flat' || isDimensional || isPricedByEvent(line);
    if (modifies && cannot) {
        return new QuoteError(
            'QUOTE_MODIFIER',
            'unit_conversion and included need a quantity: not flat, by event or by dimension',
        );
    }
    if (charge.unit_conversion) {
        const { divide_by, multiply_by } = charge.unit_conversion;
        if ((divide_by === undefined) === (multiply_by === undefined)) {
            return new QuoteError(
                'QUOTE_MODIFIER',
                'unit_conversion: one of divide_by, multiply_by',
            );
        }
    }
    if (isDimensional && groups) return new QuoteError('QUOTE_MODIFIER', 'no groups by dimension');
    return commitmentProblem(line) ?? grantsProblem(line);
}
