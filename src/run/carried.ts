import * as mediated from '../../pipelines/20-mediate/tables.ts';
import { carriedUsage } from '../../pipelines/30-meter/tables.ts';
import { carriedStatedPrices, carriedVersions } from '../../pipelines/70-reconcile/cause-tables.ts';
import { carriedSequences } from '../../pipelines/70-reconcile/log-tables.ts';
import { carriedOutcomes, carriedSides } from '../../pipelines/70-reconcile/tables.ts';
import {
    carriedBalances,
    carriedMovements,
    carriedOddEntries,
} from '../../pipelines/70-reconcile/wallet-tables.ts';
import type { Table } from '../duck/table.ts';

/** What stages add to what they find: empty in a run that looks at all rows. */
export const carried: readonly Table[] = [
    mediated.carriedUsageRepeats,
    mediated.carriedDebitRepeats,
    mediated.carriedSuspendedUsage,
    mediated.carriedSuspendedDebits,
    mediated.carriedLines,
    carriedUsage,
    carriedOutcomes,
    carriedSides,
    carriedMovements,
    carriedBalances,
    carriedOddEntries,
    carriedSequences,
    carriedVersions,
    carriedStatedPrices,
];
