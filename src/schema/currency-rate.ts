import type { z } from 'zod';
import { strict } from './strict.ts';
import { positive, text } from './written.ts';

/** A row of the file that `currency_rates` of tieout.yaml names. */
export const currencyRateSchema = strict({
    from: text('from'),
    to: text('to'),
    on: text('on'),
    rate: positive('rate'),
    source: text('source'),
});

export type CurrencyRateRow = z.output<typeof currencyRateSchema>;

/** Its columns, in any order. */
export const currencyRateColumns: readonly string[] = Object.keys(currencyRateSchema.shape);
