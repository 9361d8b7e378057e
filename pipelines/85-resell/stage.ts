import { defineStage, sum } from '../../src/stage/define.ts';
import { channels } from '../35-sell/tables.ts';
import { charges } from '../50-roll-up/tables.ts';
import { margins, soldCharges } from './tables.ts';

const isSeller = (account: string) => `${account} in (select seller_id from accounts.channels)`;

/** Compares what sellers of a channel buy and sell. */
export const resell = defineStage({
    name: '85-resell',
    folder: import.meta.dirname,
    reads: [channels, charges, soldCharges],
    writes: [margins],
    conserves: [
        {
            name: 'margins-add-up-to-sales',
            by: ['currency'],
            left: sum('amount', soldCharges),
            right: [sum('sold', margins)],
        },
        {
            name: 'margins-add-up-to-purchases',
            by: ['currency'],
            left: sum('bought', margins),
            right: [
                sum('amount', charges, isSeller('payer_id')),
                sum('amount', soldCharges, isSeller('buyer_id')),
            ],
        },
    ],
});
