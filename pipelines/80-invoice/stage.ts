import { count, defineStage, sum } from '../../src/stage/define.ts';
import { accountPaths } from '../10-ingest/tables.ts';
import { bookCards, rates } from '../40-rate/tables.ts';
import { bookContracts, members, openings, terms } from '../45-price/tables.ts';
import { charges, payers } from '../50-roll-up/tables.ts';
import { holds, walletPayments } from '../70-reconcile/tables.ts';
import * as bill from '../72-bill/tables.ts';
import * as drawn from '../76-draw-down/tables.ts';
import * as tables from './tables.ts';

const isCharge = "line_type in ('usage', 'fee')";

/** Writes lines of all kinds, and what the next period opens with; holds those of held payers. */
export const invoice = defineStage({
    name: '80-invoice',
    folder: import.meta.dirname,
    reads: [
        accountPaths,
        bookCards,
        rates,
        terms,
        bookContracts,
        openings,
        members,
        charges,
        payers,
        holds,
        walletPayments,
        bill.currencies,
        bill.commitments,
        bill.grants,
        bill.billedLines,
        bill.billedParts,
        bill.settlements,
        bill.countedParts,
        bill.unitDraws,
        bill.drawingCharges,
        drawn.parts,
        drawn.settled,
        drawn.trueUps,
        drawn.rankedGrants,
        drawn.drawDowns,
        drawn.remainders,
        tables.corrections,
        tables.correctionTotals,
    ],
    writes: [
        tables.overages,
        tables.statements,
        tables.draws,
        tables.balances,
        tables.otherLines,
        tables.lineItems,
        tables.closings,
    ],
    conserves: [
        {
            name: 'lines-add-up-to-charges',
            by: ['payer_id', 'currency'],
            left: sum('amount', charges),
            right: [sum('amount_exact', tables.lineItems, isCharge)],
        },
        {
            name: 'every-line-is-written-once',
            by: ['line_type', 'payer_id', 'product', 'currency'],
            left: count(tables.lineItems),
            right: [count(bill.billedLines), count(tables.otherLines)],
        },
        {
            name: 'lines-are-charged-less-paid',
            by: ['payer_id', 'product', 'currency'],
            left: sum('amount_minor', tables.lineItems),
            right: [sum('amount_minor', bill.billedLines), sum('amount_minor', tables.otherLines)],
        },
        {
            name: 'draws-are-lines',
            by: ['payer_id', 'grant_id'],
            left: sum('drawn', tables.draws),
            right: [sum('asset_amount', tables.lineItems, 'grant_id is not null')],
        },
        {
            name: 'settlements-are-payments',
            by: ['payer_id', 'product', 'asset'],
            left: sum('asset_amount', walletPayments),
            right: [sum('asset_amount', tables.lineItems, "line_type = 'wallet_settlement'")],
        },
    ],
});
