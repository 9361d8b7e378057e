import { defineStage } from '../../src/stage/define.ts';
import { meteredUsage } from '../30-meter/tables.ts';
import { channels, sales } from './tables.ts';

/** Gives each level of a channel the usage under it. */
export const sell = defineStage({
    name: '35-sell',
    folder: import.meta.dirname,
    reads: [meteredUsage, channels],
    writes: [sales],
    conserves: [],
});
