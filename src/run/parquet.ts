import { debitColumns, usageColumns } from '../compile/presets.ts';
import type { EventShape } from '../compile/shape.ts';
import type { FileProblem } from '../errors/index.ts';
import type { DebitInput, UsageInput } from '../schema/config.ts';

interface ColumnType {
    readonly name: string;
    readonly type: string;
}

const whole = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(\d+,0\))$/;
const exact = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(\d+,(\d|1[0-2])\))$/;
const instant = /^TIMESTAMP( WITH TIME ZONE|_S|_MS|_NS)?$/;

/** What a Parquet column must be to be read exactly: a DOUBLE is refused, whatever it holds. */
export function parquetProblems(
    input: UsageInput | DebitInput,
    role: 'usage' | 'debits',
    columns: readonly ColumnType[],
    shape: EventShape,
): readonly FileProblem[] {
    const types = new Map(columns.map(({ name, type }) => [name, type]));
    const wanted: {
        field: string;
        path: string;
        allowed: RegExp;
        what: string;
        optional: boolean;
    }[] = [];
    const want = (field: string, path: string, allowed: RegExp, what: string, optional = false) =>
        wanted.push({ field, path, allowed, what, optional });
    if (role === 'usage') {
        const of = input as UsageInput;
        for (const [field, path] of Object.entries(usageColumns(of))) {
            if (field in of.constants) continue;
            if (field === 'event_at') want(field, path, instant, 'a TIMESTAMP');
            else want(field, path, /^VARCHAR$/, 'VARCHAR', field === 'authorization_id');
        }
        for (const [field, path] of Object.entries(of.attributes)) {
            want(
                field,
                path,
                /^(VARCHAR|BOOLEAN|U?(TINY|SMALL|BIG)?INT(EGER)?)$/,
                'text or a whole number',
            );
        }
        for (const { name, type } of shape.quantities) {
            const source = of.quantities[name];
            if (!source) continue;
            const allowed = type === 'integer' ? whole : exact;
            want(
                name,
                source.path,
                allowed,
                type === 'integer' ? 'a whole number' : 'DECIMAL or a whole number',
            );
        }
    } else {
        const must = ['entry_id', 'entry_type', 'account_id', 'asset', 'amount', 'booked_at'];
        for (const [field, path] of Object.entries(debitColumns(input as DebitInput))) {
            if (field in input.constants) continue;
            const optional = !must.includes(field);
            if (field.endsWith('_at')) want(field, path, instant, 'a TIMESTAMP', optional);
            else if (/^(quantity|(money_)?amount|balance_(before|after))$/.test(field))
                want(field, path, exact, 'DECIMAL', optional);
            else if (field === 'sequence') want(field, path, whole, 'a whole number', optional);
            else want(field, path, /^VARCHAR$/, 'VARCHAR', optional);
        }
    }
    const taken = columns.filter(({ name }) => placeColumns.has(name.toLowerCase()));
    const shadows = taken.map(({ name }) => ({
        ...problem(input.name, name, `the column ${name} hides where a row stands in its files`),
        remedy: 'Write the files without it, or under another name.',
    }));
    const unfit = wanted.flatMap(({ field, path, allowed, what, optional }) => {
        const type = types.get(path.split('.')[0] ?? path);
        if (type === undefined) {
            return optional
                ? []
                : [problem(input.name, field, `no column ${path} in its Parquet files`)];
        }
        if (path.includes('.') || allowed.test(type)) return [];
        return [problem(input.name, field, `${path} is ${type}, and ${field} needs ${what}`)];
    });
    return [...shadows, ...unfit];
}

/** What the engine says of a row's place, unless a file has a column of that name. */
const placeColumns: ReadonlySet<string> = new Set(['file_index', 'file_row_number']);

function problem(input: string, field: string, message: string): FileProblem {
    return {
        code: 'PARQUET_COLUMN',
        file: 'tieout.yaml',
        line: 1,
        path: `${input}.${field}`,
        message,
        remedy: 'Write the column exactly (integers, DECIMAL, TIMESTAMP in UTC), or map another one.',
    };
}
