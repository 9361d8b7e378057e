import { z } from 'zod';
import { isNoticeUrl } from './notice.ts';
import { strict } from './strict.ts';

/** Names of objects and fields stand in queries as they are: nothing else may be in them. */
const apiName = z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]{0,79}$/, 'must be the API name of an object or field');
const recordId = z
    .string()
    .regex(/^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$/, 'must be a Salesforce id of 15 or 18 characters');
const origin = z
    .string()
    .refine(isNoticeUrl, 'must be https, or http to this machine, without a password in it');

/** Rated lines as records of an object of one's own; a flow there makes invoices of them. */
const stagingSchema = strict({
    object: apiName.default('Rated_Line__c'),
    records_per_batch: z
        .int()
        .min(1)
        .max(50_000)
        .default(10_000)
        .describe('Records of one job of the Bulk API; a larger invoice is several batches.'),
});

/** Draft invoices by the invoice ingestion API. */
const ingestionSchema = strict({
    contact_field: apiName
        .default('External_Id__c')
        .describe('The external id of the contact that is billed; it has the account’s value.'),
    payment_term: recordId.optional(),
    tax_treatment: recordId.optional(),
    legal_entity: recordId.optional(),
});

/** Quantities for those who rate in Salesforce: records of TransactionJournal. */
const journalSchema = strict({
    key_field: apiName
        .default('Line_Key__c')
        .describe('A unique external id field of your own on TransactionJournal.'),
    batch_field: apiName
        .default('Batch_Key__c')
        .describe('An indexed text field of your own on TransactionJournal.'),
    asset_field: apiName
        .optional()
        .describe('The external id of the asset that was used: PAYER/PRODUCT, as names call them.'),
    units: z
        .record(z.string(), recordId)
        .describe('The id of the unit of measure of each of our units.'),
    records_per_batch: z.int().min(1).max(50_000).default(10_000),
});

/** Where lines go in Salesforce, and as what. Secrets are in TIEOUT_SALESFORCE_*. */
export const salesforceSchema = strict({
    instance_url: origin.describe('The My Domain of the org: https://acme.my.salesforce.com.'),
    api_version: z
        .string()
        .regex(/^\d{2}\.0$/, 'must be a version like 67.0')
        .default('67.0'),
    auth: z
        .enum(['client_credentials', 'jwt_bearer'])
        .default('client_credentials')
        .describe('How tieout proves who it is.'),
    login_url: origin
        .default('https://login.salesforce.com')
        .describe('Of jwt_bearer: the audience. https://test.salesforce.com for a sandbox.'),
    route: z.enum(['staging', 'ingestion', 'journal']).default('staging'),
    account_field: apiName
        .default('External_Id__c')
        .describe('The external id field of Account that names.csv has the values of.'),
    currency: z
        .string()
        .regex(/^[A-Z]{3}$/, 'must be a currency code')
        .optional()
        .describe('The only currency of an org without multi-currency; other invoices stay here.'),
    staging: stagingSchema.prefault({}),
    ingestion: ingestionSchema.prefault({}),
    journal: journalSchema.optional(),
    wait_seconds: z
        .int()
        .min(1)
        .max(7_200)
        .default(900)
        .describe('How long a job may take before it is left for the next start.'),
    concurrency: z.int().min(1).max(16).default(2),
    per_second: z.int().min(1).max(50).default(5),
}).refine(
    ({ route, journal }) => route !== 'journal' || journal !== undefined,
    'must have `journal` with the units of measure, for that route',
);
export type SalesforceSettings = z.output<typeof salesforceSchema>;
export type JournalSettings = z.output<typeof journalSchema>;
