import { defineStage, sum } from '../../src/stage/define.ts';
import { accountPaths } from '../10-ingest/tables.ts';
import { bookCards, ratedUsage, rates } from '../40-rate/tables.ts';
import {
    discounted,
    lineAmounts,
    lines,
    rateCharges,
    rateTiers,
    shares,
    tierAmounts,
} from '../45-price/tables.ts';
import { charges, chargeTiers, payers } from './tables.ts';

const isLinear = 'rate_id not in (select rate_id from rules.rates where terms is not null)';

/** Adds daily rated usage up to charges of the payer, one for each account that used. */
export const rollUp = defineStage({
    name: '50-roll-up',
    folder: import.meta.dirname,
    reads: [
        ratedUsage,
        rates,
        bookCards,
        accountPaths,
        lines,
        lineAmounts,
        shares,
        tierAmounts,
        discounted,
        rateCharges,
        rateTiers,
    ],
    writes: [charges, chargeTiers, payers],
    conserves: [
        {
            name: 'charges-add-up-to-rated-usage',
            by: ['payer_id', 'currency'],
            left: sum('amount', charges),
            right: [sum('amount', ratedUsage, isLinear), sum('amount', lineAmounts)],
        },
        {
            name: 'repricing-adds-up-to-rated-usage',
            by: ['payer_id', 'currency'],
            left: sum('amount', charges),
            right: [sum('amount', ratedUsage), sum('coalesce(repriced, 0)', charges)],
        },
        {
            name: 'payers-add-up-to-charges',
            by: ['currency'],
            left: sum('amount', charges),
            right: [sum('amount', payers)],
        },
    ],
});
