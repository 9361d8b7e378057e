import type { z } from 'zod';
import { strict } from './strict.ts';
import { text, unsigned } from './written.ts';

/** A row of the file that `openings` of tieout.yaml names: what a term counted before the period. */
export const openingSchema = strict({
    contract: text('contract'),
    product: text('product'),
    meter: text('meter'),
    quantity: unsigned('quantity'),
});

export type OpeningRow = z.output<typeof openingSchema>;

/** Its columns, in any order. */
export const openingColumns: readonly string[] = Object.keys(openingSchema.shape);
