import { defineStage, sum } from '../../src/stage/define.ts';
import { accountPaths } from '../10-ingest/tables.ts';
import { ratedUsage, rates } from '../40-rate/tables.ts';
import { bookContracts, terms } from '../45-price/tables.ts';
import { charges, payers } from '../50-roll-up/tables.ts';
import { walletPayments } from '../70-reconcile/tables.ts';
import * as tables from './tables.ts';

/** Rounds charges to lines, and says of each part of them what it counts towards and what paid it. */
export const bill = defineStage({
    name: '72-bill',
    folder: import.meta.dirname,
    reads: [
        accountPaths,
        ratedUsage,
        rates,
        terms,
        bookContracts,
        charges,
        payers,
        walletPayments,
        tables.currencies,
        tables.wholeMeters,
        tables.commitments,
        tables.grants,
        tables.holderAccounts,
        tables.holderProducts,
        tables.drawOrder,
    ],
    writes: [
        tables.lineAccounts,
        tables.billedLines,
        tables.spans,
        tables.portions,
        tables.billedParts,
        tables.payments,
        tables.lineSettlements,
        tables.settlements,
        tables.paidParts,
        tables.countedParts,
        tables.unitDraws,
        tables.drawingCharges,
        tables.drawingCommitments,
        tables.drawingGrants,
        tables.drawingScopes,
        tables.drawingReaches,
        tables.drawingOrders,
    ],
    conserves: [
        {
            name: 'lines-add-up-to-charges',
            by: ['payer_id', 'currency'],
            left: sum('amount', charges),
            right: [sum('amount_exact', tables.billedLines)],
        },
        {
            name: 'portions-add-up-to-lines',
            by: ['line_key'],
            left: sum('quantity', tables.billedLines),
            right: [sum('quantity', tables.portions)],
        },
        {
            name: 'parts-add-up-to-lines',
            by: ['line_key'],
            left: sum('amount_minor', tables.billedLines),
            right: [sum('amount_minor', tables.billedParts)],
        },
        {
            name: 'settlements-add-up-to-payments',
            by: ['payer_id', 'product', 'asset', 'currency'],
            left: sum('amount', walletPayments),
            right: [sum('amount_exact', tables.settlements)],
        },
        {
            name: 'payments-are-spread-whole',
            by: ['payer_id', 'account_id', 'product', 'asset', 'currency'],
            left: sum('amount', walletPayments),
            right: [sum('amount_exact', tables.payments)],
        },
        {
            name: 'settlements-are-of-their-lines',
            by: ['payer_id', 'account_id', 'product', 'asset', 'currency'],
            left: sum('amount_minor', tables.settlements),
            right: [sum('amount_minor', tables.lineSettlements)],
        },
    ],
});
