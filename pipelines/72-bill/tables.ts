import {
    amount,
    bigint,
    boolean,
    defineTable,
    exactAmount,
    hugeint,
    nullable,
    quantity,
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
            'Whether the window ends with the period or in it, is over as of the run, and a shortfall is billed.',
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
        meter: nullable(
            varchar(
                'Meter of the units it holds: they pay its lines at what those cost; else null.',
            ),
        ),
        asset: varchar('What it holds; of units of a meter, its name.'),
        precision: bigint('Decimals of the asset.'),
        opening: amount('Balance before the period.'),
        granted: amount('Given in the period.'),
        rate: nullable(
            amount(
                'Money of one unit in the currency of the payer, 1 for that; null with a meter.',
            ),
        ),
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

/** Filled from the currency list: the exponent that a line is rounded to. */
export const currencies = defineTable('rules.currencies', {
    comment: 'One row per currency of a payer.',
    grain: ['currency'],
    columns: {
        currency: varchar('ISO 4217.'),
        exponent: bigint('Decimals of the minor unit.'),
    },
});

/** Filled from the config: their usage is one over the period, and cannot be cut at an instant. */
export const wholeMeters = defineTable('rules.whole_meters', {
    comment: 'One row per meter whose quantities of parts of the period do not add up.',
    grain: ['meter'],
    columns: { meter: varchar('Meter.') },
});

const payer = { payer_id: varchar('Account that pays.') };
const lineKey = { line_key: varchar('Line.') };
const span = {
    span_start: timestamp('First instant of the span.'),
    span_end: timestamp('First instant after it.'),
};
const chargeNo = { charge_no: bigint('Order in which charges count and draw.') };

export const lineAccounts = defineTable('billed.line_accounts', {
    comment: 'One row per payer and account: in whose lines it is shown.',
    grain: ['payer_id', 'account_id'],
    columns: {
        ...payer,
        account_id: varchar('Account that used.'),
        line_account_id: varchar('Itself, or an account above it that sums it up.'),
    },
});

export const billedLines = defineTable('billed.lines', {
    comment: 'One row per line of usage or fees, rounded once.',
    grain: ['line_key'],
    totals: { quantity: 'quantity', amount: 'amount_exact' },
    columns: {
        line_key: varchar('sha256 of what the line is: the same in every run.'),
        line_type: varchar('usage, or fee where the rate is a flat one.'),
        ...payer,
        account_id: varchar('Account that used, or that sums up those below it.'),
        pool_id: varchar('Pool or contract it counts in; empty unless its rate counts by one.'),
        product: varchar('Product.'),
        meter: varchar('Meter.'),
        attributes: varchar('Attributes that selected the rate.'),
        rate_id: varchar('Rate.'),
        unit: varchar('Unit.'),
        unit_price: quantity('Price of one unit; where terms price it, the list price.'),
        quantity: quantity('Quantity.'),
        amount_exact: exactAmount('Never rounded before this.'),
        amount: amount('Rounded once, to the exponent of the currency.'),
        amount_minor: hugeint('The same in minor units.'),
        currency: varchar('ISO 4217.'),
        service_start: timestamp('The part of the period the rate was in force for.'),
        service_end: timestamp('First instant after that.'),
    },
});

export const spans = defineTable('billed.spans', {
    comment: 'One row per payer and span in which the same commitments and grants hold.',
    grain: ['payer_id', 'span_start'],
    columns: { ...payer, ...span },
});

const portion = {
    ...payer,
    ...lineKey,
    account_id: varchar('Account that used.'),
    ...span,
    quantity: quantity('What it used at the rate of the line.'),
};

export const portions = defineTable('billed.portions', {
    comment: 'One row per line, account that used and span; the period where that is not known.',
    grain: ['line_key', 'account_id', 'span_start', 'span_end'],
    totals: { quantity: 'quantity' },
    columns: portion,
});

export const billedParts = defineTable('billed.parts', {
    comment: 'One row per part of a line: what an account used in a span, in minor units.',
    grain: ['payer_id', 'charge_no'],
    columns: {
        ...portion,
        ...chargeNo,
        line_type: varchar('usage or fee.'),
        product: varchar('Product.'),
        meter: varchar('Meter.'),
        amount_minor: hugeint('Its part of the rounded line.'),
    },
});

export const payments = defineTable('billed.payments', {
    comment: 'One row per part of a line and asset that paid for it, or payment without a line.',
    grain: ['payer_id', 'account_id', 'product', 'asset', 'charge_no'],
    totals: { amount: 'amount_exact' },
    columns: {
        ...payer,
        account_id: varchar('Account that used, from its wallet.'),
        product: varchar('Product.'),
        asset: varchar('Asset of the wallet.'),
        charge_no: nullable(bigint('Part that was paid for; null where there is none.')),
        line_key: nullable(varchar('Line of the part; null likewise.')),
        amount_exact: exactAmount('Paid, in money, unrounded.'),
        currency: varchar('ISO 4217: that of the payer.'),
    },
});

const settlement = {
    ...payer,
    account_id: varchar('Account in whose lines it is shown.'),
    product: varchar('Product of the charges that were paid for.'),
    asset: varchar('Asset of the wallets.'),
};

export const lineSettlements = defineTable('billed.line_settlements', {
    comment: 'One row per line and asset that paid of it: its part of the settlement.',
    grain: ['payer_id', 'account_id', 'product', 'asset', 'line_key'],
    totals: { amount: 'amount_exact' },
    columns: {
        ...settlement,
        line_key: nullable(varchar('Line; null for what was paid without one.')),
        amount_exact: exactAmount('Paid, in money, unrounded.'),
        amount_minor: hugeint('The line less what remains of it rounded once, in minor units.'),
        currency: varchar('ISO 4217.'),
    },
});

export const settlements = defineTable('billed.settlements', {
    comment: 'One row per account whose lines show it, product and asset: what wallets paid.',
    grain: ['payer_id', 'account_id', 'product', 'asset'],
    totals: { amount: 'amount_exact' },
    columns: {
        ...settlement,
        asset_amount: exactAmount('Debited, in the asset.'),
        rate: nullable(amount('Money of one unit; null where it changed.')),
        amount_exact: exactAmount('The same in money.'),
        amount_minor: hugeint('What its lines settle, in minor units.'),
        currency: varchar('ISO 4217.'),
    },
});

export const paidParts = defineTable('billed.paid_parts', {
    comment: 'One row per part of a line that a wallet paid for, or some of it.',
    grain: ['payer_id', 'charge_no'],
    columns: { ...payer, ...chargeNo, paid: hugeint('Above 0, at most the part.') },
});

export const countedParts = defineTable('billed.counted_parts', {
    comment: 'One row per part of a line and commitment that it counts towards.',
    grain: ['payer_id', 'charge_no', 'measure'],
    columns: {
        ...payer,
        ...chargeNo,
        measure: varchar('amount or quantity: it may count towards one of each.'),
        commitment_id: varchar('The one with the deepest account, then the fewest products.'),
    },
});

export const unitDraws = defineTable('billed.unit_draws', {
    comment: 'One row per part of a line and balance of prepaid units that pays of it.',
    grain: ['payer_id', 'charge_no', 'grant_id'],
    columns: {
        ...payer,
        ...chargeNo,
        grant_id: varchar('Balance of a prepaid commitment in units of the meter.'),
        drawn: hugeint('Units, in 10^-12. Above 0.'),
        amount_minor: hugeint('What they cost in the line, in minor units.'),
    },
});

/**
 * Sizes are whole numbers in `drawing.*`, in units that whoever fills these tables chooses so that
 * nothing has to be rounded before the one rounding of a charge: units of a quantity, minor units, or
 * parts of them. An owner is a key, within which charges, commitments and grants meet: a line of a
 * quote, a payer.
 */
const drawingOwner = { owner_id: varchar('Whose charges, commitments and grants these are.') };
const commitmentId = { commitment_id: varchar('Commitment; unique within its owner.') };
const grantId = { grant_id: varchar('Grant; unique within its owner.') };
const drawingAsset = { asset: varchar('What it is a size of: a currency, or units.') };
const rounding = {
    rounding_divisor: hugeint('An exact size over this is the size in its last decimal.'),
    rounding_mode: varchar('half_away or half_even.'),
};

export const drawingCharges = defineTable('drawing.charges', {
    comment: 'One row per charge, before commitments and grants.',
    grain: ['owner_id', 'charge_no'],
    columns: {
        ...drawingOwner,
        ...chargeNo,
        account_id: nullable(varchar('Who used; null is in reach of every grant.')),
        product: nullable(varchar('What it is for; null is in every scope.')),
        ...drawingAsset,
        first_at: nullable(timestamp('First instant it is for; null is in every window.')),
        last_at: nullable(timestamp('Last instant it is for, inclusive.')),
        commitment_id: nullable(varchar('The commitment it counts towards, if any.')),
        size: hugeint('What it comes to at its own price.'),
        paid: hugeint('Paid before any grant; at most all of it at its own price.'),
        beyond: hugeint('More of it, which is overage of a commitment counted elsewhere; else 0.'),
        within_factor: hugeint('Size up to the commitment x this is exact.'),
        above_factor: hugeint('Size above the commitment x this is exact: what overage costs.'),
        ...rounding,
    },
});

export const drawingCommitments = defineTable('drawing.commitments', {
    comment: 'One row per commitment and window in which it is counted: a size that was promised.',
    grain: ['owner_id', 'commitment_id'],
    columns: {
        ...drawingOwner,
        ...commitmentId,
        committed: hugeint('Promised, prorated where it is.'),
        counted_before: hugeint('Counted in the same window by what was billed earlier.'),
        true_up: varchar('due: its window ends with these charges; none: no shortfall is billed.'),
        within_factor: hugeint('Shortfall x this is exact.'),
        ...rounding,
    },
});

export const drawingGrants = defineTable('drawing.grants', {
    comment: 'One row per grant: what it holds, and what its place in the order depends on.',
    grain: ['owner_id', 'grant_id'],
    columns: {
        ...drawingOwner,
        ...grantId,
        ...drawingAsset,
        opening: hugeint('Balance it came with, in last decimals of the charges.'),
        granted: hugeint('Given since.'),
        priority: bigint('Lower draws first.'),
        is_rollover: bigint('1: carried over from an earlier period; 0: fresh.'),
        cost_basis: hugeint('What was paid for it; 0 for a promotion.'),
        starts_at: nullable(timestamp('First instant whose charges it draws; null: always.')),
        expires_at: nullable(timestamp('First instant whose charges it no longer draws.')),
        closes_at: nullable(timestamp('End of what is billed; null when nothing expires by it.')),
    },
});

export const drawingScopes = defineTable('drawing.scopes', {
    comment: 'One row per product that a grant is for; a grant without any is for all.',
    grain: ['owner_id', 'grant_id', 'product'],
    columns: { ...drawingOwner, ...grantId, product: varchar('Product.') },
});

export const drawingReaches = defineTable('drawing.reaches', {
    comment: 'One row per account that a grant is for; a grant without any is for all.',
    grain: ['owner_id', 'grant_id', 'account_id'],
    columns: { ...drawingOwner, ...grantId, account_id: varchar('Account that uses.') },
});

export const drawingOrders = defineTable('drawing.orders', {
    comment: 'One row per term of the order in which the grants of an owner draw.',
    grain: ['owner_id', 'position'],
    columns: {
        ...drawingOwner,
        position: bigint('From 1: the first term that differs decides; then the id of the grant.'),
        term: varchar('priority, rollover, cost_basis, scope, expires_at or starts_at.'),
    },
});

/** The order unless a contract says another; ids decide what is left. */
export const defaultOrder = [
    'priority',
    'rollover',
    'cost_basis',
    'scope',
    'expires_at',
    'starts_at',
] as const;
