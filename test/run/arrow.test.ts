import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Decimal, type Table, tableFromIPC } from 'apache-arrow';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lineItems } from '../../pipelines/80-invoice/tables.ts';
import { arrowFile } from '../../src/duck/arrow.ts';
import {
    amount,
    defineTable,
    hugeint,
    nullable,
    timestamp,
    typed,
    varchar,
} from '../../src/duck/table.ts';
import { formatAmount, parseAmount } from '../../src/money/amount.ts';
import { tieout, tinyFiles, tinyProject } from '../support/terminal.ts';

/** The cells of a file as text: decimals with the digits of their column, instants in microseconds. */
function cellsOf(table: Table): readonly (readonly (string | null)[])[] {
    const columns = table.schema.fields.map((field, at) => {
        const vector = table.getChildAt(at);
        return Array.from({ length: table.numRows }, (_, row) => {
            const value: unknown = vector?.isValid(row) ? vector.get(row) : null;
            if (value === null || typeof value === 'string') return value;
            if (value instanceof Uint32Array) {
                return formatAmount({ units: signed(value), scale: (field.type as Decimal).scale });
            }
            return String(value);
        });
    });
    return Array.from({ length: table.numRows }, (_, row) => columns.map((of) => of[row] ?? null));
}

/** Four words, the lowest first, as a whole number with a sign. */
function signed(words: Uint32Array): bigint {
    const units = [...words].reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
    return BigInt.asIntN(128, units);
}

describe('an Arrow file', () => {
    const table = defineTable('test.rows', {
        comment: 'Rows of a test.',
        grain: ['name'],
        columns: {
            name: varchar('Text.'),
            maybe: nullable(varchar('Text or none.')),
            money: nullable(amount('A decimal.')),
            minor: hugeint('A whole number.'),
            at: timestamp('An instant.'),
        },
    });
    const rows = [
        {
            ...{ name: 'é株', maybe: null, money: '-0.000000000001', minor: -1n },
            at: '2026-10-01T00:00:00.000001Z',
        },
        {
            ...{ name: '', maybe: 'x', money: null },
            ...{ minor: 12_345_678_901_234_567_890_123_456_789n, at: '1969-12-31T23:59:59Z' },
        },
        {
            ...{ name: 'b', maybe: '', money: '12345678901234567890123456.789012345678' },
            ...{ minor: 0n, at: '2026-10-01T00:00:00Z' },
        },
    ];

    test('keeps every digit, every instant and what is not there', () => {
        const read = tableFromIPC(arrowFile(table, rows));
        expect(
            read.schema.fields.map(({ name, type, nullable: of }) => [name, `${type}`, of]),
        ).toEqual([
            ['name', 'Utf8', false],
            ['maybe', 'Utf8', true],
            ['money', 'Decimal[38e+12]', true],
            ['minor', 'Decimal[38e0]', false],
            ['at', 'Timestamp<MICROSECOND, UTC>', false],
        ]);
        expect(cellsOf(read).map((of) => of.slice(0, 4))).toEqual([
            ['é株', null, '-0.000000000001', '-1'],
            ['', 'x', null, '12345678901234567890123456789'],
            ['b', '', '12345678901234567890123456.789012345678', '0'],
        ]);
        const instants = read.getChild('at')?.data.flatMap(({ values }) => [...values]);
        expect(instants).toEqual([1_790_812_800_000_001n, -1_000_000n, 1_790_812_800_000_000n]);
    });

    test('of no rows has its columns', () => {
        const read = tableFromIPC(arrowFile(table, []));
        expect([read.numRows, read.numCols]).toEqual([0, 5]);
    });

    test('says what its columns mean, and is the same bytes again', () => {
        const bytes = arrowFile(table, rows);
        expect(Buffer.from(arrowFile(table, rows)).equals(bytes)).toBe(true);
        const { schema } = tableFromIPC(bytes);
        expect(schema.metadata.get('comment')).toBe('Rows of a test.');
        expect(schema.fields[2]?.metadata.get('comment')).toBe('A decimal.');
    });

    test('of many rows has several messages, and all of them in order', () => {
        const many = Array.from({ length: 70_000 }, (_, at) => ({
            ...{ name: `${at}`, maybe: at % 3 ? null : `${at}`, money: null },
            ...{ minor: BigInt(at), at: '2026-10-01T00:00:00Z' },
        }));
        const read = tableFromIPC(arrowFile(table, many));
        expect(read.batches.map(({ numRows }) => numRows)).toEqual([65_536, 4_464]);
        for (const at of [0, 65_535, 65_536, 69_999]) {
            expect(read.getChild('name')?.get(at)).toBe(`${at}`);
            expect(read.getChild('maybe')?.get(at)).toBe(at % 3 ? null : `${at}`);
        }
    });

    test('has no type for what could lose digits', () => {
        const of = defineTable('test.rows', {
            ...{ comment: '', grain: ['n'] },
            columns: { n: typed('DOUBLE', '') },
        });
        expect(() => arrowFile(of, [{ n: '1' }])).toThrow('no Arrow type for DOUBLE');
    });
});

describe('tieout export arrow', () => {
    const held = tinyFiles();
    const config = `${held['tieout.yaml']}`.replace(/^hold:.*\n/m, '');
    const project = tinyProject({
        ...held,
        'tieout.yaml': `${config}\nhold: { absolute: "0", percent: "0" }\n`,
    });
    afterAll(project.remove);
    const { folder: cwd } = project;
    const type = (line: string) => tieout(`${line} --period 2026-10`, { cwd });
    beforeAll(async () => {
        await type('run');
    });

    test('a held payer stays out', async () => {
        const said = await type('export arrow --out held.arrow');
        expect(said).toMatchObject({ exit: 1, err: '' });
        expect(said.out).toMatch(/^held +acme: its lines stay out until they are released$/m);
        expect(tableFromIPC(readFileSync(join(cwd, 'held.arrow'))).numRows).toBe(0);
    });

    test('has the lines of line_items.csv, cell by cell', async () => {
        await type('release acme --by ada --reason agreed');
        const said = await type('export arrow --json');
        expect(JSON.parse(said.out)).toMatchObject({
            file: 'line_items-2026-10.arrow',
            line_count: 6,
        });
        const read = tableFromIPC(readFileSync(join(cwd, 'line_items-2026-10.arrow')));
        const run = JSON.parse((await type('export arrow --json')).out).run_id;
        const csv = readFileSync(join(cwd, '.tieout/runs', run, 'output/line_items.csv'), 'utf8');
        const [header = [], ...lines] = parse(csv) as string[][];
        expect(read.schema.fields.map(({ name }) => name)).toEqual(header);
        const isInstant = (name: string) => /^(period|service)_(start|end)$/.test(name);
        const isDecimal = (name: string) => /^DECIMAL|INT$/.test(typeOf(name));
        const typeOf = (name: string) =>
            lineItems.columns[name as keyof typeof lineItems.columns].type;
        const expected = lines.map((line) =>
            line.map((cell, at) => {
                const name = header[at] ?? '';
                if (isInstant(name)) return String(Date.parse(cell));
                return isDecimal(name) && cell ? formatAmount(parseAmount(cell)) : cell;
            }),
        );
        expect(cellsOf(read).map((row) => row.map((cell) => cell ?? ''))).toEqual(expected);
    });
});
