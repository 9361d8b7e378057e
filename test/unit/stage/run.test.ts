import {
    existsSync,
    globSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Engine } from '../../../src/duck/engine.ts';
import {
    bigint,
    date,
    defineTable,
    nullable,
    quantity,
    type Table,
    varchar,
} from '../../../src/duck/table.ts';
import { type ErrorCode, RunError } from '../../../src/errors/index.ts';
import { createControl, replaceTable } from '../../../src/run/prepare.ts';
import {
    count,
    defineStage,
    type Equation,
    type Stage,
    sum,
    violationsSql,
} from '../../../src/stage/define.ts';
import { readStageSql, runStage, stageFingerprint } from '../../../src/stage/run.ts';

/** The runner itself, over a stage that reads orders and makes parcels of them. */
const orders = defineTable('given.orders', {
    comment: 'Orders.',
    grain: ['order_id'],
    columns: {
        order_id: varchar('Order.'),
        weight: quantity('Weight.'),
        sent_on: date('Day.'),
        note: nullable(varchar('Note.')),
    },
});
const parcels = defineTable('packed.parcels', {
    comment: 'Parcels.',
    grain: ['parcel_id'],
    columns: {
        parcel_id: varchar('Parcel.'),
        weight: quantity('Weight.'),
        note: nullable(varchar('Note.')),
    },
    totals: { quantity: 'weight' },
});
const days = defineTable('packed.days', {
    comment: 'Parcels by day, in the lake.',
    grain: ['parcel_id'],
    columns: { parcel_id: varchar('Parcel.'), sent_on: date('Day.'), size: bigint('Size.') },
    storage: 'lake',
    partition: 'sent_on',
});
const good = 'select order_id as parcel_id, weight, note from given.orders';

let folder: string;
let lake: string;
let engine: Engine;

beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tieout-runner-'));
    lake = join(folder, 'lake');
    engine = await Engine.open({ file: ':memory:', memory: '200MB', threads: 1, spill: folder });
    await createControl(engine);
    await replaceTable(engine, orders, [
        { order_id: 'a', weight: '1.5', sent_on: '2026-10-01', note: null },
        { order_id: 'b', weight: '2.25', sent_on: '2026-10-02', note: 'fragile' },
    ]);
});

afterEach(() => {
    engine.close();
    rmSync(folder, { recursive: true, force: true });
});

interface Made {
    readonly selects?: Readonly<Record<string, string>>;
    readonly audits?: Readonly<Record<string, string>>;
    readonly writes?: readonly Table[];
    readonly conserves?: readonly Equation[];
    readonly compiled?: Stage['compiled'];
}

function stageOf({
    selects,
    audits = {},
    writes = [parcels],
    conserves = [],
    compiled,
}: Made = {}): Stage {
    const at = join(folder, 'sql');
    rmSync(at, { recursive: true, force: true });
    mkdirSync(join(at, 'audits'), { recursive: true });
    for (const [name, sql] of Object.entries(selects ?? { 'packed.parcels': good })) {
        writeFileSync(join(at, `${name}.sql`), sql);
    }
    for (const [name, sql] of Object.entries(audits)) {
        writeFileSync(join(at, 'audits', `${name}.sql`), sql);
    }
    return defineStage({
        name: '25-pack',
        folder: at,
        reads: [orders],
        writes,
        conserves,
        ...(compiled ? { compiled } : {}),
    });
}

/** Runs a stage and gives what the runner looked at: nothing when the stage was complete. */
async function run(made: Made = {}, upstream = 'up'): Promise<readonly string[]> {
    const seen: string[] = [];
    const onCheck = (check: string) => seen.push(check);
    await runStage(stageOf(made), { engine, lake, upstream, position: 1, onCheck });
    return seen;
}

async function fails(code: ErrorCode, made: Made): Promise<RunError> {
    const error = await run(made).then(
        () => new Error('it did not fail'),
        (reason: unknown) => reason,
    );
    if (!(error instanceof RunError)) throw error;
    expect(error.code).toBe(code);
    await expectNothingKept();
    return error;
}

async function expectNothingKept(): Promise<void> {
    expect(
        await engine.rows(
            "select table_name from information_schema.tables where table_schema = 'packed'",
        ),
    ).toEqual([]);
    expect(await engine.rows('select * from control.stages')).toEqual([]);
    expect(await engine.rows('select * from control.totals')).toEqual([]);
}

const parcel = (select: string): Made => ({ selects: { 'packed.parcels': select } });

describe('a contract', () => {
    test.each([
        [
            'a DOUBLE into a DECIMAL',
            'select order_id as parcel_id, weight::double as weight, note from given.orders',
            'the select gives weight DOUBLE, the contract says weight DECIMAL(38,12)',
        ],
        [
            'a DECIMAL of another scale',
            'select order_id as parcel_id, weight::decimal(18,2) as weight, note from given.orders',
            'the select gives weight DECIMAL(18,2), the contract says weight DECIMAL(38,12)',
        ],
        [
            'a column that is missing, though it may be null',
            'select order_id as parcel_id, weight from given.orders',
            'the select gives nothing more, the contract says note VARCHAR',
        ],
        [
            'a column too many',
            'select order_id as parcel_id, weight, note, 1 as one from given.orders',
            'the select gives one INTEGER, the contract says nothing more',
        ],
        [
            'another order',
            'select order_id as parcel_id, note, weight from given.orders',
            'the select gives note VARCHAR, weight DECIMAL(38,12), the contract says weight DECIMAL(38,12), note VARCHAR',
        ],
        [
            'another name',
            'select order_id as box_id, weight, note from given.orders',
            'the select gives box_id VARCHAR, the contract says parcel_id VARCHAR',
        ],
    ])('refuses %s before a row is inserted', async (_what, select, message) => {
        const error = await fails('CONTRACT_MISMATCH', parcel(select));
        expect(error.message).toBe(`25-pack/packed.parcels: ${message}`);
    });

    test('holds for what a stage reads as well', async () => {
        await engine.run('alter table given.orders alter weight type double');
        const error = await fails('CONTRACT_MISMATCH', {});
        expect(error.message).toContain('25-pack/given.orders: the select gives weight DOUBLE');
    });

    test('refuses a null where none may be: table', async () => {
        const error = await fails(
            'ENGINE_FAILED',
            parcel('select note as parcel_id, weight, note from given.orders'),
        );
        expect(error.message).toMatch(/^25-pack: .*NOT NULL constraint failed: parcels.parcel_id/);
    });

    test('refuses a null where none may be: lake', async () => {
        const error = await fails('CONTRACT_MISMATCH', {
            writes: [days],
            selects: {
                'packed.days':
                    'select note as parcel_id, sent_on, 1::bigint as size from given.orders',
            },
        });
        expect(error.message).toContain('gives 1 null(s), the contract says no null in parcel_id');
    });
});

describe('after a select', () => {
    test('its grain is unique', async () => {
        const error = await fails(
            'GRAIN_BROKEN',
            parcel("select 'p' as parcel_id, weight, note from given.orders"),
        );
        expect(error.message).toBe(
            "25-pack/packed.parcels: more than one row for the same (parcel_id):\n    parcel_id='p', row_count=2",
        );
    });

    test('a grain of a null and a text is unique', async () => {
        const by = defineTable('packed.notes', {
            comment: 'Notes.',
            grain: ['note'],
            columns: { note: nullable(varchar('Note.')) },
        });
        const selects = { 'packed.notes': 'select note from given.orders' };
        expect(await run({ writes: [by], selects })).toEqual(['packed.notes']);
    });

    test('audits find no row; what one finds is shown, ten at most', async () => {
        const error = await fails('AUDIT_FAILED', {
            audits: {
                'a-fine-one': 'select 1 as one where false',
                'no-parcel-is-heavy':
                    '-- Prose.\nselect parcel_id, weight, range as at, note is null as is_bare from packed.parcels, range(9) where weight > 1;',
            },
        });
        const [first, ...rows] = error.message.split('\n');
        expect(first).toBe(
            '25-pack/no-parcel-is-heavy: 18 rows break the audit, the first 10 are:',
        );
        expect(rows).toHaveLength(10);
        expect(rows[0]).toMatch(/^ {4}parcel_id='a', weight=1\.500000000000, at=0, is_bare=true$/);
        expect(error.remedy).toContain('pipelines/25-pack/audits/no-parcel-is-heavy.sql');
    });

    test('equations hold, and say for which key they do not', async () => {
        const conserves = [
            {
                name: 'weight is conserved',
                by: ['note'],
                left: sum('weight', parcels),
                right: [sum('weight', orders), sum('weight', orders, "note = 'fragile'")],
            },
        ];
        const error = await fails('NOT_CONSERVED', { conserves });
        expect(error.message).toBe(
            "25-pack/weight is conserved: Σ weight of packed.parcels = Σ weight of given.orders + Σ weight of given.orders where note = 'fragile' for note='fragile': 2.250000000000 is not 4.500000000000",
        );
    });

    test('an equation over no rows holds: nothing is nothing', async () => {
        await engine.run('delete from given.orders');
        const conserves = [
            { name: 'rows', by: [], left: count(parcels), right: [count(orders)] },
            {
                name: 'weight',
                by: [],
                left: sum('weight', parcels),
                right: [sum('weight', orders)],
            },
        ];
        expect(await run({ conserves })).toEqual(['packed.parcels']);
    });

    test('an equation sees a side that is empty', async () => {
        const equation = {
            name: 'weight',
            by: ['note'],
            left: sum('weight', orders, 'false'),
            right: [sum('weight', orders)],
        };
        expect(await engine.rows(violationsSql(equation))).toMatchObject([
            { note: 'fragile', left_side: '0.000000000000' },
            { note: null, left_side: '0.000000000000' },
        ]);
    });

    test('an error of the engine has the name of the stage', async () => {
        const error = await fails('ENGINE_FAILED', parcel('select * from given.nothing'));
        expect(error.message).toMatch(/^25-pack: Catalog Error: Table with name nothing/);
        const { params } = error as RunError<'ENGINE_FAILED'>;
        expect(params).toMatchObject({ stage: '25-pack' });
    });

    test('a compiled view that does not bind is an expression of the config', async () => {
        const table = defineTable('packed.wanted', {
            comment: 'Wanted.',
            grain: ['order_id'],
            columns: { order_id: varchar('Order.') },
            storage: 'view',
        });
        const sql = "select order_id from given.orders where weight > 'heavy'::blob";
        const error = await fails('EXPRESSION_INVALID', { compiled: [{ table, sql }] });
        expect(error.exit).toBe(2);
    });
});

describe('a failure', () => {
    test('takes back what an earlier select of the stage made, and its files', async () => {
        const selects = {
            'packed.days':
                'select order_id as parcel_id, sent_on, 1::bigint as size from given.orders',
            'packed.parcels':
                'select order_id as parcel_id, weight::double as weight, note from given.orders',
        };
        await fails('CONTRACT_MISMATCH', { writes: [days, parcels], selects });
        // Files cannot roll back: nothing reads them, and the next attempt removes them.
        await run({ writes: [days, parcels], selects: { ...selects, 'packed.parcels': good } });
        expect(globSync(join(lake, 'packed.days/*/*.parquet'))).toHaveLength(2);
        const { rows } = await engine.one('select count(*) as rows from packed.days');
        expect(rows).toBe(2n);
    });

    test('keeps nothing of an earlier success either', async () => {
        await run();
        await fails(
            'GRAIN_BROKEN',
            parcel("select 'p' as parcel_id, weight, note from given.orders"),
        );
    });

    test('leaves the engine fit for the next attempt', async () => {
        await fails(
            'GRAIN_BROKEN',
            parcel("select 'p' as parcel_id, weight, note from given.orders"),
        );
        expect(await run()).toEqual(['packed.parcels']);
        expect(await engine.rows('select stage from control.stages')).toEqual([
            { stage: '25-pack' },
        ]);
    });
});

describe('a complete stage', () => {
    test('is not run again', async () => {
        expect(await run()).toEqual(['packed.parcels']);
        await engine.run('delete from packed.parcels');
        expect(await run()).toEqual([]);
        expect(await engine.rows('select * from packed.parcels')).toEqual([]);
    });

    test.each([
        ['what came before it', {}, 'other'],
        ['its SQL', parcel(`${good} where true`), 'up'],
        ['an audit', { audits: { fine: 'select 1 as one where false' } }, 'up'],
        [
            'an equation',
            { conserves: [{ name: 'rows', by: [], left: count(parcels), right: [count(orders)] }] },
            'up',
        ],
        ['a contract', { writes: [{ ...parcels, comment: 'Other.' }] }, 'up'],
    ])('is run again when %s has changed', async (_what, made, upstream) => {
        await run();
        await engine.run('delete from packed.parcels');
        expect((await run(made, upstream)).length).toBeGreaterThan(0);
        expect(await engine.rows('select parcel_id from packed.parcels order by 1')).toEqual([
            { parcel_id: 'a' },
            { parcel_id: 'b' },
        ]);
        expect(await engine.rows('select stage from control.stages')).toHaveLength(1);
    });

    test('has a fingerprint of its SQL, its contracts and all before it', () => {
        const stage = stageOf();
        const sql = readStageSql(stage);
        const fingerprint = stageFingerprint(stage, sql, 'up');
        expect(stageFingerprint(stage, sql, 'up')).toBe(fingerprint);
        expect(stageFingerprint(stage, sql, 'down')).not.toBe(fingerprint);
        const other = readStageSql(stageOf(parcel(`${good} limit 1`)));
        expect(stageFingerprint(stage, other, 'up')).not.toBe(fingerprint);
    });
});

describe('a relation in the lake', () => {
    const noted = { ...days, columns: { ...days.columns, note: nullable(varchar('Note.')) } };
    const withNote = (note: string): Made => ({
        writes: [noted],
        selects: {
            'packed.days': `select order_id as parcel_id, sent_on, 1::bigint as size, ${note} as note from given.orders`,
        },
    });
    const storedColumns = () =>
        engine.rows(
            `select distinct path_in_schema as name from parquet_metadata('${lake}/packed.days/*/*.parquet') order by name`,
        );

    test('does not store a column without a value, and still has it', async () => {
        await run(withNote('cast(null as varchar)'));
        expect(await storedColumns()).toEqual(
            ['parcel_id', 'sent_on', 'size'].map((name) => ({ name })),
        );
        expect(await engine.rows('select parcel_id, note from packed.days order by all')).toEqual([
            { parcel_id: 'a', note: null },
            { parcel_id: 'b', note: null },
        ]);
    });

    test('stores a column of which one row has a value', async () => {
        await run(withNote('note'));
        expect(await storedColumns()).toContainEqual({ name: 'note' });
        expect(await engine.rows('select parcel_id, note from packed.days order by all')).toEqual([
            { parcel_id: 'a', note: null },
            { parcel_id: 'b', note: 'fragile' },
        ]);
    });

    const selects = {
        'packed.days': 'select order_id as parcel_id, sent_on, 7::bigint as size from given.orders',
    };

    test('is Parquet by day, behind a view with the types of the contract', async () => {
        await run({ writes: [days], selects });
        expect(readdirSync(join(lake, 'packed.days')).sort()).toEqual([
            'sent_on=2026-10-01',
            'sent_on=2026-10-02',
        ]);
        expect(existsSync(join(lake, 'packed.days.partial'))).toBe(false);
        expect(await engine.rows('select * from packed.days order by parcel_id')).toEqual([
            { parcel_id: 'a', sent_on: '2026-10-01', size: 7n },
            { parcel_id: 'b', sent_on: '2026-10-02', size: 7n },
        ]);
    });

    test('of no rows can be read', async () => {
        await engine.run('delete from given.orders');
        await run({ writes: [days], selects });
        expect(await engine.rows('select * from packed.days')).toEqual([]);
        expect(await engine.describe('select * from packed.days')).toEqual([
            { name: 'parcel_id', type: 'VARCHAR' },
            { name: 'sent_on', type: 'DATE' },
            { name: 'size', type: 'BIGINT' },
        ]);
    });

    test('starts from nothing, whatever lies there', async () => {
        for (const name of ['packed.days', 'packed.days.partial']) {
            mkdirSync(join(lake, name, 'sent_on=1999-01-01'), { recursive: true });
            writeFileSync(join(lake, name, 'sent_on=1999-01-01/data_0.parquet'), 'rubbish');
        }
        await run({ writes: [days], selects });
        expect(globSync(join(lake, '**/*.parquet'))).toHaveLength(2);
    });
});

describe('a relation driven by another', () => {
    const driven = { ...parcels, drivenBy: 'given.urgent' };
    const urgent = defineTable('given.urgent', {
        comment: 'Urgent orders.',
        grain: ['order_id'],
        columns: { order_id: varchar('Order.') },
    });

    test.each([
        ['is not selected where that is empty', [], 0n],
        ['is where it is not', [{ order_id: 'a' }], 2n],
    ])('%s', async (_name, rows, expected) => {
        await replaceTable(engine, urgent, rows);
        await run({ writes: [driven] });
        const found = await engine.one('select count(*) as parcels from packed.parcels');
        expect(found.parcels).toBe(expected);
    });
});

describe('control totals', () => {
    const totals = () =>
        engine.rows(
            'select relation, row_count, quantity, amount, hash_total from control.totals order by relation',
        );

    test('are count, quantity and a hash of every relation', async () => {
        await run({
            writes: [parcels, days],
            selects: {
                'packed.parcels': good,
                'packed.days':
                    'select order_id as parcel_id, sent_on, 7::bigint as size from given.orders',
            },
        });
        expect(await totals()).toEqual([
            {
                relation: 'packed.days',
                row_count: 2n,
                quantity: null,
                amount: null,
                hash_total: expect.stringMatching(/^\d+$/),
            },
            {
                relation: 'packed.parcels',
                row_count: 2n,
                quantity: '3.750000000000',
                amount: null,
                hash_total: expect.stringMatching(/^\d+$/),
            },
        ]);
    });

    test('do not depend on the order of rows, and see any change of them', async () => {
        await run();
        const [before] = await totals();
        await run(parcel(`${good} order by order_id desc`));
        expect(await totals()).toEqual([before]);
        await run(parcel("select order_id as parcel_id, weight, 'x' as note from given.orders"));
        const [after] = await totals();
        expect(after).toMatchObject({ row_count: 2n, quantity: '3.750000000000' });
        expect(after?.hash_total).not.toBe(before?.hash_total);
    });

    test('of nothing are zero', async () => {
        await engine.run('delete from given.orders');
        await run();
        expect(await totals()).toEqual([
            {
                relation: 'packed.parcels',
                row_count: 0n,
                quantity: '0.000000000000',
                amount: null,
                hash_total: '0',
            },
        ]);
    });
});
