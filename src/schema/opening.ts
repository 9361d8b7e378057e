import { z } from 'zod';
import { isPeriod } from '../time/period.ts';
import { strict } from './strict.ts';
import { decimal, text, unsigned } from './written.ts';

/** A cell that is empty, or a period. */
const period = z
    .string()
    .refine((of) => of === '' || isPeriod(of), {
        error: ({ input }) => `period "${String(input)}" is not a month like 2026-10`,
    })
    .transform((of) => of || null);

const unnamed = z.literal('');

/** What every row of the openings has. */
const row = { contract: text('contract'), period };

/** What a term counted before the period, of a product and meter. */
export const termOpeningSchema = strict({
    ...{ ...row, product: text('product'), meter: text('meter') },
    ...{ commitment: unnamed, grant: unnamed, quantity: unsigned('quantity') },
});

/** What counted towards a commitment before the period: lines below zero count as well. */
export const commitmentOpeningSchema = strict({
    ...{ ...row, product: unnamed, meter: unnamed, commitment: text('commitment'), grant: unnamed },
    quantity: decimal('quantity').regex(/^-?\d{1,26}(\.\d{1,12})?$/, {
        error: ({ input }) =>
            `quantity "${String(input)}" is not a plain decimal of at most 12 places`,
    }),
});

/** What was left of a grant. */
export const grantOpeningSchema = strict({
    ...{ ...row, product: unnamed, meter: unnamed, commitment: unnamed, grant: text('grant') },
    quantity: unsigned('quantity'),
});

/** The columns of a file of openings, which come in any order. */
export const openingColumns = [
    ...(['contract', 'product', 'meter', 'commitment', 'grant', 'period', 'quantity'] as const),
] as const;

export type OpeningColumn = (typeof openingColumns)[number];

/** Those that a file may leave out. */
export const optionalOpeningColumns: readonly OpeningColumn[] = ['commitment', 'grant', 'period'];
