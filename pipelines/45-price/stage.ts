import { defineStage } from '../../src/stage/define.ts';
import * as tables from './tables.ts';

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
    writes: [
        tables.quantities,
        tables.eventFees,
        tables.tierAmounts,
        tables.discounted,
        tables.amounts,
    ],
    conserves: [],
});
