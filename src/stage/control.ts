import { bigint, defineTable, nullable, timestamp, varchar } from '../duck/table.ts';

/** What every stage states about every relation it made. */
export const controlTotals = defineTable('control.totals', {
    comment: 'One row per relation made: how many rows, how much, and a hash over their identity.',
    grain: ['stage', 'relation', 'side', 'slice'],
    columns: {
        stage: varchar('Stage that made the relation.'),
        relation: varchar('Relation, schema.name.'),
        side: varchar('out: made by the stage.'),
        slice: varchar('all, or the part of the relation.'),
        row_count: bigint('Rows.'),
        quantity: nullable(varchar('Exact sum of the quantity column, where there is one.')),
        amount: nullable(varchar('Exact sum of the amount column, where there is one.')),
        hash_total: varchar(
            'Order-independent sum of 64-bit hashes of rows; of keys at event scale.',
        ),
    },
});

/** Which stages are complete, and what they were made from. */
export const controlStages = defineTable('control.stages', {
    comment: 'One row per completed stage with the fingerprint of everything it was made from.',
    grain: ['stage'],
    columns: {
        stage: varchar('Stage.'),
        position: bigint('Order in the pipeline, from 1.'),
        fingerprint: varchar('sha256 over SQL, contracts, parameters and the stage before.'),
        sql_sha256: varchar('JSON: file name to sha256.'),
        audits: varchar('JSON: names of the audits that returned no rows.'),
    },
});

/** The parameters of a run, in a relation so that views can read them and a typo is an error. */
export const runParameters = defineTable('run.parameters', {
    comment: 'The one row of parameters of this run.',
    grain: ['run_id'],
    columns: {
        run_id: varchar('Identity of the run.'),
        period: varchar('Billing period, yyyy-MM.'),
        period_start: timestamp('The period in UTC: for what belongs to no known payer.'),
        period_end: timestamp('First instant after it.'),
        as_of: timestamp('What was known: ages are counted to here.'),
        open_hold_hours: bigint('A hold open for longer than this is a break.'),
        suspense_percent: varchar('Share of unusable lines that stops the run.'),
        hold_absolute: varchar('Breaks of a payer up to this much are let through.'),
        hold_percent: varchar('Or up to this share of its charges.'),
    },
});

/** Where a run was made, so that one that is moved finds its lake again. */
export const runHome = defineTable('run.home', {
    comment: 'The one row of where this database was made.',
    grain: ['folder'],
    columns: { folder: varchar('Folder of the state: absolute paths in here begin with it.') },
});

/** What partials and a reconciliation can be kept for, in a run that is re-priced from them. */
export const runBasis = defineTable('run.basis', {
    comment: 'One row per part of what a run was made from, rates and accounts left out.',
    grain: ['part'],
    columns: {
        part: varchar('inputs, meters or reconciliation.'),
        sha256: varchar('Over the config and the SQL of that part.'),
    },
});

/** Where metered usage was cut. */
export const runBoundaries = defineTable('run.boundaries', {
    comment: 'One row per meter and instant at which a rate changes, or a promise begins or ends.',
    grain: ['meter', 'boundary_at'],
    columns: {
        meter: varchar('A meter that cannot be added up; empty for all others together.'),
        boundary_at: timestamp('First instant after the change.'),
    },
});
