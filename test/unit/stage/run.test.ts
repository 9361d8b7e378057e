import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Engine } from '../../../src/duck/engine.ts';
import {
    bigint,
    date,
    defineTable,
    nullable,
    opaque,
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
    comment: 'Parcels with their day, in the lake.',
    grain: ['parcel_id'],
    columns: { parcel_id: varchar('Parcel.'), sent_on: date('Day.'), size: bigint('Size.') },
    storage: 'lake',
});
const good = 'select order_id as parcel_id, weight, note from given.orders';

let folder: string;
let engine: Engine;

beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tieout-runner-'));
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
    await runStage(stageOf(made), { engine, upstream, position: 1, onCheck });
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
    test('takes back what an earlier select of the stage made', async () => {
        const selects = {
            'packed.days':
                'select order_id as parcel_id, sent_on, 1::bigint as size from given.orders',
            'packed.parcels':
                'select order_id as parcel_id, weight::double as weight, note from given.orders',
        };
        await fails('CONTRACT_MISMATCH', { writes: [days, parcels], selects });
        await run({ writes: [days, parcels], selects: { ...selects, 'packed.parcels': good } });
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

    test('after the stage, in a transaction around it, takes back the stage too', async () => {
        const late = engine.transaction(async () => {
            await run();
            throw new Error('too late');
        });
        await expect(late).rejects.toThrow('too late');
        await expectNothingKept();
        expect(await run()).toEqual(['packed.parcels']);
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
    const selects = {
        'packed.days': 'select order_id as parcel_id, sent_on, 7::bigint as size from given.orders',
    };

    test('is a view with the types of the contract, and with totals', async () => {
        await run({ writes: [days], selects });
        expect(
            await engine.rows(
                "select table_type from information_schema.tables where table_name = 'days'",
            ),
        ).toEqual([{ table_type: 'VIEW' }]);
        expect(await engine.describe('select * from packed.days')).toEqual([
            { name: 'parcel_id', type: 'VARCHAR' },
            { name: 'sent_on', type: 'DATE' },
            { name: 'size', type: 'BIGINT' },
        ]);
        expect(await engine.rows('select relation, row_count from control.totals')).toEqual([
            { relation: 'packed.days', row_count: 2n },
        ]);
    });

    test('has a unique grain', async () => {
        const error = await fails('GRAIN_BROKEN', {
            writes: [days],
            selects: {
                'packed.days':
                    "select 'p' as parcel_id, sent_on, 7::bigint as size from given.orders",
            },
        });
        expect(error.message).toContain("parcel_id='p', row_count=2");
    });
});

describe('a column of any type', () => {
    const packs = defineTable('packed.packs', {
        comment: 'Packs.',
        grain: ['pack_id'],
        columns: { pack_id: varchar('Pack.'), content: opaque('Whatever is in it.') },
    });

    test('is stored as what the select gives', async () => {
        await run({
            writes: [packs],
            selects: {
                'packed.packs':
                    'select order_id as pack_id, struct_pack(weight, note) as content from given.orders',
            },
        });
        expect(await engine.describe('select content from packed.packs')).toEqual([
            { name: 'content', type: 'STRUCT(weight DECIMAL(38,12), note VARCHAR)' },
        ]);
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
                quantity: '0',
                amount: null,
                hash_total: '0',
            },
        ]);
    });
});
