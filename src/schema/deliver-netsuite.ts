import { z } from 'zod';
import { isCurrency } from '../money/currency.ts';
import { isNoticeUrl } from './notice.ts';
import { strict } from './strict.ts';

/** What NetSuite itself calls a record: a whole number. */
const internalId = z.string().regex(/^\d{1,18}$/, 'must be an internal id: digits, as text');
const column = z
    .string()
    .regex(/^custcol_?[a-z0-9_]{1,40}$/, 'must be the id of a column, as custcol_line_key')
    .optional();
const currency = z.string().refine(isCurrency, 'must be a currency of ISO 4217, as USD');

/** NetSuite over its REST web services; docs/deliver-netsuite.md says what has to be set up there. */
export const netsuiteSettingsSchema = strict({
    account: z
        .string()
        .regex(/^[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)?$/, 'must be an account id, as 1234567_SB1')
        .describe('Each account has an outbox of its own: a sandbox is never taken for the books.'),
    client_id: z.string().min(1).describe('Consumer key of the integration record.'),
    certificate_id: z
        .string()
        .min(1)
        .describe('Of the certificate whose private key is in TIEOUT_NETSUITE_PRIVATE_KEY.'),
    algorithm: z
        .enum(['PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'])
        .default('PS256')
        .describe('PS for an RSA key of 3072 bits or more, ES for one of an elliptic curve.'),
    url: z
        .string()
        .refine(isNoticeUrl, 'must be https, or http to this machine, without a password in it')
        .optional()
        .describe('In place of the address that the account has.'),
    references: z
        .enum(['internal_id', 'external_id'])
        .default('internal_id')
        .describe('What names.csv calls customers, items and subsidiaries by.'),
    currencies: z
        .record(currency, internalId)
        .refine(
            (of) => new Set(Object.values(of)).size === Object.keys(of).length,
            'must give each currency an id of its own',
        )
        .describe('Internal ids of currencies: { USD: "1" }.'),
    decimals: z
        .record(currency, z.int().min(0).max(3))
        .default({})
        .describe('Of currencies whose amounts this account keeps with other than the usual ones.'),
    subsidiary: internalId
        .optional()
        .describe('Of payers who have none of their own in names.csv.'),
    terms: internalId.optional(),
    invoice_date: z
        .enum(['last_day', 'next_day'])
        .default('last_day')
        .describe('The last day of the period, so that it posts where the usage was, or the next.'),
    lines_per_invoice: z.int().min(1).max(200).default(200),
    over_limit: z
        .enum(['split', 'summarise'])
        .default('split')
        .describe('More lines: several invoices, or one line for each product and type of line.'),
    columns: strict({
        line_key: column,
        usage_account: column,
        first_day: column,
        last_day: column,
    })
        .default({})
        .describe('Custom columns of transaction lines that take these.'),
    external_id_prefix: z
        .string()
        .regex(/^[A-Za-z0-9_-]{0,40}$/, 'may have letters, digits, _ and - only')
        .default('tieout-'),
    concurrency: z
        .int()
        .min(1)
        .max(50)
        .default(4)
        .describe(
            'All integrations of an account together have 5 requests at a time, or 15 and more.',
        ),
    per_second: z.int().min(1).max(1_000).default(10),
});
export type NetsuiteSettings = z.output<typeof netsuiteSettingsSchema>;
