import {
    bigint,
    defineTable,
    hugeint,
    nullable,
    timestamp,
    varchar,
    varcharList,
} from '../../src/duck/table.ts';

/**
 * Sizes are whole numbers here, in units that whoever fills these tables chooses so that nothing has
 * to be rounded before the one rounding of a charge: units of a quantity, or parts of a cent. An
 * owner is a key, within which charges, commitments and grants meet: a line of a quote, a payer.
 */
const owner = { owner_id: varchar('Whose charges, commitments and grants these are.') };
const commitmentId = { commitment_id: varchar('Commitment; unique within its owner.') };
const grantId = { grant_id: varchar('Grant; unique within its owner.') };
const chargeNo = { charge_no: bigint('Order in which charges count and draw.') };
const asset = { asset: varchar('What it is a size of: a currency, or units.') };
const rounding = {
    rounding_divisor: hugeint('An exact size over this is the size in its last decimal.'),
    rounding_mode: varchar('half_away or half_even.'),
};

export const charges = defineTable('drawing.charges', {
    comment: 'One row per charge, before commitments and grants.',
    grain: ['owner_id', 'charge_no'],
    columns: {
        ...owner,
        ...chargeNo,
        product: nullable(varchar('What it is for; null is in every scope.')),
        ...asset,
        first_at: nullable(timestamp('First instant it is for; null is in every window.')),
        last_at: nullable(timestamp('Last instant it is for, inclusive.')),
        commitment_id: nullable(varchar('The commitment it counts towards, if any.')),
        size: hugeint('What it comes to at its own price.'),
        beyond: hugeint('More of it, which is overage of a commitment counted elsewhere; else 0.'),
        within_factor: hugeint('Size up to the commitment x this is exact.'),
        above_factor: hugeint('Size above the commitment x this is exact: what overage costs.'),
        ...rounding,
    },
});

export const commitments = defineTable('drawing.commitments', {
    comment: 'One row per commitment and window in which it is counted: a size that was promised.',
    grain: ['owner_id', 'commitment_id'],
    columns: {
        ...owner,
        ...commitmentId,
        committed: hugeint('Promised, prorated where it is.'),
        counted_before: hugeint('Counted in the same window by what was billed earlier.'),
        true_up: varchar('due: its window ends with these charges; none: no shortfall is billed.'),
        within_factor: hugeint('Shortfall x this is exact.'),
        ...rounding,
    },
});

export const grants = defineTable('drawing.grants', {
    comment: 'One row per grant: what it holds, and what its place in the order depends on.',
    grain: ['owner_id', 'grant_id'],
    columns: {
        ...owner,
        ...grantId,
        ...asset,
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

export const scopes = defineTable('drawing.scopes', {
    comment: 'One row per product that a grant is for; a grant without any is for all.',
    grain: ['owner_id', 'grant_id', 'product'],
    columns: { ...owner, ...grantId, product: varchar('Product.') },
});

export const orders = defineTable('drawing.orders', {
    comment: 'One row per term of the order in which the grants of an owner draw.',
    grain: ['owner_id', 'position'],
    columns: {
        ...owner,
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

export const parts = defineTable('drawn.parts', {
    comment: 'One row per charge: its part up to the commitment and its part above.',
    grain: ['owner_id', 'charge_no'],
    columns: {
        ...owner,
        ...chargeNo,
        commitment_id: nullable(varchar('The commitment it counts towards.')),
        within: hugeint('At its own price.'),
        above: hugeint('At the price of overage.'),
    },
});

export const settled = defineTable('drawn.charges', {
    comment: 'One row per charge: what it comes to with its overage, exact and rounded once.',
    grain: ['owner_id', 'charge_no'],
    columns: {
        ...owner,
        ...chargeNo,
        ...asset,
        exact: hugeint('Both parts, each at its price.'),
        overage: hugeint('Of this, the part above.'),
        rounded: hugeint('Exact, in its last decimal.'),
        rounded_overage: hugeint('Overage, in its last decimal.'),
    },
});

export const trueUps = defineTable('drawn.true_ups', {
    comment: 'One row per commitment: what counted, what is missing, what bills it.',
    grain: ['owner_id', 'commitment_id'],
    columns: {
        ...owner,
        ...commitmentId,
        counted: hugeint('Sizes of its charges, those of earlier bills too.'),
        shortfall: hugeint('Committed less counted, where that is above 0.'),
        exact: hugeint('The true-up.'),
        rounded: hugeint('The same in its last decimal.'),
    },
});

export const rankedGrants = defineTable('drawn.grants', {
    comment: 'One row per grant: its turn among those of its owner and asset.',
    grain: ['owner_id', 'grant_id'],
    columns: {
        ...owner,
        ...grantId,
        ...asset,
        turn: bigint('From 1, without gaps.'),
        available: hugeint('What it can give.'),
        products: varcharList('What it is for, sorted; empty for all.'),
        starts_at: nullable(timestamp('As given.')),
        expires_at: nullable(timestamp('As given.')),
    },
});

export const drawDowns = defineTable('drawn.draw_downs', {
    comment: 'One row per charge and grant that it draws: the ledger.',
    grain: ['owner_id', 'charge_no', 'grant_id'],
    columns: {
        ...owner,
        ...chargeNo,
        ...grantId,
        ...asset,
        turn: bigint('Turn of the grant.'),
        drawn: hugeint('Above 0.'),
        balance: hugeint('What the grant has left after it.'),
    },
});

export const balances = defineTable('drawn.balances', {
    comment: 'One row per grant: opening + granted - drawn - expired = closing.',
    grain: ['owner_id', 'grant_id'],
    columns: {
        ...owner,
        ...grantId,
        ...asset,
        opening: hugeint('As given.'),
        granted: hugeint('As given.'),
        drawn: hugeint('By all charges.'),
        expired: hugeint('Left when it ended, if it ended by the close.'),
        closing: hugeint('Left to draw later.'),
    },
});

export const remainders = defineTable('drawn.remainders', {
    comment: 'One row per charge: what no grant paid for.',
    grain: ['owner_id', 'charge_no'],
    columns: {
        ...owner,
        ...chargeNo,
        charged: hugeint('The charge, rounded.'),
        drawn: hugeint('From grants.'),
        remaining: hugeint('Charged less drawn.'),
    },
});
