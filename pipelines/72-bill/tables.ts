import {
    amount,
    bigint,
    boolean,
    defineTable,
    nullable,
    timestamp,
    varchar,
} from '../../src/duck/table.ts';

/**
 * What contracts promise and give, for one period. Filled by src/compile/promises.ts; instants are
 * UTC, windows half-open.
 */
export const commitments = defineTable('rules.commitments', {
    comment: 'One row per commitment whose window touches the period of its payer.',
    grain: ['payer_id', 'commitment_id'],
    columns: {
        payer_id: varchar('Account that pays.'),
        commitment_id: varchar('contract/commitment: unique among all.'),
        contract_id: varchar('Contract that holds it.'),
        account_id: varchar('It is for this account and all below it that the payer pays for.'),
        depth: bigint('Levels from the root to that account; of several, the deepest counts.'),
        kind: varchar('postpaid: a shortfall is billed; prepaid: a fee is, and usage draws on it.'),
        measure: varchar('amount: lines as billed count; quantity: units of its meter count.'),
        meter: nullable(varchar('Meter whose units count; null for an amount.')),
        currency: varchar('ISO 4217: that of the payer.'),
        window_start: timestamp('First instant of the window, within the contract.'),
        window_end: timestamp('First instant after it.'),
        committed: amount('Promised within the window, prorated; cumulative: up to its end.'),
        counted_before: amount(
            'Counted before the period: in the window; cumulative: since the begin.',
        ),
        is_cumulative: boolean('Whether windows before this one count with it.'),
        is_due: boolean(
            'Whether the window ends with the period or in it, and a shortfall is billed.',
        ),
        shortfall_price: nullable(amount('Price of one missing unit; null for an amount.')),
        overage_factor: nullable(
            amount('What lies above costs its own price times this; null for none.'),
        ),
        overage_unit_price: nullable(amount('What lies above costs this per unit instead.')),
        fee: nullable(amount('Billed now: the window of a prepaid one begins in the period.')),
        product: varchar('Product that lines of its own name.'),
        description: varchar('What such a line says.'),
    },
});

export const grants = defineTable('rules.grants', {
    comment: 'One row per grant that can pay in the period; sizes are in its asset.',
    grain: ['payer_id', 'grant_id'],
    columns: {
        payer_id: varchar('Account that pays.'),
        grant_id: varchar(
            'contract/grant, with @date of a recurrence and ~rollover: unique among all.',
        ),
        contract_id: varchar('Contract that gives it.'),
        account_id: varchar('It is for this account and all below it that the payer pays for.'),
        commitment_id: nullable(varchar('The prepaid commitment whose balance it is; else null.')),
        asset: varchar('What it holds.'),
        precision: bigint('Decimals of the asset.'),
        opening: amount('Balance before the period.'),
        granted: amount('Given in the period.'),
        rate: amount('Money of one unit in the currency of the payer; 1 for that currency.'),
        currency: varchar('ISO 4217: that of the payer.'),
        priority: bigint('Lower draws first.'),
        is_rollover: boolean('Carried over from another grant.'),
        cost_basis: amount('What was paid for it; 0 for a promotion.'),
        starts_at: timestamp('First instant whose usage it pays.'),
        expires_at: nullable(timestamp('First instant whose usage it no longer pays.')),
        rollover_id: nullable(varchar('Grant that what is left goes to when it expires.')),
        rollover_fraction: nullable(amount('The share of it that goes there.')),
        product: varchar('Product that its lines name where they pay for none in particular.'),
        description: varchar('What such a line says.'),
    },
});

const holder = {
    payer_id: varchar('Account that pays.'),
    holder_id: varchar('commitment_id or grant_id.'),
};

export const holderAccounts = defineTable('rules.holder_accounts', {
    comment: 'One row per commitment or grant and account that it is for, whole trees included.',
    grain: ['payer_id', 'holder_id', 'account_id'],
    columns: { ...holder, account_id: varchar('Account that uses.') },
});

export const holderProducts = defineTable('rules.holder_products', {
    comment: 'One row per commitment or grant and product in its scope; without any, all are.',
    grain: ['payer_id', 'holder_id', 'product'],
    columns: { ...holder, product: varchar('Product.') },
});

export const drawOrder = defineTable('rules.draw_order', {
    comment: 'One row per term of the order in which grants draw; then by id.',
    grain: ['position'],
    columns: {
        position: bigint('From 1.'),
        term: varchar('priority, rollover, cost_basis, scope, expires_at or starts_at.'),
    },
});
