import { quoteList, quoteName, quoteText } from '../duck/sql.ts';
import type { DebitInput, UsageInput } from '../schema/config.ts';
import { debitColumns, debitFields, usageColumns, usageFields } from './presets.ts';
import type { EventShape } from './shape.ts';

/**
 * Turns stored bytes into rows of typed columns with a code on every row that cannot be used.
 * Text formats are parsed from lines of text, never through a number; Parquet keeps its own types.
 */

/** A value of one row as SQL, with the code it earns when it cannot be used. */
interface Field {
    readonly name: string;
    readonly sql: string;
    readonly checks: readonly { readonly when: string; readonly code: string }[];
}

/** How one format gives a field: text to be parsed, or a typed column. */
interface Reader {
    readonly text: (path: string) => string;
    /** The text of a number exactly as written. */
    readonly digits: (path: string) => string;
    readonly typed: boolean;
}

const jsonPath = (path: string) =>
    `$${path
        .split('.')
        .map((step) => `."${step.replaceAll('"', '')}"`)
        .join('')}`;

/** Reads fields from one JSON text a line; all paths are extracted in one pass as `fields`. */
function jsonReader(paths: readonly string[]): Reader {
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

const columnReader: Reader = {
    typed: false,
    text: (path) => `nullif(${quoteName(path)}, '')`,
    digits: (path) => `nullif(${quoteName(path)}, '')`,
};
const nested = (path: string) => path.split('.').map(quoteName).join('.');
const parquetReader: Reader = {
    typed: true,
    text: (path) => `cast(${nested(path)} as varchar)`,
    digits: nested,
};

const textLimit = 1000;

function textField(name: string, sql: string, missing: string | null): Field {
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

function timeField(
    name: string,
    reader: Reader,
    path: string | undefined,
    missing: string | null,
): Field {
    if (path === undefined) return { name, sql: 'cast(null as timestamp)', checks: [] };
    const raw = reader.typed ? reader.digits(path) : reader.text(path);
    if (reader.typed) {
        const checks = missing ? [{ when: `${raw} is null`, code: missing }] : [];
        return { name, sql: `cast(${raw} as timestamp)`, checks };
    }
    const sql = `case when regexp_full_match(${raw}, ${quoteText(timePattern)})
        then try_cast(upper(${raw}) as timestamptz) at time zone 'UTC' end`;
    return {
        name,
        sql,
        checks: [
            ...(missing ? [{ when: `coalesce(${raw}, '') = ''`, code: missing }] : []),
            { when: `${raw} is not null and (${sql}) is null`, code: 'BAD_TIME' },
        ],
    };
}

/** Amounts hold 14 digits before the point (DECIMAL(38,24)): one wild row must not stop a night. */
const limit = '100000000000000';

/** A number from text. Whole numbers of up to 18 digits take the fast way through BIGINT. */
function numberField(
    name: string,
    reader: Reader,
    path: string | undefined,
    options: {
        readonly type: 'integer' | 'decimal';
        readonly optional: boolean;
        readonly signed?: boolean;
        readonly isUnbounded?: boolean;
    },
): Field {
    const target = options.type === 'integer' ? 'bigint' : 'decimal(38,12)';
    if (path === undefined) return { name, sql: `cast(null as ${target})`, checks: [] };
    const raw = reader.digits(path);
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

function firstCode(
    fields: readonly Field[],
    before: readonly { when: string; code: string }[],
): string {
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

/** One input, spooled: where its lines or its files are. */
export interface InputFiles {
    readonly input: string;
    readonly format: 'ndjson' | 'csv' | 'parquet';
    readonly paths: readonly string[];
    /** The numbers of the objects at those paths. */
    readonly numbers: readonly number[];
}

/** The relation that holds the text lines of an input in one format, while they are parsed. */
export function linesTable({ input, format }: Pick<InputFiles, 'input' | 'format'>): string {
    return `scratch.main.${quoteName(`${input}_${format}_lines`)}`;
}

/** Where the rows of one input come from: parsed lines, or Parquet with its own row numbers. */
function storedRows(files: InputFiles, paths: readonly string[]): string {
    if (files.format === 'ndjson') {
        return `select object_no, line_no, raw_text,
                case when json_valid(raw_text) then json_extract_string(raw_text, ${quoteList(paths.map(jsonPath))}) end as fields
            from ${linesTable(files)}`;
    }
    if (files.format === 'csv') return `select * from ${linesTable(files)}`;
    const roots = [...new Set(paths.map((path) => path.split('.')[0] ?? path))].map(quoteName);
    return `select ${objectNo(files.numbers)} as object_no, file_row_number + 1 as line_no,
                cast(null as varchar) as raw_text,
                ${roots.join(', ')}
            from read_parquet(${quoteList(files.paths)}, union_by_name = true)`;
}

/**
 * The object that a row of some Parquet files is in, by the place of its file in the list: half the
 * time of a join by the path, in every scan. Without gaps, as is usual, that is a sum.
 */
function objectNo(numbers: readonly number[]): string {
    const [first = 0] = numbers;
    const isWithoutGaps = numbers.every((number, index) => number === first + index);
    const place = 'cast(file_index as bigint)';
    return isWithoutGaps ? `${place} + ${first}` : `[${numbers.join(', ')}][${place} + 1]`;
}

function readerOf(files: InputFiles, paths: readonly string[]): Reader {
    if (files.format === 'ndjson') return jsonReader(paths);
    return files.format === 'csv' ? columnReader : parquetReader;
}

const lineChecks = (files: InputFiles, envelope: readonly { when: string; code: string }[]) => [
    ...(files.format === 'ndjson'
        ? [
              { when: `coalesce(trim(raw_text), '') = ''`, code: 'EMPTY_LINE' },
              { when: 'fields is null', code: 'MALFORMED_JSON' },
          ]
        : []),
    ...envelope,
];

/** The select that types one usage input: the columns of raw.usage_rows. */
export function usageRowsSql(input: UsageInput, files: InputFiles, shape: EventShape): string {
    const columns = usageColumns(input);
    const checksVersion = input.preset === 'cloudevents' && files.format === 'ndjson';
    const paths = [
        ...new Set([
            ...(checksVersion ? ['specversion'] : []),
            ...Object.values(columns),
            ...Object.values(input.attributes),
            ...Object.values(input.quantities).map(({ path }) => path),
        ]),
    ];
    const reader = readerOf(files, paths);
    const text = (field: string, missing: string | null) => {
        const constant = input.constants[field];
        if (constant !== undefined) return { name: field, sql: quoteText(constant), checks: [] };
        const path = columns[field];
        return textField(
            field,
            path === undefined ? 'cast(null as varchar)' : reader.text(path),
            missing,
        );
    };
    const fields: Field[] = usageFields.map((field) => {
        if (field === 'event_at') return timeField(field, reader, columns[field], 'MISSING_TIME');
        return text(field, missingCode[field] ?? null);
    });
    for (const name of shape.attributes) {
        const path = input.attributes[name];
        fields.push(textField(name, path ? reader.text(path) : 'cast(null as varchar)', null));
    }
    for (const { name, type } of shape.quantities) {
        const of = input.quantities[name];
        const optional = of?.optional ?? true;
        const field = numberField(name, reader, of?.path, { type, optional });
        // Missing counts as zero where the config says so; a quantity of another input stays null.
        const sql = of?.optional ? `coalesce(${field.sql}, 0)` : field.sql;
        fields.push({ ...field, sql });
    }
    const envelope = checksVersion
        ? [{ when: `${reader.text('specversion')} is distinct from '1.0'`, code: 'BAD_ENVELOPE' }]
        : [];
    return rowsSql(files, paths, fields, lineChecks(files, envelope));
}

const missingCode: Readonly<Record<string, string>> = {
    source: 'MISSING_SOURCE',
    event_id: 'MISSING_ID',
    event_type: 'MISSING_TYPE',
    account_id: 'MISSING_ACCOUNT',
};

/** The select that types one debit input: the columns of raw.debit_rows. */
export function debitRowsSql(
    input: DebitInput,
    files: InputFiles,
    available: ReadonlySet<string> | null,
): string {
    const all = debitColumns(input);
    const columns = Object.fromEntries(
        Object.entries(all).filter(([, path]) => available === null || available.has(path)),
    );
    const paths = [...new Set(Object.values(columns))];
    const reader = readerOf(files, paths);
    const missing: Readonly<Record<string, string>> = {
        entry_id: 'MISSING_ID',
        entry_type: 'MISSING_TYPE',
        account_id: 'MISSING_ACCOUNT',
        asset: 'MISSING_ASSET',
    };
    const fields = debitFields.map((field): Field => {
        const path = columns[field];
        const constant = input.constants[field];
        if (constant !== undefined) return { name: field, sql: quoteText(constant), checks: [] };
        if (field.endsWith('_at')) {
            return timeField(field, reader, path, field === 'booked_at' ? 'MISSING_TIME' : null);
        }
        if (field === 'amount') {
            return numberField(field, reader, path, {
                type: 'decimal',
                optional: false,
                signed: true,
            });
        }
        if (field === 'quantity' || field === 'money_amount')
            return numberField(field, reader, path, { type: 'decimal', optional: true });
        if (field.startsWith('balance_')) {
            return numberField(field, reader, path, {
                type: 'decimal',
                optional: true,
                signed: true,
            });
        }
        if (field === 'sequence') {
            return numberField(field, reader, path, {
                type: 'integer',
                optional: true,
                signed: true,
                isUnbounded: true,
            });
        }
        return textField(
            field,
            path === undefined ? 'cast(null as varchar)' : reader.text(path),
            missing[field] ?? null,
        );
    });
    return rowsSql(files, paths, fields, lineChecks(files, []));
}

function rowsSql(
    files: InputFiles,
    paths: readonly string[],
    fields: readonly Field[],
    before: readonly { when: string; code: string }[],
): string {
    const selected = fields.map((field) => `        ${field.sql} as ${quoteName(field.name)}`);
    return `select
        ${quoteText(files.input)} as input,
        cast(object_no as bigint) as object_no,
        cast(line_no as bigint) as line_no,
        raw_text,
        ${firstCode(fields, before)} as suspense,
${selected.join(',\n')}
    from (
            ${storedRows(files, paths)}
    ) as stored`;
}
