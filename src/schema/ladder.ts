import { z } from 'zod';
import { breakCodeNames } from './break-codes.ts';
import { decimal, name } from './scalars.ts';
import { strict } from './strict.ts';
import { didYouMean } from './suggest.ts';

/** Rules that can be off. What names the same event and is equal (R1) is a match by definition. */
export const optionalRules = ['R2', 'R3', 'R4', 'R5'] as const;

const rule = strict({
    rule: z.enum(optionalRules, {
        error: ({ input }) =>
            input === 'R1'
                ? 'R1 can not be off: an event and a debit that name each other and are equal are a match'
                : `"${String(input)}" is no rule that can be off: write one of ${optionalRules.join(', ')}`,
    }),
    enabled: z.boolean().describe('The last entry that names a rule and an asset decides.'),
    assets: z.array(z.string()).min(1).optional().describe('None: all.'),
});

const suggest = strict({
    window_minutes: z
        .int()
        .positive()
        .max(44_640)
        .describe('How far apart usage and debit may be, either way.'),
    amount: z
        .enum(['exact', 'tolerance'])
        .default('exact')
        .describe('Whether their amounts may differ within the tolerance of the asset.'),
});

const code = z.enum(breakCodeNames, {
    error: ({ input }) =>
        `"${String(input)}" is no code of a break. ${didYouMean(String(input), breakCodeNames)}`,
});

const accept = strict({
    rule: name.describe('How breaks that it accepts name it.'),
    codes: z.array(code).min(1),
    currency: z.string().optional().describe('ISO 4217. None: each currency by itself.'),
    up_to: decimal.describe('What one break may be worth in money, like "0.01".'),
    total: decimal.describe('What all that it accepts may be worth, added without signs.'),
    per: z.enum(['payer', 'run']).default('payer').describe('What `total` is for.'),
});

/** How usage is matched with debits, and which small breaks nobody has to look at. */
export const ladder = strict({
    rules: z.array(rule).default([]).describe('Rules that are off; none: all are on.'),
    suggest: suggest.optional().describe('Rule R6; none: nothing is suggested.'),
    accept: z
        .array(accept)
        .default([])
        .describe('Breaks that do not hold; the first rule that fits one decides.'),
})
    .prefault({})
    .superRefine(({ accept: rules }, context) => {
        for (const [index, { rule: own }] of rules.entries()) {
            if (rules.findIndex((other) => other.rule === own) < index) {
                const message = `rule ${own} is there twice`;
                context.addIssue({ code: 'custom', path: ['accept', index, 'rule'], message });
            }
        }
    });
