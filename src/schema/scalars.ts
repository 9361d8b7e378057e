import { z } from 'zod';

/** A name that may stand in SQL and in a file. */
export const name = z.string().regex(/^[a-z][a-z0-9_]*$/, {
    error: ({ input }) =>
        `"${String(input)}" is not a name: write lower-case letters, digits and _, a letter first`,
});

/** A decimal that is not below zero, as text: a number would lose digits. */
export const decimal = z
    .string({
        error: ({ input }) =>
            typeof input === 'number'
                ? `a bare number loses digits: write it in quotes, "${input}"`
                : undefined,
    })
    .regex(/^\d+(\.\d{1,12})?$/, {
        error: ({ input }) => `"${String(input)}" is not a decimal: write it like "0.50"`,
    });
