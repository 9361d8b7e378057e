import { stringify } from 'csv-stringify/sync';
import type { JournalSettings, SalesforceSettings } from '../schema/deliver-salesforce.ts';
import type { LineItem } from '../schema/line-item.ts';
import { formatInstant, parseInstant } from '../time/instant.ts';
import {
    type DeliveryProblem,
    type Invoice,
    moneyText,
    productsOfLines,
    sumOfLines,
} from './invoices.ts';
import { chunks } from './parts.ts';
import {
    commonProblems,
    daysOf,
    isReadBack,
    packEach,
    partKey,
    refusal,
    type SalesforceNames,
    type SalesforcePacked,
    type SalesforceParcel,
    salesforceKey,
    sumText,
} from './salesforce.ts';

/** The Bulk API takes 100 MB an upload, and 32,000 characters a field. */
const BYTES_PER_BATCH = 100_000_000;
const LONG_TEXT = 32_000;
const TEXT = 255;
/** In a file of the Bulk API this is no text, but empties the field. */
const NULL_WORD = '#N/A';

/** One field of a record: its name, the longest text it takes, and its value. */
interface Field {
    readonly name: string;
    readonly limit: number;
    readonly value: (line: LineItem) => string | null;
}

const field = (name: string, value: Field['value'], limit = TEXT): Field => ({
    ...{ name, limit, value },
});

/**
 * Rated lines as records of a staging object, one batch a payer, period and currency. Quantities and
 * prices are text: a number in Salesforce holds 18 digits. Days are inclusive, in the payer's zone.
 */
export function stagingRecords(
    invoices: readonly Invoice[],
    names: SalesforceNames,
    settings: SalesforceSettings,
): SalesforcePacked {
    const { object, records_per_batch } = settings.staging;
    const fieldsOf = (batch: string) => stagingFields(batch, names, settings);
    const fields = fieldsOf('');
    return packEach(
        invoices,
        (invoice) => [
            ...commonProblems(invoice, names, settings.currency),
            ...fieldProblems(invoice, invoice.lines, fields),
            ...digitProblems(invoice, 'sum', [moneyText(sumOfLines(invoice.lines), '')]),
        ],
        (invoice) =>
            chunks(invoice.lines, records_per_batch).map((lines, index) => {
                const { payer_id, currency } = invoice;
                const parcel_key = partKey(invoice.invoice_key, index);
                const amount = moneyText(sumOfLines(lines), currency);
                const upsert = { object, key_field: 'Line_Key__c' };
                const payload = {
                    ...upsert,
                    csv: csvOf(lines, fieldsOf(salesforceKey(parcel_key))),
                };
                const line_count = lines.length;
                const products = productsOfLines(lines, currency);
                const of = { parcel_key, payer_id, currency };
                return { ...of, line_count, amount, products, payload };
            }),
    );
}

function stagingFields(
    batch: string,
    names: SalesforceNames,
    { account_field }: SalesforceSettings,
): readonly Field[] {
    return [
        field('Line_Key__c', (line) => line.line_key),
        field('Batch_Key__c', () => batch),
        field(`Account__r.${account_field}`, ({ payer_id }) => names.payer(payer_id)),
        field('Invoice_Key__c', (line) => line.invoice_key),
        field('Line_Type__c', (line) => line.line_type),
        field('Usage_Account__c', (line) => line.account_id),
        field('Product_Code__c', ({ product }) => names.product(product)),
        field('Meter__c', (line) => line.meter),
        field('Attributes__c', (line) => line.attributes, LONG_TEXT),
        field('Description__c', (line) => line.description, LONG_TEXT),
        field('Service_Start__c', (line) => daysOf(line).first),
        field('Service_End__c', (line) => daysOf(line).last),
        field('Quantity__c', (line) => line.quantity),
        field('Unit__c', (line) => line.unit),
        field('Unit_Price__c', (line) => line.unit_price),
        field('Amount__c', (line) => line.amount),
        field('Currency__c', (line) => line.currency),
        field('Rate_Id__c', (line) => line.rate_id),
        field('Commitment_Id__c', (line) => line.commitment_id),
        field('Grant_Id__c', (line) => line.grant_id),
        field('Asset__c', (line) => line.asset),
        field('Asset_Amount__c', (line) => line.asset_amount),
        field('Corrects_Line_Key__c', (line) => line.corrects_line_key),
        field('Corrects_Period__c', (line) => line.corrects_period),
    ];
}

/**
 * Quantities as records of TransactionJournal, for those who rate in Salesforce: usage alone, one batch
 * a payer, period and unit. Tied out by the sum of quantities; the unit stands where a currency would.
 */
export function journalRecords(
    invoices: readonly Invoice[],
    names: SalesforceNames,
    settings: SalesforceSettings,
    journal: JournalSettings,
): SalesforcePacked {
    const fieldsOf = (batch: string) => journalFields(batch, names, settings, journal);
    const fields = fieldsOf('');
    return packEach(
        invoices,
        (invoice) => journalProblems(invoice, names, journal, fields),
        (invoice) =>
            [...usageByUnit(invoice)].flatMap(([unit, ofUnit]) =>
                chunks(ofUnit, journal.records_per_batch).map((lines, index): SalesforceParcel => {
                    const { payer_id, invoice_key } = invoice;
                    const parcel_key = partKey(`${invoice_key}/${unit}`, index);
                    const amount = sumText(lines.map(({ quantity }) => quantity));
                    const csv = csvOf(lines, fieldsOf(salesforceKey(parcel_key)));
                    const upsert = {
                        object: 'TransactionJournal',
                        key_field: journal.key_field,
                    };
                    const count = { line_count: lines.length, amount, products: [] };
                    return {
                        parcel_key,
                        payer_id,
                        currency: unit,
                        ...count,
                        payload: { ...upsert, csv },
                    };
                }),
            ),
    );
}

function usageByUnit({ lines }: Invoice): ReadonlyMap<string, readonly LineItem[]> {
    return Map.groupBy(
        lines.filter(({ line_type }) => line_type === 'usage'),
        ({ unit }) => unit,
    );
}

function journalFields(
    batch: string,
    names: SalesforceNames,
    { account_field }: SalesforceSettings,
    { key_field, batch_field, asset_field, units }: JournalSettings,
): readonly Field[] {
    // Half-open here, inclusive there, to the second.
    const last = (line: LineItem) => formatInstant(parseInstant(line.service_end) - 1_000_000n);
    const asset = ({ payer_id, product }: LineItem) =>
        `${names.payer(payer_id)}/${names.product(product)}`;
    return [
        field(key_field, (line) => line.line_key),
        field(batch_field, () => batch),
        field('UniqueIdentifier', (line) => line.line_key),
        field(`Account.${account_field}`, ({ payer_id }) => names.payer(payer_id)),
        ...(asset_field ? [field(`Asset:ReferenceRecord.${asset_field}`, asset)] : []),
        field('UsageResourceId', ({ product }) => names.product(product)),
        field('QuantityUnitOfMeasureId', ({ unit }) => units[unit] ?? null),
        field('Quantity', (line) => line.quantity),
        field('ActivityDate', last),
        field('StartDate', (line) => line.service_start),
        field('EndDate', last),
        field('UsageType', () => 'UsageManagement'),
        field('Status', () => 'Pending'),
    ];
}

function journalProblems(
    invoice: Invoice,
    names: SalesforceNames,
    { units }: JournalSettings,
    fields: readonly Field[],
): readonly DeliveryProblem[] {
    const usage = usageByUnit(invoice);
    const lines = [...usage.values()].flat();
    const unknown = [...usage.keys()].filter((unit) => !Object.hasOwn(units, unit));
    const left = invoice.lines.length - lines.length;
    return [
        ...commonProblems({ ...invoice, lines }, names, undefined),
        ...unknown.map((unit) => {
            const message = `unit "${unit}" has no id: add it to deliveries.salesforce.journal.units`;
            return refusal(invoice, 'SALESFORCE_UNIT_MISSING', message);
        }),
        ...fieldProblems(invoice, lines, fields),
        ...[...usage.values()].flatMap((of) => {
            const quantities = of.map(({ quantity }) => quantity);
            return digitProblems(invoice, 'quantity', [...quantities, sumText(quantities)]);
        }),
        ...(left === 0
            ? []
            : [
                  {
                      ...{ code: 'SALESFORCE_NO_USAGE', severity: 'check' as const },
                      ...{ invoice_key: invoice.invoice_key, line_key: null },
                      message: `${left} lines are no usage, and are not rated there: they stay here`,
                  },
              ]),
    ];
}

function digitProblems(
    invoice: Invoice,
    what: string,
    decimals: readonly string[],
): readonly DeliveryProblem[] {
    return decimals
        .filter((decimal) => !isReadBack(decimal))
        .slice(0, 1)
        .map((decimal) => {
            const message = `the ${what} ${decimal} has more than 15 digits, which can't be read back`;
            return refusal(invoice, 'SALESFORCE_DIGITS', message);
        });
}

/** Text that a field would cut off, or that would empty it. */
function fieldProblems(
    invoice: Invoice,
    lines: readonly LineItem[],
    fields: readonly Field[],
): readonly DeliveryProblem[] {
    return lines.flatMap((line) =>
        fields.flatMap(({ name, limit, value }) => {
            const text = value(line) ?? '';
            if (text === NULL_WORD) {
                const message = `${name} is "${NULL_WORD}", which empties a field there`;
                return [refusal(invoice, 'SALESFORCE_NULL_WORD', message, line.line_key)];
            }
            if (text.length <= limit) return [];
            const message = `${name} has ${text.length} characters; it takes ${limit}`;
            return [refusal(invoice, 'SALESFORCE_TEXT_LONG', message, line.line_key)];
        }),
    );
}

/** For the Bulk API, not for a spreadsheet: every cell is as it is. */
function csvOf(lines: readonly LineItem[], fields: readonly Field[]): string {
    const rows = lines.map((line) => fields.map(({ value }) => (value(line) ?? '').toWellFormed()));
    return stringify([fields.map(({ name }) => name), ...rows], {
        record_delimiter: '\n',
        quoted_match: /[\r]|^\s|\s$/,
    });
}

/** Whether a batch is small enough to be uploaded. */
export const fitsUpload = (csv: string) => Buffer.byteLength(csv, 'utf8') <= BYTES_PER_BATCH;
