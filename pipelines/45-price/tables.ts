import { bigint, boolean, defineTable, hugeint, nullable, varchar } from '../../src/duck/table.ts';

/**
 * Money and quantities are whole numbers here, in units that each line chooses so that nothing it
 * computes has to be rounded: quantities in 10^-n, amounts in 10^-m of 1/d, where d is what fees are
 * prorated by. `src/quote/units.ts` chooses them; only the last step divides.
 */
const lineId = { line_id: varchar('Line that is priced.') };

export const charges = defineTable('pricing.charges', {
    comment: 'One row per line: how its quantity becomes an amount.',
    grain: ['line_id'],
    columns: {
        ...lineId,
        kind: varchar('slices, whole, steps, events or flat: how tiers apply.'),
        is_clamped: boolean('A negative quantity counts as zero, not as minus its size.'),
        conversion_factor: hugeint(
            'Quantity x factor // divisor x step is the converted quantity.',
        ),
        conversion_divisor: hugeint('See conversion_factor.'),
        conversion_step: hugeint('See conversion_factor.'),
        conversion_rounding: varchar('up, down or nearest, at the division.'),
        included: hugeint('Quantity that costs nothing.'),
        is_included_whole: boolean('Once more than that is used, all of it is charged.'),
        is_zero_charged: boolean('Zero usage enters the first tier.'),
        free_events: nullable(hugeint('Events that cost nothing, where limited.')),
        free_amount: nullable(hugeint('Amount of events that costs nothing, where limited.')),
        fixed_fee: hugeint('Per event.'),
        event_minimum: nullable(hugeint('Per event.')),
        event_maximum: nullable(hugeint('Per event.')),
        maximum: nullable(hugeint('Of the amount, after discounts.')),
        minimum: nullable(hugeint('Of the amount, after the maximum.')),
        rounding_divisor: hugeint('Amount over this is the amount in its last decimal.'),
        rounding_mode: varchar('half_away or half_even.'),
    },
});

export const tiers = defineTable('pricing.tiers', {
    comment: 'One row per tier of a line; a model without tiers has one.',
    grain: ['line_id', 'tier_no'],
    columns: {
        ...lineId,
        tier_no: bigint('From 1.'),
        from_quantity: hugeint('Exclusive.'),
        to_quantity: nullable(hugeint('Inclusive; null when open.')),
        unit_price: hugeint('Per unit of quantity.'),
        flat_fee: hugeint('Once the tier is entered.'),
        package_size: nullable(hugeint('Quantity of a package.')),
        package_price: nullable(hugeint('Price of a package begun.')),
    },
});

export const stepBounds = defineTable('pricing.step_bounds', {
    comment: 'One row per bounded dimension of a step.',
    grain: ['line_id', 'tier_no', 'dimension'],
    columns: {
        ...lineId,
        tier_no: bigint('Step.'),
        dimension: varchar('What is counted.'),
        to_quantity: hugeint('Inclusive.'),
    },
});

export const discounts = defineTable('pricing.discounts', {
    comment:
        'One row per discount of a line, in order: amount x factor - subtrahend, never below 0.',
    grain: ['line_id', 'position'],
    columns: {
        ...lineId,
        position: bigint('From 1.'),
        factor: hugeint('What is left of a percent discount, in the units of the next step.'),
        subtrahend: hugeint('A fixed discount, in those units.'),
    },
});

export const usages = defineTable('pricing.usages', {
    comment: 'One row per line and group: the quantity to price.',
    grain: ['line_id', 'group_id'],
    columns: {
        ...lineId,
        group_id: varchar('Group; empty when there is one.'),
        quantity: hugeint('Before conversion.'),
    },
});

export const dimensionUsages = defineTable('pricing.dimension_usages', {
    comment: 'One row per dimension of a quantity that has several.',
    grain: ['line_id', 'dimension'],
    columns: { ...lineId, dimension: varchar('Dimension.'), quantity: hugeint('Quantity.') },
});

export const events = defineTable('pricing.events', {
    comment: 'One row per event of a line that is priced by event.',
    grain: ['line_id', 'group_id', 'event_no'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        event_no: bigint('Order: by instant, id and place.'),
        value: hugeint('Amount of the event.'),
    },
});

export const quantities = defineTable('pricing.quantities', {
    comment: 'One row per line and group: the quantity that reaches the charge model.',
    grain: ['line_id', 'group_id'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        sign: hugeint('1, or -1 for a quantity below zero.'),
        quantity: hugeint('Size, converted, less what is included.'),
    },
});

export const eventFees = defineTable('pricing.event_fees', {
    comment: 'One row per event: the part that pays, and its fee.',
    grain: ['line_id', 'group_id', 'event_no'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        event_no: bigint('Event.'),
        paid: hugeint('Part of its value that pays, with its sign.'),
        fixed_fee: hugeint('With its sign.'),
        fee: hugeint('With its sign.'),
    },
});

export const tierAmounts = defineTable('pricing.tier_amounts', {
    comment: 'One row per line, group and tier entered: its quantity and amount.',
    grain: ['line_id', 'group_id', 'tier_no'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        tier_no: bigint('Tier.'),
        quantity: hugeint('Slice in the tier.'),
        flat_fee: hugeint('Fee that does not depend on the quantity.'),
        amount: hugeint('Amount of the tier.'),
    },
});

export const discounted = defineTable('pricing.discounted', {
    comment: 'One row per line and group: what the model gives, after discounts.',
    grain: ['line_id', 'group_id'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        sign: hugeint('1 or -1.'),
        amount: hugeint('Size, in the units of the end.'),
    },
});

export const amounts = defineTable('pricing.amounts', {
    comment: 'One row per line and group: the exact amount, and the same rounded once.',
    grain: ['line_id', 'group_id'],
    columns: {
        ...lineId,
        group_id: varchar('Group.'),
        exact: hugeint('Amount in the units of the line.'),
        rounded: hugeint('Amount in its last decimal.'),
    },
});
