import type { DebitInput, UsageInput } from '../../schema/config.ts';
import {
    debitFields,
    debitReading,
    flatColumns,
    type Reading,
    usageFields,
    usageReading,
} from '../presets.ts';
import type { EventShape } from '../shape.ts';
import {
    type ClickField,
    type ClickReader,
    constantClick,
    ifRead,
    isFitName,
    jsonClick,
    jsonTexts,
    numberClick,
    parquetClick,
    textClick,
    timeClick,
    valueName,
} from './fields.ts';
import {
    asColumns,
    madeClickSql,
    numberedClickSql,
    type ObjectSet,
    type ObjectSource,
} from './objects.ts';
import { clickList, clickName, clickText } from './sql.ts';

/*
 * The rows of inputs as ClickHouse reads them: usage_rows and debit_rows. Where a row is not read
 * (`is_read`), only its place counts.
 */

const ofEvents: ReadonlySet<string> = new Set([
    ...['source', 'event_id', 'event_type', 'account_id', 'event_at'],
]);
const ofEntries: ReadonlySet<string> = new Set([
    ...['entry_id', 'entry_type', 'account_id', 'asset', 'amount', 'booked_at'],
]);

/** Fields of an entry that are only looked at: where they say anything, the entry is not simple. */
const signs = ['aggregated', 'reversal_of', 'money_amount'] as const;

const readerOf = ({ format }: ObjectSet): ClickReader =>
    format === 'ndjson' ? jsonClick : parquetClick;

/** Columns that are there: null where any path may be (NDJSON). */
type Available = ReadonlySet<string> | null;

function pathsOf(reading: Reading, available: Available): Readonly<Record<string, string>> {
    return Object.fromEntries(
        Object.entries(flatColumns(reading)).filter(
            ([field, path]) =>
                !(field in reading.constants) && (available === null || available.has(path)),
        ),
    );
}

/** The fields of usage rows, in the order of their columns. */
export function usageClick(
    input: UsageInput,
    shape: EventShape,
    reader: ClickReader,
    available: Available,
): readonly ClickField[] {
    const reading = usageReading(input);
    const paths = pathsOf(reading, available);
    const fixed = usageFields.map((field) => {
        const constant = reading.constants[field];
        const isRequired = ofEvents.has(field);
        if (constant !== undefined) return constantClick(field, constant, isRequired);
        return field === 'event_at'
            ? timeClick('event_us', reader, paths[field], true)
            : textClick(field, reader, paths[field], isRequired);
    });
    const attributes = shape.attributes.map((name) =>
        textClick(name, reader, input.attributes[name], false),
    );
    const quantities = shape.quantities.map(({ name, type }) => {
        const of = input.quantities[name];
        const isOptional = of?.optional ?? true;
        return numberClick(name, reader, of?.path, {
            ...{ type, isRequired: !isOptional, isSigned: false },
            isZero: of !== undefined && isOptional,
        });
    });
    return [...fixed, ...attributes, ...quantities];
}

/** The fields of debit rows, in the order of their columns. */
export function debitClick(
    input: DebitInput,
    reader: ClickReader,
    available: Available,
): readonly ClickField[] {
    const reading = debitReading(input);
    const paths = pathsOf(reading, available);
    return debitFields.map((field) => {
        const constant = reading.constants[field];
        const isRequired = ofEntries.has(field);
        if (constant !== undefined) return constantClick(field, constant, isRequired);
        const path = paths[field];
        if (field.endsWith('_at')) {
            return timeClick(field.replace(/_at$/, '_us'), reader, path, isRequired);
        }
        if (field === 'amount') {
            return numberClick(field, reader, path, {
                ...{ type: 'decimal', isRequired: true, isSigned: true, isFilled: true },
            });
        }
        if (field === 'sequence') {
            return numberClick(field, reader, path, {
                ...{ type: 'integer', isRequired: false, isSigned: true, isUnbounded: true },
            });
        }
        if (/^(balance_|quantity$|unit_price$|money_amount$)/.test(field)) {
            const isSigned = field.startsWith('balance_');
            return numberClick(field, reader, path, {
                type: 'decimal',
                isRequired: false,
                isSigned,
            });
        }
        return textClick(field, reader, path, isRequired);
    });
}

/** The paths at which an input is read. */
function allPaths(input: UsageInput | DebitInput, reading: Reading): readonly string[] {
    const own =
        'attributes' in input
            ? [
                  ...Object.values(input.attributes),
                  ...Object.values(input.quantities).map(({ path }) => path),
              ]
            : [];
    const envelope = input.preset === 'cloudevents' ? ['specversion'] : [];
    return [...new Set([...Object.values(pathsOf(reading, null)), ...own, ...envelope])];
}

/** What must hold of a line before any field of it is looked at. */
function lineChecks(input: UsageInput | DebitInput, { format }: ObjectSet): readonly string[] {
    if (format === 'parquet') return [];
    if (input.preset !== 'cloudevents') return ['is_plain'];
    return [
        'is_plain',
        ...jsonClick.textChecks('specversion'),
        `ifNull(${jsonClick.text('specversion')}, '') = '1.0'`,
    ];
}

/** What a role adds to the fields of its rows. */
interface Beside {
    /** Checks of what fields are together. */
    readonly checks: readonly string[];
    /** Columns before and after those of the fields, over the values of fields. */
    readonly head: Readonly<Record<string, string>>;
    readonly tail: Readonly<Record<string, string>>;
}

/** The select of one set of objects: numbered, with its fields where they are read. */
function readSql(
    source: ObjectSource,
    set: ObjectSet,
    input: UsageInput | DebitInput,
    paths: readonly string[],
    fields: readonly ClickField[],
    { checks, head, tail }: Beside,
): string {
    const values = fields.flatMap(({ name, sql, checks: own }) => [
        `${sql} as ${valueName(name)}`,
        `${own.join(' and ') || '1'} as ${isFitName(name)}`,
    ]);
    const names = set.format === 'ndjson' ? jsonTexts(paths, source.lineBytes) : asColumns(paths);
    const made = madeClickSql(source, set, names, [
        ...values,
        `${lineChecks(input, set).join(' and ') || '1'} as is_fit`,
    ]);
    const all = ['is_fit', ...fields.map(({ name }) => isFitName(name)), ...checks];
    const beside = (of: Readonly<Record<string, string>>) =>
        Object.entries(of).map(([name, sql]) => `${sql} as ${clickName(name)}`);
    const read = `select path, etag, line_no, is_read,
    ${[...beside(head), ...fields.map(ifRead), ...beside(tail)].join(',\n    ')}
from (
    select *, ${all.join('\n        and ')} as is_read
    from (
${made}
    ) as valued
) as checked`;
    const columns = [...Object.keys(head), ...fields.map(({ name }) => name), ...Object.keys(tail)];
    return numberedClickSql(read, ['line_no', 'is_read', ...columns]);
}

/** The rows of objects of a usage input. @param available columns of Parquet; null for NDJSON. */
export function usageRowsClickSql(
    source: ObjectSource,
    set: ObjectSet,
    input: UsageInput,
    shape: EventShape,
    available: Available,
): string {
    const paths = allPaths(input, usageReading(input)).filter(
        (path) => available?.has(path) ?? true,
    );
    const fields = usageClick(input, shape, readerOf(set), available);
    return readSql(source, set, input, paths, fields, { checks: [], head: {}, tail: {} });
}

const entryTypes = [
    ...['authorize', 'capture', 'release', 'expire', 'reverse', 'refund'],
    ...['adjust', 'topup', 'grant', 'grant_expire', 'decline'],
];

/** The rows of objects of a debit log. @param assets those that there are. */
export function debitRowsClickSql(
    source: ObjectSource,
    set: ObjectSet,
    input: DebitInput,
    assets: readonly string[],
    available: Available,
): string {
    const paths = allPaths(input, debitReading(input)).filter(
        (path) => available?.has(path) ?? true,
    );
    const fields = debitClick(input, readerOf(set), available);
    const of = valueName;
    const silent = signs.map((name) => `isNull(${of(name)})`);
    const simple = [
        'is_read',
        `${of('entry_type')} in ('authorize', 'capture', 'release', 'expire')`,
        `ifNull(${of('event_id')}, '') <> ''`,
        ...silent,
    ];
    return readSql(source, set, input, paths, fields, {
        checks: [
            `${of('entry_type')} in ${clickList(entryTypes)}`,
            `${of('asset')} in ${clickList(assets)}`,
            `(${of('amount')} >= 0 or ${of('entry_type')} = 'adjust')`,
        ],
        head: { input: clickText(input.name) },
        tail: { is_simple: simple.join(' and ') },
    });
}

/** A column of Parquet that an input names, and what it is needed as. */
export interface ParquetNeed {
    readonly path: string;
    readonly as: 'text' | 'integer' | 'decimal' | 'instant';
    readonly isOptional: boolean;
}

/** Columns of Parquet that an input names. */
export function parquetNeeds(
    input: UsageInput | DebitInput,
    shape: EventShape,
): readonly ParquetNeed[] {
    const isUsage = 'attributes' in input;
    const reading = isUsage ? usageReading(input) : debitReading(input);
    const must = isUsage ? ofEvents : ofEntries;
    const fields = Object.entries(pathsOf(reading, null)).map(([field, path]) => ({
        ...{ path, as: neededAs(field), isOptional: !must.has(field) },
    }));
    if (!isUsage) return fields;
    const types = new Map(shape.quantities.map(({ name, type }) => [name, type]));
    return [
        ...fields,
        ...Object.values(input.attributes).map((path) => ({
            ...{ path, as: 'text' as const, isOptional: false },
        })),
        ...Object.entries(input.quantities).map(([name, { path }]) => ({
            ...{ path, as: types.get(name) ?? ('integer' as const), isOptional: false },
        })),
    ];
}

function neededAs(field: string): ParquetNeed['as'] {
    if (field.endsWith('_at')) return 'instant';
    if (/^(amount|balance_|quantity$|unit_price$|money_amount$)/.test(field)) return 'decimal';
    return field === 'sequence' ? 'integer' : 'text';
}
