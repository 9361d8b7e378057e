import { isCurrency } from '../money/currency.ts';
import { type QuoteLine, quoteLine } from '../schema/quote.ts';
import { didYouMean } from '../schema/suggest.ts';
import { chargeModels } from '../schema/terms.ts';
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
    readonly errors?: readonly (readonly Issue[])[];
    readonly expected?: string;
    readonly values?: readonly unknown[];
    readonly discriminator?: string;
    readonly params?: { readonly is_unknown_key?: boolean };
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
    const issue = all.find(({ params }) => params?.is_unknown_key) ?? all[0];
    if (!issue) return new QuoteError('QUOTE_JSON', 'not a line of a quote');
    const at = issue.path.map(String).join('.') || 'the line';
    if (issue.params?.is_unknown_key) {
        const parent = issue.path.slice(0, -1).map(String).join('.') || 'the line';
        return new QuoteError('QUOTE_KEY', `${parent}: ${issue.message}`, '');
    }
    const value = valueAt(line, issue.path);
    if (value === undefined) return new QuoteError('QUOTE_MISSING', `${at} is missing`);
    return misfit(issue, at, value);
}

/** What is there and cannot be what it is. */
function misfit({ code, expected = '', values, discriminator }: Issue, at: string, value: unknown) {
    const said = JSON.stringify(value);
    if (typeof value === 'number' && !(expected in wanted && expected !== 'string')) {
        const remedy = `Write it in quotes, "${value}": a JSON number may lose digits.`;
        return new QuoteError('QUOTE_NUMBER', `${at} is a JSON number`, remedy);
    }
    if (code === 'invalid_value' || code === 'invalid_union') {
        const known = discriminator === 'model' ? chargeModels : (values ?? []).map(String);
        const remedy = known.length > 0 ? didYouMean(String(value), known) : undefined;
        return new QuoteError('QUOTE_CHOICE', `${at}: ${said} is not a choice here`, remedy);
    }
    if (code === 'invalid_type') {
        const remedy = `Write ${wanted[expected] ?? `a value of kind ${expected}`} there.`;
        return new QuoteError('QUOTE_SHAPE', `${at} is ${shapeOf(value)}`, remedy);
    }
    if (code === 'too_small') {
        return new QuoteError('QUOTE_SHAPE', `${at} is an empty list`, 'Write at least one there.');
    }
    return new QuoteError('QUOTE_DECIMAL', `${at}: ${said} is not a decimal it can be`);
}

/** What may stand in a place, by the word that the schema has for it. */
const wanted: Readonly<Record<string, string>> = {
    ...{ string: 'text in quotes', array: 'a list', object: 'an object', record: 'an object' },
    boolean: 'true or false, without quotes',
};

function shapeOf(value: unknown): string {
    if (Array.isArray(value)) return 'a list';
    if (typeof value === 'object' && value !== null) return 'an object';
    return typeof value === 'string' ? `the text ${JSON.stringify(value)}` : String(value);
}

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
