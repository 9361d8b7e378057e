import { defineStage, sum } from '../../src/stage/define.ts';
import * as tables from './tables.ts';

/** Splits charges at their commitments, rounds each once, and draws grants, for all owners at once. */
export const drawDown = defineStage({
    name: '60-draw-down',
    folder: import.meta.dirname,
    reads: [tables.charges, tables.commitments, tables.grants, tables.scopes, tables.orders],
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
            left: sum('size + beyond', tables.charges),
            right: [sum('within + above', tables.parts)],
        },
        {
            name: 'charges-are-drawn-or-remain',
            by: ['owner_id'],
            left: sum('rounded', tables.settled),
            right: [sum('drawn', tables.drawDowns), sum('remaining', tables.remainders)],
        },
    ],
});
