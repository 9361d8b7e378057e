import { defineStage, sum } from '../../src/stage/define.ts';
import { accountPaths } from '../10-ingest/tables.ts';
import { ratedUsage, rates } from '../40-rate/tables.ts';
import { charges, payers } from './tables.ts';

/** Adds daily rated usage up to charges of the payer, one for each account that used. */
export const rollUp = defineStage({
    name: '50-roll-up',
    folder: import.meta.dirname,
    reads: [ratedUsage, rates, accountPaths],
    writes: [charges, payers],
    conserves: [
        {
            name: 'charges-add-up-to-rated-usage',
            by: ['payer_id', 'currency'],
            left: sum('amount', ratedUsage),
            right: [sum('amount', charges)],
        },
        {
            name: 'payers-add-up-to-charges',
            by: ['currency'],
            left: sum('amount', charges),
            right: [sum('amount', payers)],
        },
    ],
});
