import type { EventShape } from '../../src/compile/shape.ts';
import { count, defineStage, sum } from '../../src/stage/define.ts';
import { accountSpans, assets, rawObjects } from '../10-ingest/tables.ts';
import * as tables from './tables.ts';

/** Validates, deduplicates and attributes stored rows. Depends on what the config declares of events. */
export const mediate = (shape: EventShape) =>
    defineStage({
        name: '20-mediate',
        folder: import.meta.dirname,
        reads: [
            ...[rawObjects, accountSpans, assets, tables.usageRows(shape), tables.debitRows],
            ...[tables.carriedUsageRepeats, tables.carriedDebitRepeats],
            ...[tables.carriedSuspendedUsage, tables.carriedSuspendedDebits],
            tables.carriedLines,
        ],
        writes: [
            tables.usageChecked(shape),
            tables.usageRepeatKeys,
            tables.usageDoubts,
            tables.usageRepeats,
            tables.suspendedUsage,
            tables.usageEvents(shape),
            tables.sharedEventIds,
            tables.debitChecked,
            tables.debitRepeatKeys,
            tables.debitDoubts,
            tables.debitRepeats,
            tables.suspendedDebits,
            tables.debitEntries,
            tables.objectLines,
        ],
        conserves: [
            {
                name: 'every-usage-line-has-one-fate',
                by: [],
                left: { relation: 'mediated.object_lines', measure: 'row_count' },
                right: [
                    count(tables.usageEvents(shape)),
                    count(tables.usageRepeats),
                    count(tables.suspendedUsage),
                    count(tables.debitEntries),
                    count(tables.debitRepeats),
                    count(tables.suspendedDebits),
                    // Records that an earlier run found are not here again, only their count.
                    sum('record_count', tables.carriedLines),
                ],
            },
        ],
    });
