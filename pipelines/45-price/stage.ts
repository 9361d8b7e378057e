import { pricedEventsViewSql } from '../../src/compile/priced-events.ts';
import { eventShape } from '../../src/compile/shape.ts';
import type { Config } from '../../src/schema/config.ts';
import { defineStage, sum } from '../../src/stage/define.ts';
import { accountPaths } from '../10-ingest/tables.ts';
import { compiledEvents, meteredUsage } from '../30-meter/tables.ts';
import {
    bookCards,
    missingConversions,
    rateChoices,
    ratedUsage,
    rates,
} from '../40-rate/tables.ts';
import * as tables from './tables.ts';

const kernel = [
    tables.quantities,
    tables.eventFees,
    tables.tierAmounts,
    tables.discounted,
    tables.amounts,
];

/** Applies a charge model with its modifiers to a quantity, for any number of lines at once. */
export const price = defineStage({
    name: '45-price',
    folder: import.meta.dirname,
    reads: [
        tables.charges,
        tables.tiers,
        tables.stepBounds,
        tables.discounts,
        tables.usages,
        tables.dimensionUsages,
        tables.events,
    ],
    writes: kernel,
    conserves: [],
});

const rules = [tables.terms, tables.rateCharges, tables.rateTiers, tables.rateDiscounts];

/** The same for usage that was rated, once the total of the period is known. */
export const priceUsage = defineStage({
    name: '45-price',
    folder: import.meta.dirname,
    reads: [
        accountPaths,
        meteredUsage,
        rates,
        bookCards,
        missingConversions,
        rateChoices,
        ratedUsage,
        ...rules,
        tables.bookContracts,
        tables.openings,
        tables.stepBounds,
        tables.dimensionUsages,
        tables.pricedEvents,
    ],
    writes: [
        tables.payerPeriods,
        tables.accountRates,
        tables.unpricedFees,
        tables.members,
        tables.lines,
        tables.charges,
        tables.tiers,
        tables.discounts,
        tables.usages,
        tables.events,
        ...kernel,
        tables.lineAmounts,
        tables.shares,
    ],
    conserves: [
        {
            name: 'shares-add-up-to-amounts',
            by: ['line_id'],
            left: sum('amount', tables.lineAmounts),
            right: [sum('amount', tables.shares)],
        },
        {
            name: 'rounded-shares-add-up-to-rounded-amounts',
            by: ['line_id'],
            left: sum('rounded_units', tables.lineAmounts),
            right: [sum('rounded_units', tables.shares)],
        },
    ],
});

/**
 * The same in a run, where events are those of the config.
 * @param byEvent the meters that a rate prices event by event.
 */
export function priceRun(config: Config, byEvent: readonly string[]) {
    const shape = eventShape(config);
    return defineStage({
        ...priceUsage,
        reads: [
            ...priceUsage.reads.filter(({ name }) => name !== tables.pricedEvents.name),
            ...(byEvent.length ? [compiledEvents(shape, Object.keys(config.derived))] : []),
        ],
        compiled: [
            { table: tables.pricedEvents, sql: pricedEventsViewSql(config, shape, byEvent) },
        ],
    });
}
