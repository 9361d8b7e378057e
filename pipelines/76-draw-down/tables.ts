import {
    bigint,
    defineTable,
    hugeint,
    nullable,
    timestamp,
    varchar,
    varcharList,
} from '../../src/duck/table.ts';

/** Sizes are whole numbers, in the units of `drawing.*`: see 72-bill. */
const owner = { owner_id: varchar('Whose charges, commitments and grants these are.') };
const commitmentId = { commitment_id: varchar('Commitment; unique within its owner.') };
const grantId = { grant_id: varchar('Grant; unique within its owner.') };
const chargeNo = { charge_no: bigint('Order in which charges count and draw.') };
const asset = { asset: varchar('What it is a size of: a currency, or units.') };

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
        accounts: varcharList('Whom it is for, sorted; empty for all.'),
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
    comment: 'One row per charge: what nothing paid for.',
    grain: ['owner_id', 'charge_no'],
    columns: {
        ...owner,
        ...chargeNo,
        charged: hugeint('The charge, rounded.'),
        paid: hugeint('Before any grant.'),
        drawn: hugeint('From grants.'),
        remaining: hugeint('Charged less both.'),
    },
});
