import { defineStage, sum } from '../../src/stage/define.ts';
import { accountPaths } from '../10-ingest/tables.ts';
import { rates } from '../40-rate/tables.ts';
import { charges, payers } from '../50-roll-up/tables.ts';
import { holds } from '../70-reconcile/tables.ts';
import { currencies, lineAccounts, lineItems } from './tables.ts';

/** Writes charges as invoice lines, rounded once, and holds those of payers over tolerance. */
export const invoice = defineStage({
    name: '80-invoice',
    folder: import.meta.dirname,
    reads: [accountPaths, rates, charges, payers, holds, currencies],
    writes: [lineAccounts, lineItems],
    conserves: [
        {
            name: 'lines-add-up-to-charges',
            by: ['payer_id', 'currency'],
            left: sum('amount', charges),
            right: [sum('amount_exact', lineItems)],
        },
    ],
});
