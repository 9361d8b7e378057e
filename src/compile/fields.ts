import { quoteName, quoteText } from '../duck/sql.ts';
import type { Decimals, Instants, Signs, Source } from './preset.ts';

/*
 * One field of a stored row as SQL, with what makes it unusable.
 */

/** A value of one row as SQL, with the code it earns when it cannot be used. */
export interface Field {
    readonly name: string;
    readonly sql: string;
    readonly checks: readonly Check[];
}

/** When a row cannot be used, and the code that says so. */
export interface Check {
    readonly when: string;
    readonly code: string;
}

/** How one format gives a field: text to be parsed, or a typed column. */
export interface Reader {
    readonly text: (path: string) => string;
    /** The text of a number exactly as written. */
    readonly digits: (path: string) => string;
    readonly typed: boolean;
}

/** A path with dots as DuckDB writes it. */
export const jsonPath = (path: string) =>
    `$${path
        .split('.')
        .map((step) => `."${step.replaceAll('"', '')}"`)
        .join('')}`;

/** Reads fields from one JSON text a line; all paths are extracted in one pass as `fields`. */
export function jsonReader(paths: readonly string[]): Reader {
    const text = (path: string) => `fields[${paths.indexOf(path) + 1}]`;
    const leaf = (path: string) => path.split('.').at(-1) ?? path;
    return {
        typed: false,
        text,
        // The JSON reader passes fractions through DOUBLE. With up to 15 digits, of which up to
        // four are before the point, that is lossless in twelve decimals; beyond, and where it
        // gives an exponent for a small fraction, take the digits from the line itself, where the key stands exactly once. What is neither found there nor
        // written so in the line would be a rounded number: it is marked, and is none.
        digits: (path) => {
            const pattern = `"${leaf(path).replaceAll(/[^A-Za-z0-9_ -]/g, '.')}"\\s*:\\s*"?(-?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?)`;
            const found = `regexp_extract_all(raw_text, ${quoteText(pattern)}, 1)`;
            return `case when ${text(path)} is null then null
                when length(${text(path)}) <= 15 and strpos(${text(path)}, '.') <= 5
                    and strpos(${text(path)}, 'e') = 0 then ${text(path)}
                when regexp_full_match(${text(path)}, '-?[0-9]+') then ${text(path)}
                when len(${found}) = 1 then ${found}[1]
                when regexp_matches(raw_text, '[^0-9.]' || regexp_escape(${text(path)}) || '[^0-9.eE]') then ${text(path)}
                else ${text(path)} || '?' end`;
        },
    };
}

export const columnReader: Reader = {
    typed: false,
    text: (path) => `nullif(${quoteName(path)}, '')`,
    digits: (path) => `nullif(${quoteName(path)}, '')`,
};
const nested = (path: string) => path.split('.').map(quoteName).join('.');
export const parquetReader: Reader = {
    typed: true,
    text: (path) => `cast(${nested(path)} as varchar)`,
    digits: nested,
};

/** The text of a field; the first of several that `values` knows, as what stands for it. */
export function textOf(
    reader: Reader,
    { paths, sql }: Source,
    values: Readonly<Record<string, string>> = {},
): string {
    const texts = (sql ?? ((text) => [text ?? '']))(...paths.map(reader.text));
    const entries = Object.entries(values);
    if (entries.length === 0) return texts.at(-1) ?? 'null';
    const branches = entries.map(([of, is]) => `when ${quoteText(of)} then ${quoteText(is)}`);
    const known = texts.map((text) => `case ${text} ${branches.join(' ')} end`);
    return `coalesce(${[...known, texts.at(-1)].join(', ')})`;
}

/** The text of a number exactly as written, whichever of its paths it stands at. */
function digitsOf(reader: Reader, { paths, sql }: Source): string {
    const [digits = 'null'] = (sql ?? ((text) => [text ?? '']))(...paths.map(reader.digits));
    return digits;
}

const textLimit = 1000;

/** A text with its checks. */
export function textField(name: string, sql: string, missing: string | null): Field {
    return {
        name,
        sql,
        checks: [
            ...(missing ? [{ when: `coalesce(${sql}, '') = ''`, code: missing }] : []),
            // Bytes are known without reading the text; only a long one is counted in characters.
            {
                when: `strlen(${sql}) > ${textLimit} and length(${sql}) > ${textLimit}`,
                code: 'TEXT_TOO_LONG',
            },
        ],
    };
}

// RFC 3339 with a zone, or its hour alone as databases print it. A time without one could be any
// of 27 hours: it is never guessed.
const timePattern =
    '\\d{4}-\\d\\d-\\d\\d[Tt ]([01]\\d|2[0-3]):\\d\\d:\\d\\d(\\.\\d{1,9})?' +
    '([Zz]|[+-](0\\d|1[0-4])(:[0-5]\\d)?)';

/** Digits of a fraction of a second in one unit, and how long a number of our times is in it. */
const clocks: Readonly<Record<Exclude<Instants, 'rfc3339'>, { zeros: number; length: string }>> = {
    seconds: { zeros: 0, length: '9,10' },
    milliseconds: { zeros: 3, length: '12,13' },
    microseconds: { zeros: 6, length: '15,16' },
    nanoseconds: { zeros: 9, length: '18,19' },
};

/**
 * A number since 1970 as a timestamp, by its digits: what is finer than a microsecond is cut. One of
 * another unit has another length and is no time.
 */
function sinceEpoch(digits: string, instants: Exclude<Instants, 'rfc3339'>): string {
    const { zeros, length } = clocks[instants];
    const fraction = zeros === 0 ? '(\\.[0-9]{1,9})?' : '';
    const point = `strpos(${digits} || '.', '.')`;
    const micros =
        zeros > 6
            ? `substr(${digits}, 1, length(${digits}) - ${zeros - 6})`
            : `substr(${digits}, 1, ${point} - 1)
                || rpad(substr(${digits}, ${point} + 1), ${6 - zeros}, '0')`;
    return `case when regexp_full_match(${digits}, '[0-9]{${length}}${fraction}')
        then make_timestamp(try_cast(${micros} as bigint)) end`;
}

/** An instant in UTC. */
export function timeField(
    name: string,
    reader: Reader,
    source: Source | undefined,
    missing: string | null,
    instants: Instants = 'rfc3339',
): Field {
    if (source === undefined) return { name, sql: 'cast(null as timestamp)', checks: [] };
    if (reader.typed) {
        const raw = digitsOf(reader, source);
        const checks = missing ? [{ when: `${raw} is null`, code: missing }] : [];
        return { name, sql: `cast(${raw} as timestamp)`, checks };
    }
    const raw = textOf(reader, source);
    const civil = `case when regexp_full_match(${raw}, ${quoteText(timePattern)})
        then try_cast(upper(${raw}) as timestamptz) at time zone 'UTC' end`;
    const sql =
        instants === 'rfc3339'
            ? civil
            : `coalesce(${sinceEpoch(digitsOf(reader, source), instants)}, ${civil})`;
    return {
        name,
        sql,
        checks: [
            ...(missing ? [{ when: `coalesce(${raw}, '') = ''`, code: missing }] : []),
            { when: `${raw} is not null and (${sql}) is null`, code: 'BAD_TIME' },
        ],
    };
}

/** Decimals of an amount in minor units, as SQL; null where nobody can say. */
export function decimalsSql({ of, otherwise }: Decimals, asset: string): string {
    const branches = Object.entries(of).map(
        ([code, decimals]) => `when ${quoteText(code)} then ${decimals}`,
    );
    return `case ${asset} ${branches.join(' ')} else ${otherwise ?? 'null'} end`;
}

/** Whole minor units with the point where it belongs, by their digits; marked where it is no number. */
function pointed(digits: string, decimals: string): string {
    const places = `coalesce(${decimals}, 0)`;
    const bare = `ltrim(${digits}, '-')`;
    const padded = `lpad(${bare}, cast(greatest(length(${bare}), ${places} + 1) as integer), '0')`;
    return `case when regexp_full_match(${digits}, '-?[0-9]{1,38}')
        then case when starts_with(${digits}, '-') then '-' else '' end
            || substr(${padded}, 1, length(${padded}) - ${places})
            || '.' || right(${padded}, ${places}) || '0'
        else ${digits} || '?' end`;
}

/** An amount without the sign that its type says again. */
function unsigned(digits: string, signs: Signs, entryType: string): string {
    if (signs === 'say_nothing') {
        return `case when ${entryType} = 'adjust' then ${digits} else ltrim(${digits}, '-') end`;
    }
    return `case when ${entryType} in ('capture', 'grant_expire')
        then case when starts_with(${digits}, '-') then substr(${digits}, 2) else '-' || ${digits} end
        else ${digits} end`;
}

/** Amounts hold 14 digits before the point (DECIMAL(38,24)): one wild row must not stop a night. */
const limit = '100000000000000';

/** What a number is read by beside its text. */
interface NumberOptions {
    readonly type: 'integer' | 'decimal';
    readonly optional: boolean;
    readonly signed?: boolean;
    readonly isUnbounded?: boolean;
    /** SQL of its decimals, where it is written in minor units. */
    readonly decimals?: string | null;
    /** What its sign means, and SQL of the type of its entry. */
    readonly signs?: { readonly of: Signs; readonly entryType: string } | null;
}

function numberText(reader: Reader, source: Source, { decimals, signs }: NumberOptions): string {
    const digits = digitsOf(reader, source);
    const whole = decimals ? pointed(digits, decimals) : digits;
    return signs ? unsigned(whole, signs.of, signs.entryType) : whole;
}

/** A number from text. Whole numbers of up to 18 digits take the fast way through BIGINT. */
export function numberField(
    name: string,
    reader: Reader,
    source: Source | undefined,
    options: NumberOptions,
): Field {
    const target = options.type === 'integer' ? 'bigint' : 'decimal(38,12)';
    if (source === undefined) return { name, sql: `cast(null as ${target})`, checks: [] };
    const raw = numberText(reader, source, options);
    const present = reader.typed ? `${raw} is not null` : `coalesce(${raw}, '') <> ''`;
    const whole = `regexp_full_match(${raw}, '-?[0-9]{1,18}')`;
    const decimal = `regexp_full_match(${raw}, '-?[0-9]{1,26}(\\.[0-9]{1,12}0*)?')`;
    const parsed = reader.typed
        ? `cast(${raw} as ${target})`
        : options.type === 'integer'
          ? `case when ${whole} then try_cast(${raw} as bigint) end`
          : `case when ${whole} then cast(try_cast(${raw} as bigint) as decimal(38,12))
               when ${decimal} then try_cast(${raw} as decimal(38,12)) end`;
    const missing = options.optional
        ? []
        : [{ when: `not (${present})`, code: 'MISSING_QUANTITY' }];
    const sign = options.signed ? [] : [{ when: `(${parsed}) < 0`, code: 'NEGATIVE_QUANTITY' }];
    const fine = `regexp_full_match(${raw}, '-?[0-9]+\\.[0-9]+')`;
    const readable = reader.typed
        ? []
        : [
              { when: `${present} and ${fine} and (${parsed}) is null`, code: 'TOO_FINE' },
              { when: `${present} and (${parsed}) is null`, code: 'NOT_A_NUMBER' },
          ];
    const size = options.isUnbounded
        ? []
        : [{ when: `abs(${parsed}) >= ${limit}`, code: 'TOO_LARGE' }];
    return { name, sql: parsed, checks: [...missing, ...readable, ...sign, ...size] };
}

/** The code of the first check that a row fails, with its field; null for a row that can be used. */
export function firstCode(fields: readonly Field[], before: readonly Check[]): string {
    const checks = [
        ...before.map(({ when, code }) => ({ when, code, field: '' })),
        ...fields.flatMap((field) =>
            field.checks.map((check) => ({ ...check, field: field.name })),
        ),
    ];
    const branches = checks.map(
        ({ when, code, field }) =>
            `when ${when} then ${quoteText(field ? `${code}:${field}` : code)}`,
    );
    return branches.length ? `case ${branches.join('\n            ')} end` : 'null';
}
