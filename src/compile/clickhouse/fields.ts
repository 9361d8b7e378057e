import { clickName, clickText } from './sql.ts';

/*
 * Fields of stored rows as ClickHouse SQL. A row is read here only where both engines cannot but
 * agree on it: text without escapes, numbers and times in the forms that are usual. Every other row
 * is `not is_read`, comes back as it is stored, and is read by the DuckDB SQL of the stage: so there
 * is one place that decides what a strange row means, or which code of suspense it gets.
 */

/** A field: what it is in a row that is read, and what must hold for the row to be one. */
export interface ClickField {
    readonly name: string;
    readonly sql: string;
    /** In its place where the row is not read; null where the column takes nulls. */
    readonly otherwise: string | null;
    readonly checks: readonly string[];
}

/** How one format gives what stands at a path. */
export interface ClickReader {
    /** Text, or null where nothing is. */
    readonly text: (path: string) => string;
    /** What must hold for that text to be what the other engine reads, too. */
    readonly textChecks: (path: string) => readonly string[];
    readonly numberChecks: (path: string, isWhole: boolean) => readonly string[];
    /** Microseconds since 1970, or null where nothing is. */
    readonly micros: (path: string) => string;
    readonly timeChecks: (path: string) => readonly string[];
}

/** Characters beyond which a text is suspended; bytes here, which are never fewer. */
const textLimit = 1000;
/** Numbers of more digits are suspended, or are not read here. */
const numberLimit = '100000000000000';
/** Instants between 1970 and 2100 are read here. */
const latest = '4102444800000000';

export function textClick(
    name: string,
    reader: ClickReader,
    path: string | undefined,
    isRequired: boolean,
): ClickField {
    const otherwise = isRequired ? "''" : null;
    if (path === undefined) {
        const none = isRequired ? "''" : 'cast(null as Nullable(String))';
        return { name, sql: none, otherwise, checks: isRequired ? ['0'] : [] };
    }
    const text = reader.text(path);
    return {
        name,
        sql: isRequired ? `assumeNotNull(${text})` : text,
        otherwise,
        checks: [
            ...reader.textChecks(path),
            `length(ifNull(${text}, '')) <= ${textLimit}`,
            ...(isRequired ? [`ifNull(${text}, '') <> ''`] : []),
        ],
    };
}

export const constantClick = (name: string, value: string, isRequired: boolean): ClickField => ({
    name,
    sql: isRequired ? clickText(value) : `cast(${clickText(value)} as Nullable(String))`,
    otherwise: isRequired ? "''" : null,
    checks: isRequired && value === '' ? ['0'] : [],
});

export function timeClick(
    name: string,
    reader: ClickReader,
    path: string | undefined,
    isRequired: boolean,
): ClickField {
    const otherwise = isRequired ? 'toInt64(0)' : null;
    if (path === undefined) {
        const none = isRequired ? 'toInt64(0)' : 'cast(null as Nullable(Int64))';
        return { name, sql: none, otherwise, checks: isRequired ? ['0'] : [] };
    }
    const micros = reader.micros(path);
    return {
        name,
        sql: isRequired ? `toInt64(assumeNotNull(${micros}))` : micros,
        otherwise,
        checks: [
            ...reader.timeChecks(path),
            `ifNull(${micros}, ${isRequired ? '-1' : '0'}) between 0 and ${latest}`,
        ],
    };
}

export interface NumberOptions {
    readonly type: 'integer' | 'decimal';
    readonly isRequired: boolean;
    readonly isSigned: boolean;
    readonly isUnbounded?: boolean;
    /** Nothing is zero. */
    readonly isZero?: boolean;
    /** Of a required one: it takes no null. */
    readonly isFilled?: boolean;
}

export function numberClick(
    name: string,
    reader: ClickReader,
    path: string | undefined,
    { type, isRequired, isSigned, isUnbounded, isZero, isFilled }: NumberOptions,
): ClickField {
    const isWhole = type === 'integer';
    const otherwise = isFilled ? 'toDecimal128(0, 12)' : null;
    const none = isWhole
        ? 'cast(null as Nullable(Int64))'
        : 'cast(null as Nullable(Decimal(38, 12)))';
    if (path === undefined) {
        return {
            name,
            sql: isFilled ? 'toDecimal128(0, 12)' : none,
            otherwise,
            checks: isRequired ? ['0'] : [],
        };
    }
    const text = reader.text(path);
    const parsed = isWhole ? `toInt64OrNull(${text})` : `toDecimal128OrNull(${text}, 12)`;
    const zero = isWhole ? 'toInt64(0)' : 'toDecimal128(0, 12)';
    const checks = [
        ...reader.numberChecks(path, isWhole),
        `(isNull(${text}) or isNotNull(${parsed}))`,
        ...(isRequired ? [`isNotNull(${text})`] : []),
        ...(isSigned ? [] : [`ifNull(${parsed}, ${zero}) >= 0`]),
        ...(isUnbounded ? [] : [`abs(ifNull(${parsed}, ${zero})) < ${numberLimit}`]),
    ];
    if (isFilled) return { name, sql: `assumeNotNull(${parsed})`, otherwise, checks };
    return { name, sql: isZero ? `ifNull(${parsed}, ${zero})` : parsed, otherwise, checks };
}

/** What a field is before anybody knows whether its row is read. */
export const valueName = (name: string): string => clickName(`value.${name}`);
export const isFitName = (name: string): string => clickName(`is_fit.${name}`);

/** A column of a row that is read; something else where it is not, so that no text of it counts. */
export const ifRead = ({ name, otherwise }: ClickField): string =>
    `if(is_read, ${valueName(name)}, ${otherwise ?? 'null'}) as ${clickName(name)}`;

// RFC 3339 with a zone, to the microsecond. What has more digits, or another form, is not read here.
const timePattern =
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?' +
    '(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$';

/** The civil time of an instant as it is written, without its fraction and zone. */
const civil = (text: string) => `concat(substring(${text}, 1, 10), ' ', substring(${text}, 12, 8))`;
const civilTime = (text: string) => `toDateTimeOrZero(${civil(text)}, 'UTC')`;

/** Microseconds since 1970 of a text of that pattern. */
function microsOf(text: string): string {
    const fraction = `toInt64OrZero(rightPad(extract(${text}, ${clickText('\\.([0-9]+)')}), 6, '0'))`;
    const at = (back: number) => `toInt64OrZero(substring(${text}, length(${text}) - ${back}, 2))`;
    const minutes = `(${at(4)} * 60 + ${at(1)})`;
    const sign = `if(substring(${text}, length(${text}) - 5, 1) = '-', -1, 1)`;
    const offset = `if(endsWith(${text}, 'Z'), 0, ${sign} * ${minutes}) * 60000000`;
    return `toInt64(toUnixTimestamp(${civilTime(text)})) * 1000000 + ${fraction} - ${offset}`;
}

/** The keys above a path, and its own. */
const stepsOf = (path: string) => path.split('.');

/** A JSON object by its path, as the name of the column that holds its keys. */
const keysName = (steps: readonly string[]) => clickName(['keys', ...steps].join('.'));
const rawName = (path: string) => clickName(`raw.${path}`);
const timesName = (path: string) => clickName(`times.${path}`);
const textName = (path: string) => clickName(`text.${path}`);

/** The columns that a line of NDJSON is taken apart into. */
function partColumns(paths: readonly string[], lineBytes: number): readonly string[] {
    const parents = new Map(
        paths.flatMap((path) => {
            const steps = stepsOf(path);
            return steps.map(
                (_, at) => [steps.slice(0, at).join('.'), steps.slice(0, at)] as const,
            );
        }),
    );
    return [
        // Without escapes and control characters a text in JSON is what stands between its quotes.
        `isValidUTF8(line) and not match(line, ${clickText('[\\x00-\\x1f\\x7f\\\\]')})
        and length(line) <= ${lineBytes} and startsWith(line, '{') and isValidJSON(line) as is_plain`,
        ...[...parents.values()].map(
            (steps) =>
                `JSONExtractKeys(${['line', ...steps.map(clickText)].join(', ')}) as ${keysName(steps)}`,
        ),
        ...paths.flatMap((path) => {
            const leaf = stepsOf(path).at(-1) ?? path;
            return [
                `countSubstrings(line, ${clickText(`"${leaf}"`)}) as ${timesName(path)}`,
                `trimBoth(simpleJSONExtractRaw(line, ${clickText(leaf)})) as ${rawName(path)}`,
            ];
        }),
    ];
}

/** The texts at some paths of a line of NDJSON, as names that the select of its fields may use. */
export function jsonTexts(paths: readonly string[], lineBytes: number): readonly string[] {
    const texts = paths.map((path) => {
        const raw = rawName(path);
        const inner = `substring(${raw}, 2, length(${raw}) - 2)`;
        const nothing = `${timesName(path)} = 0 or ${raw} = 'null'`;
        return `multiIf(${nothing}, null, startsWith(${raw}, '"'), ${inner}, ${raw}) as ${textName(path)}`;
    });
    return [...partColumns(paths, lineBytes), ...texts];
}

/** That a key stands nowhere in a line, or once, and there where its path leads. */
function standsThere(path: string): string {
    const steps = stepsOf(path);
    const chain = steps.map(
        (step, at) => `countEqual(${keysName(steps.slice(0, at))}, ${clickText(step)}) = 1`,
    );
    return `(${timesName(path)} = 0 or (${timesName(path)} = 1 and ${rawName(path)} <> '' and ${chain.join(' and ')}))`;
}

const matches = (path: string, pattern: string) => `match(${rawName(path)}, ${clickText(pattern)})`;

/** Reads fields from the columns above. */
export const jsonClick: ClickReader = {
    text: textName,
    textChecks: (path) => [
        standsThere(path),
        matches(path, '^("[^"]*"|0|-?[1-9][0-9]{0,17}|null|)$'),
    ],
    numberChecks: (path, isWhole) => {
        const digits = isWhole ? '-?[0-9]{1,18}' : '-?[0-9]{1,14}(\\.[0-9]{1,12})?';
        return [standsThere(path), matches(path, `^("${digits}"|${digits}|null|)$`)];
    },
    micros: (path) =>
        `if(isNull(${textName(path)}), null, ${microsOf(`ifNull(${textName(path)}, '')`)})`,
    timeChecks: (path) => {
        const text = `ifNull(${textName(path)}, '')`;
        const isTime = `match(${text}, ${clickText(timePattern)})`;
        // A day that is none becomes another one.
        const isSame = `toString(${civilTime(text)}) = ${civil(text)}`;
        return [
            standsThere(path),
            matches(path, '^("[^"]*"|null|)$'),
            `(isNull(${textName(path)}) or (${isTime} and ${isSame}))`,
        ];
    },
};

/** Types of Parquet columns that both engines read alike, as ClickHouse calls them. */
const wholeType = /^(Nullable\()?(U?Int(8|16|32|64)|Decimal\(\d+, 0\))\)?$/;
const textType = /^(Nullable\()?(String|Bool|U?Int(8|16|32|64))\)?$/;
const exactType = /^(Nullable\()?(U?Int(8|16|32|64)|Decimal\(\d+, (\d|1[0-2])\))\)?$/;
const instantType = /^(Nullable\()?DateTime64\([0-6](, '[^']*')?\)\)?$/;

/** What a Parquet column is needed as. */
export const parquetTypes = {
    text: textType,
    integer: wholeType,
    decimal: exactType,
    instant: instantType,
} as const;

const columnName = (path: string) => clickName(`column.${path}`);

/** Reads columns of Parquet, which have the types above. */
export const parquetClick: ClickReader = {
    text: (path) => `toString(${columnName(path)})`,
    textChecks: (path) => [`isValidUTF8(ifNull(toString(${columnName(path)}), ''))`],
    numberChecks: () => [],
    micros: (path) => `toUnixTimestamp64Micro(toDateTime64(${columnName(path)}, 6, 'UTC'))`,
    timeChecks: () => [],
};
