import { quoteList, quoteName, quoteText } from '../duck/sql.ts';
import type { DebitInput, UsageInput } from '../schema/config.ts';
import {
    type Check,
    columnReader,
    decimalsSql,
    type Field,
    firstCode,
    jsonPath,
    jsonReader,
    numberField,
    parquetReader,
    type Reader,
    textField,
    textOf,
    timeField,
} from './fields.ts';
import { unbooked } from './preset.ts';
import {
    debitFields,
    debitReading,
    type Reading,
    sourceOf,
    usageFields,
    usageReading,
} from './presets.ts';
import type { EventShape } from './shape.ts';

/**
 * Turns stored bytes into rows of typed columns with a code on every row that cannot be used.
 * Text formats are parsed from lines of text, never through a number; Parquet keeps its own types.
 */

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
function storedRows(files: InputFiles, paths: readonly string[], each: string | null): string {
    if (files.format === 'ndjson') {
        if (each !== null) return elements(files, paths, each);
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
 * The elements of an array in each line, numbered from 1, with what the line says beside them. A line
 * with none of them is one row, and so is one that cannot be read: no line may vanish here.
 */
function elements(files: InputFiles, paths: readonly string[], each: string): string {
    const inner = paths.filter((path) => isWithin(path, each));
    const outer = paths.filter((path) => !isWithin(path, each));
    const list = (of: readonly string[]) => `cast(${quoteList(of)} as varchar[])`;
    return `select object_no, line_no, entry_no, raw_text, is_list, element,
                case when json_valid(raw_text) then list_concat(
                    json_extract_string(raw_text, ${list(outer.map(jsonPath))}),
                    json_extract_string(element, ${list(inner.map((path) => jsonPath(path.slice(each.length + 1))))})
                ) end as fields
            from (
                select object_no, line_no, raw_text, is_list,
                    unnest(case when len(elements) > 0 then elements else [null] end) as element,
                    unnest(range(1, greatest(len(elements), 1) + 1)) as entry_no
                from (
                    select object_no, line_no, raw_text,
                        case when json_valid(raw_text)
                            then coalesce(json_type(raw_text, ${quoteText(jsonPath(each))}) = 'ARRAY', false)
                        end as is_list,
                        coalesce(
                            case when json_valid(raw_text)
                                then json_extract(raw_text, ${quoteText(`${jsonPath(each)}[*]`)})
                            end,
                            []
                        ) as elements
                    from ${linesTable(files)}
                ) as lines
            ) as listed`;
}

const isWithin = (path: string, each: string) => path.startsWith(`${each}.`);

/** Paths in the order in which `fields` has their texts. */
const inOrder = (paths: readonly string[], each: string | null): readonly string[] =>
    each === null
        ? paths
        : [
              ...paths.filter((path) => !isWithin(path, each)),
              ...paths.filter((path) => isWithin(path, each)),
          ];

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

const lineChecks = (
    files: InputFiles,
    reader: Reader,
    { envelope, each }: Reading,
): readonly Check[] =>
    files.format === 'ndjson'
        ? [
              { when: `coalesce(trim(raw_text), '') = ''`, code: 'EMPTY_LINE' },
              { when: 'fields is null', code: 'MALFORMED_JSON' },
              ...(envelope ? [{ when: textOf(reader, envelope), code: 'BAD_ENVELOPE' }] : []),
              ...(each === null
                  ? []
                  : [
                        { when: 'not is_list', code: `BAD_ENVELOPE:${each}` },
                        { when: 'element is null', code: `NO_ENTRIES:${each}` },
                    ]),
          ]
        : [];

/** A text of a reading: a constant, or what stands at its paths. */
function readText(
    reader: Reader,
    { constants, fields, values }: Reading,
    field: string,
    missing: string | null,
): Field {
    const constant = constants[field];
    if (constant !== undefined) return { name: field, sql: quoteText(constant), checks: [] };
    const source = fields[field];
    if (source === undefined) return textField(field, 'cast(null as varchar)', missing);
    const { sql, checks } = textField(field, textOf(reader, source, values[field]), missing);
    const numbers = (source.whole ?? []).map((path) => ({
        when: `not regexp_full_match(${reader.text(path)}, '[0-9]+')`,
        code: 'NOT_A_NUMBER',
    }));
    return { name: field, sql, checks: [...numbers, ...checks] };
}

/** The select that types one usage input: the columns of raw.usage_rows. */
export function usageRowsSql(input: UsageInput, files: InputFiles, shape: EventShape): string {
    const reading = usageReading(input);
    const { fields: sources, instants, wrapper } = reading;
    const own = (path: string) => sourceOf(path, wrapper);
    const paths = [
        ...new Set([
            ...(files.format === 'ndjson' ? (reading.envelope?.paths ?? []) : []),
            ...Object.values(sources).flatMap((source) => source.paths),
            ...Object.values(input.attributes).flatMap((path) => own(path).paths),
            ...Object.values(input.quantities).flatMap(({ path }) => own(path).paths),
        ]),
    ];
    const reader = readerOf(files, paths);
    const fields: Field[] = usageFields.map((field) =>
        field === 'event_at'
            ? timeField(field, reader, sources[field], 'MISSING_TIME', instants)
            : readText(reader, reading, field, missingEvent[field] ?? null),
    );
    for (const name of shape.attributes) {
        const path = input.attributes[name];
        const sql = path ? textOf(reader, own(path)) : 'cast(null as varchar)';
        fields.push(textField(name, sql, null));
    }
    for (const { name, type } of shape.quantities) {
        const of = input.quantities[name];
        const optional = of?.optional ?? true;
        const field = numberField(name, reader, of && own(of.path), { type, optional });
        // Missing counts as zero where the config says so; a quantity of another input stays null.
        const sql = of?.optional ? `coalesce(${field.sql}, 0)` : field.sql;
        fields.push({ ...field, sql });
    }
    return rowsSql(files, storedRows(files, paths, null), [], fields, [
        ...lineChecks(files, reader, reading),
    ]);
}

const missingEvent: Readonly<Record<string, string>> = {
    source: 'MISSING_SOURCE',
    event_id: 'MISSING_ID',
    event_type: 'MISSING_TYPE',
    account_id: 'MISSING_ACCOUNT',
};
const missingEntry: Readonly<Record<string, string>> = {
    entry_id: 'MISSING_ID',
    entry_type: 'MISSING_TYPE',
    account_id: 'MISSING_ACCOUNT',
    asset: 'MISSING_ASSET',
};

/** The select that types one debit input: the columns of raw.debit_rows. */
export function debitRowsSql(
    input: DebitInput,
    files: InputFiles,
    available: ReadonlySet<string> | null,
): string {
    const all = debitReading(input);
    const isThere = (path: string) => available === null || available.has(path);
    const sources = Object.fromEntries(
        Object.entries(all.fields).filter(([, { paths }]) => paths.every(isThere)),
    );
    const reading = { ...all, fields: sources };
    const { each } = reading;
    const paths = inOrder(
        [...new Set(Object.values(sources).flatMap((source) => source.paths))],
        each,
    );
    const reader = readerOf(files, paths);
    const texts = new Map(
        debitFields.map((field) => [
            field,
            readText(reader, reading, field, missingEntry[field] ?? null),
        ]),
    );
    const fields = debitFields.map((field) => {
        const constant = field in reading.constants;
        const text = texts.get(field) as Field;
        return constant ? text : (debitField(field, reader, reading, texts) ?? text);
    });
    const entryNo = each === null ? '1' : 'entry_no';
    return rowsSql(
        files,
        storedRows(files, paths, each),
        [`cast(${entryNo} as bigint) as entry_no`],
        fields,
        lineChecks(files, reader, reading),
    );
}

/** A field of an entry that is no plain text; null for those that are. */
function debitField(
    field: (typeof debitFields)[number],
    reader: Reader,
    { fields, instants, decimals, signs }: Reading,
    texts: ReadonlyMap<string, Field>,
): Field | null {
    const source = fields[field];
    const sqlOf = (name: string) => texts.get(name)?.sql ?? 'null';
    // Balances and amounts are in the same units.
    const minor = { decimals: decimals && decimalsSql(decimals, sqlOf('asset')) };
    const decimal = { type: 'decimal', ...minor } as const;
    if (field.endsWith('_at')) {
        const missing = field === 'booked_at' ? 'MISSING_TIME' : null;
        return timeField(field, reader, source, missing, instants);
    }
    if (field === 'amount') {
        const of = signs && { of: signs, entryType: sqlOf('entry_type') };
        return numberField(field, reader, source, {
            ...{ ...decimal, optional: false, signed: true },
            signs: of,
        });
    }
    if (field.startsWith('balance_')) {
        return numberField(field, reader, source, { ...decimal, optional: true, signed: true });
    }
    if (['quantity', 'unit_price', 'money_amount'].includes(field)) {
        return numberField(field, reader, source, { type: 'decimal', optional: true });
    }
    if (field === 'sequence') {
        const whole = { type: 'integer', optional: true, signed: true, isUnbounded: true } as const;
        return numberField(field, reader, source, whole);
    }
    const text = texts.get(field);
    if (!text) return null;
    // What moved nothing lacks much else: it is told as that before anything that it lacks.
    const idle = { when: `${text.sql} = ${quoteText(unbooked)}`, code: 'NOT_BOOKED' };
    if (field === 'entry_type') return { ...text, checks: [idle, ...text.checks] };
    if (field === 'asset' && minor.decimals) {
        const strange = { when: `(${minor.decimals}) is null`, code: 'UNKNOWN_ASSET' };
        return { ...text, checks: [...text.checks, strange] };
    }
    return null;
}

function rowsSql(
    files: InputFiles,
    stored: string,
    places: readonly string[],
    fields: readonly Field[],
    before: readonly Check[],
): string {
    const selected = fields.map((field) => `        ${field.sql} as ${quoteName(field.name)}`);
    const own = places.map((place) => `        ${place},\n`).join('');
    return `select
        ${quoteText(files.input)} as input,
        cast(object_no as bigint) as object_no,
        cast(line_no as bigint) as line_no,
${own}        raw_text,
        ${firstCode(fields, before)} as suspense,
${selected.join(',\n')}
    from (
            ${stored}
    ) as stored`;
}
