import { z } from 'zod';
import { strict } from './strict.ts';

/** Where Stripe takes lines; the key is in TIEOUT_STRIPE_KEY. docs/deliver-stripe.md has the rest. */
export const stripeSettingsSchema = strict({
    mode: z
        .enum(['invoices', 'meter_events'])
        .default('invoices')
        .describe('Rated lines on draft invoices, or quantities for meters, when Stripe rates.'),
    account: z
        .string()
        .regex(/^acct_\w+$/, 'must be the id of an account of Stripe: acct_...')
        .optional()
        .describe('The account that the key must be of; nothing goes to another one.'),
    over_limit: z
        .enum(['split', 'summarise'])
        .default('split')
        .describe('Of more than 250 lines: several invoices, or one line per account and product.'),
    days_until_due: z.int().min(0).max(3_650).default(30),
    finalize: z
        .boolean()
        .default(false)
        .describe('Finalise what ties out: then it can no longer be changed, and is not sent yet.'),
    concurrency: z.int().min(1).max(64).default(4).describe('Requests at one time.'),
    per_second: z
        .int()
        .min(1)
        .max(100)
        .default(20)
        .describe('Requests a second: Stripe takes 25 in a sandbox, and 25 of one kind when live.'),
    url: z
        .string()
        .regex(
            /^https?:\/\/(localhost|127\.0\.0\.1):\d{1,5}$/,
            'must be http or https to a port of this machine',
        )
        .optional()
        .describe('Of a stand-in for Stripe on this machine, for rehearsals.'),
});
export type StripeSettings = z.output<typeof stripeSettingsSchema>;
