import { defineStage, sum } from '../../src/stage/define.ts';
import {
    drawingCharges,
    drawingCommitments,
    drawingGrants,
    drawingOrders,
    drawingReaches,
    drawingScopes,
} from '../72-bill/tables.ts';
import * as tables from './tables.ts';

/** Splits charges at their commitments, rounds each once, and draws grants, for all owners at once. */
export const drawDown = defineStage({
    name: '76-draw-down',
    folder: import.meta.dirname,
    reads: [
        drawingCharges,
        drawingCommitments,
        drawingGrants,
        drawingScopes,
        drawingReaches,
        drawingOrders,
    ],
    writes: [
        tables.parts,
        tables.settled,
        tables.trueUps,
        tables.rankedGrants,
        tables.drawDowns,
        tables.balances,
        tables.remainders,
    ],
    conserves: [
        {
            name: 'charges-are-within-or-above',
            by: ['owner_id'],
            left: sum('size + beyond', drawingCharges),
            right: [sum('within + above', tables.parts)],
        },
        {
            name: 'charges-are-paid-drawn-or-remain',
            by: ['owner_id'],
            left: sum('rounded', tables.settled),
            right: [
                sum('paid', drawingCharges),
                sum('drawn', tables.drawDowns),
                sum('remaining', tables.remainders),
            ],
        },
    ],
});
