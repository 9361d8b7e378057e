import { formatInstant, type Instant, parseInstant } from '../time/instant.ts';

/** One rate, ready for rules.rates: the same columns, decimals and instants as exact text. */
export interface CompiledRate {
    readonly rate_id: string;
    readonly card: string;
    readonly card_version: string;
    readonly product: string;
    readonly description: string;
    readonly meter: string;
    /** Names of the attributes that are not wildcards, sorted. */
    readonly mask: readonly string[];
    /** Canonical JSON of those attributes with their values. */
    readonly match_key: string;
    readonly specificity: bigint;
    readonly priority: bigint;
    readonly effective_from: string;
    readonly effective_to: string | null;
    /** Of a bare per_unit the price; of other terms what one unit is expected to cost. */
    readonly unit_price: string;
    readonly model: string;
    /** JSON of the model with its modifiers; null for a bare per_unit. */
    readonly terms: string | null;
    readonly currency: string;
    readonly unit: string;
    readonly file: string;
    readonly line: bigint;
}

/** A place in a file. Lines count from 1. */
export interface Place {
    readonly file: string;
    readonly line: number;
}

/** What the rates of one charge have in common, with where it is written. */
export interface CompiledCharge {
    readonly product: string;
    readonly meter: string;
    readonly unit: string;
    readonly meterAt: Place;
    /** Every attribute that a rate of the charge names, wildcards too, with the first place. */
    readonly attributes: Readonly<Record<string, Place>>;
}

/** A rate card, compiled. */
export interface CompiledCard {
    readonly card: string;
    readonly version: string;
    readonly currency: string;
    readonly currencyAt: Place;
    readonly charges: readonly CompiledCharge[];
    readonly rates: readonly CompiledRate[];
    /** Every instant at which a rate begins or ends, as text of a SQL timestamp, sorted. */
    readonly boundaries: readonly string[];
}

/** Attribute to value, without wildcards. */
export type Pattern = Readonly<Record<string, string>>;

/** Sorts by code unit: the same order on every machine, whatever its locale. */
export function sorted(texts: Iterable<string>): readonly string[] {
    return [...texts].sort();
}

/** JSON text of a value as the engine writes it: hexadecimal digits of escapes in upper case. */
function jsonText(value: string | null): string {
    if (value === null) return 'null';
    // Escapes are taken whole, so that the u of an escaped backslash followed by "u" stays text.
    return JSON.stringify(value).replaceAll(/\\(?:u([0-9a-f]{4})|.)/g, (all, digits?: string) =>
        digits === undefined ? all : `\\u${digits.toUpperCase()}`,
    );
}

/** `{"a":"x","b":"y"}`, names sorted: the very text that 40-rate makes of metered attributes. */
export function canonicalJson(values: Readonly<Record<string, string | null>>): string {
    const pairs = sorted(Object.keys(values)).map(
        (name) => `${jsonText(name)}:${jsonText(values[name] ?? null)}`,
    );
    return `{${pairs.join(',')}}`;
}

/** The pattern behind a match key. */
export function patternOf(rate: CompiledRate): Pattern {
    return JSON.parse(rate.match_key) as Pattern;
}

/** `a=x, b=y`, for people. */
export function describePattern(pattern: Pattern): string {
    const pairs = sorted(Object.keys(pattern)).map((name) => `${name}=${pattern[name] ?? ''}`);
    return pairs.length ? pairs.join(', ') : 'any usage';
}

/** Characters that separate the parts of a rate id are escaped inside a part. */
function idPart(part: string): string {
    return part.replaceAll(/[%,=/@#\s]/g, (character) => encodeURIComponent(character));
}

/**
 * `<card>/<meter>/<pattern>@<from>#<priority>`. It says what the rate is, not where it stands, so
 * it outlives a reordering and a change of price. Two rates with the same id overlap, which lint
 * refuses.
 */
export function rateId(
    rate: Pick<CompiledRate, 'card' | 'meter' | 'effective_from' | 'priority'>,
    pattern: Pattern,
): string {
    const pairs = sorted(Object.keys(pattern)).map(
        (name) => `${idPart(name)}=${idPart(pattern[name] ?? '')}`,
    );
    const rank = rate.priority === 0n ? '' : `#${rate.priority}`;
    const key = `${idPart(rate.meter)}/${pairs.join(',') || '*'}`;
    return `${rate.card}/${key}@${rate.effective_from}${rank}`;
}

/** `yyyy-MM-dd HH:mm:ss.ffffff`: fixed width, so that text order is time order. */
export function sqlTimestamp(instant: Instant): string {
    const [second = '', fraction = ''] = formatInstant(instant).slice(0, -1).split('.');
    return `${second.replace('T', ' ')}.${fraction.padEnd(6, '0')}`;
}

/** The instants at which any rate begins or ends. */
export function boundariesOf(rates: readonly CompiledRate[]): readonly string[] {
    const instants = rates.flatMap(({ effective_from, effective_to }) =>
        effective_to === null ? [effective_from] : [effective_from, effective_to],
    );
    return sorted(new Set([...new Set(instants)].map((text) => sqlTimestamp(parseInstant(text)))));
}

/** The last boundary at or before an instant, or `before` when there is none: its rate segment. */
export function segmentAt(boundaries: readonly string[], instant: Instant, before: string): string {
    const at = sqlTimestamp(instant);
    return boundaries.findLast((boundary) => boundary <= at) ?? before;
}
