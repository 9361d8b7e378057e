import { z } from 'zod';
import { netsuiteSettingsSchema } from './deliver-netsuite.ts';
import { salesforceSchema } from './deliver-salesforce.ts';
import { stripeSettingsSchema } from './deliver-stripe.ts';
import { isNoticeUrl } from './notice.ts';
import { strict } from './strict.ts';

const variable = z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'must be the name of an environment variable');

/** A service of one's own that takes invoices as JSON; docs/deliveries.md says what it has to answer. */
const webhookSchema = strict({
    url: z
        .string()
        .refine(isNoticeUrl, 'must be https, or http to this machine, without a password in it')
        .optional()
        .describe('Invoices are put below it: PUT url/KEY, GET url/KEY.'),
    url_env: variable
        .optional()
        .describe('The environment variable that holds the address, when it is a secret.'),
    concurrency: z.int().min(1).max(64).default(4),
    per_second: z.int().min(1).max(1_000).default(20),
}).refine(
    ({ url, url_env }) => (url === undefined) !== (url_env === undefined),
    'must have either url or url_env',
);

/** Where `tieout deliver` takes lines to. Secrets are in the environment, never here. */
export const deliveriesSchema = strict({
    names: z
        .string()
        .optional()
        .describe('A CSV file beside the config: what targets call payers and products.'),
    webhook: webhookSchema.optional(),
    netsuite: netsuiteSettingsSchema.optional(),
    stripe: stripeSettingsSchema.optional(),
    salesforce: salesforceSchema.optional(),
});
export type Deliveries = z.output<typeof deliveriesSchema>;
export type WebhookSettings = z.output<typeof webhookSchema>;
