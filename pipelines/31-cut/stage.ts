import { runBoundaries } from '../../src/stage/control.ts';
import { defineStage } from '../../src/stage/define.ts';
import { accountPaths } from '../10-ingest/tables.ts';
import * as tables from './tables.ts';

/** Cuts the partials of another run where rates, contracts and promises of today cut them. */
export const cut = defineStage({
    name: '31-cut',
    folder: import.meta.dirname,
    reads: [accountPaths, runBoundaries, tables.keptUsage, tables.keptPaths, tables.keptBoundaries],
    writes: [tables.owners, tables.stretches, tables.spans, tables.days, tables.cutPartials],
    conserves: [],
});
