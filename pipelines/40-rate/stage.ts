import { defineStage, sum } from '../../src/stage/define.ts';
import { meteredUsage } from '../30-meter/tables.ts';
import {
    bookCards,
    missingConversions,
    rateCandidates,
    rateChoices,
    ratedUsage,
    rates,
    unratedUsage,
} from './tables.ts';

/** Prices every metered row by exactly one rate, or sets it aside. */
export const rate = defineStage({
    name: '40-rate',
    folder: import.meta.dirname,
    reads: [meteredUsage, rates, bookCards, missingConversions],
    writes: [rateCandidates, rateChoices, ratedUsage, unratedUsage],
    conserves: [
        {
            name: 'quantity-is-conserved',
            by: ['meter', 'account_id'],
            left: sum('quantity', meteredUsage),
            right: [sum('quantity', ratedUsage), sum('quantity', unratedUsage)],
        },
        {
            name: 'events-are-conserved',
            by: ['meter', 'account_id'],
            left: sum('event_count', meteredUsage),
            right: [sum('event_count', ratedUsage), sum('event_count', unratedUsage)],
        },
    ],
});
