import { z } from 'zod';
import { didYouMean } from './suggest.ts';

/** Pieces of the schemas of files that people write, with messages that name what was written. */

/** Text. A bare number or date of YAML is refused: 1.10 would arrive as 1.1. */
export function text(what: string) {
    return z
        .string({
            error: ({ input }) => {
                if (input === undefined) return `${what} is missing`;
                if (input === null) return `${what} is empty`;
                return typeof input === 'number' || typeof input === 'boolean'
                    ? `${what} must be text: write it in quotes, "${String(input)}"`
                    : `${what} must be text`;
            },
        })
        .min(1, `${what} is empty`);
}

/** Decimal text. YAML would read a bare 0.5 as a binary fraction and lose digits of longer ones. */
export function decimal(what: string) {
    return z.string({
        error: ({ input }) => {
            if (input === undefined || input === null) return `${what} is missing`;
            return typeof input === 'number' || typeof input === 'bigint'
                ? `${what} is a bare number, which loses digits: write it in quotes, like "0.5"`
                : `${what} must be a decimal in quotes, like "0.5"`;
        },
    });
}

/** Decimal text that is not negative and has at most 12 places. */
export function unsigned(what: string) {
    return decimal(what).regex(/^\d{1,26}(\.\d{1,12})?$/, {
        error: ({ input }) =>
            `${what} "${String(input)}" is not a plain decimal of at most 12 places that is not negative`,
    });
}

/** The same, above zero. */
export function positive(what: string) {
    return unsigned(what).regex(/[1-9]/, {
        error: ({ input }) => `${what} is "${String(input)}": it must be above zero`,
    });
}

/** One of a few words. */
export function choice<const W extends readonly string[]>(what: string, words: W) {
    return z.enum(words as unknown as [W[number], ...W[number][]], {
        error: ({ input }) =>
            `${what}: ${JSON.stringify(input)} is not a choice here. ${didYouMean(String(input), words)}`,
    });
}
