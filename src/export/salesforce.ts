import { add, formatAmount, parseAmount } from '../money/amount.ts';
import type { LineItem } from '../schema/line-item.ts';
import { dayOf, lastDayBefore } from './civil-day.ts';
import type { DeliveryProblem, Invoice, ProductAmount } from './invoices.ts';
import { type JsonValue, sha256 } from './json.ts';

/** What Salesforce calls payers and products; null for a name that nobody gave. */
export interface SalesforceNames {
    readonly payer: (payer_id: string) => string | null;
    readonly product: (product: string) => string | null;
}

/** One batch of records, or one draft invoice. */
export interface SalesforceParcel {
    readonly parcel_key: string;
    readonly payer_id: string;
    readonly currency: string;
    readonly line_count: number;
    readonly amount: string;
    readonly products: readonly ProductAmount[];
    readonly payload: JsonValue;
}

export interface SalesforcePacked {
    readonly parcels: readonly SalesforceParcel[];
    readonly problems: readonly DeliveryProblem[];
}

/** Numbers come back as JSON numbers of double precision: 15 digits are the same text again. */
const DIGITS_READ_BACK = 15;

/**
 * What a parcel is called there. Text in Salesforce is compared without regard to case: a hash keeps
 * `ACME` and `acme` apart, and nothing in it can break out of a query.
 */
export function salesforceKey(parcel_key: string): string {
    return `tieout-${sha256(parcel_key).slice(0, 40)}`;
}

/** The first part keeps the key of the whole: if it grows, it is seen to have changed. */
export function partKey(key: string, index: number): string {
    return index === 0 ? key : `${key}/${index + 1}`;
}

/** Inclusive days in the zone of the payer, in which a line was in force. */
export function daysOf(line: LineItem): { readonly first: string; readonly last: string } {
    return {
        first: dayOf(line.service_start, line.time_zone),
        last: lastDayBefore(line.service_end, line.time_zone),
    };
}

/** Whether a number comes back from Salesforce with all its digits. */
export function isReadBack(decimal: string): boolean {
    const { units } = parseAmount(formatAmount(parseAmount(decimal)));
    return units.toString().replace('-', '').length <= DIGITS_READ_BACK;
}

/** The sum of decimals as text. */
export function sumText(decimals: readonly string[]): string {
    return formatAmount(decimals.map(parseAmount).reduce(add, parseAmount('0')));
}

/** A reason for which an invoice stays here. */
export function refusal(
    { invoice_key }: Invoice,
    code: string,
    message: string,
    line_key: string | null = null,
): DeliveryProblem {
    return { code, severity: 'refused', invoice_key, line_key, message };
}

/** What is wrong with an invoice on every way: a name that is missing, or another currency. */
export function commonProblems(
    invoice: Invoice,
    names: SalesforceNames,
    currency: string | undefined,
): readonly DeliveryProblem[] {
    const { payer_id, lines } = invoice;
    const payer =
        names.payer(payer_id) === null
            ? [`payer "${payer_id}" has no name in salesforce: add it to names.csv`]
            : [];
    const products = [...new Set(lines.map(({ product }) => product))]
        .filter((product) => names.product(product) === null)
        .map((product) => `product "${product}" has no name in salesforce: add it to names.csv`);
    const named = [...payer, ...products].map((message) =>
        refusal(invoice, 'SALESFORCE_NAME_MISSING', message),
    );
    if (currency === undefined || currency === invoice.currency) return named;
    const message = `it is in ${invoice.currency}, and the org has ${currency} alone`;
    return [...named, refusal(invoice, 'SALESFORCE_CURRENCY', message)];
}

/** Parcels of the invoices that nothing is wrong with, and what is wrong with the others. */
export function packEach(
    invoices: readonly Invoice[],
    problemsOf: (invoice: Invoice) => readonly DeliveryProblem[],
    parcelsOf: (invoice: Invoice) => readonly SalesforceParcel[],
): SalesforcePacked {
    const parcels: SalesforceParcel[] = [];
    const problems: DeliveryProblem[] = [];
    for (const invoice of invoices) {
        const found = problemsOf(invoice);
        problems.push(...found);
        if (!found.some(({ severity }) => severity === 'refused')) {
            parcels.push(...parcelsOf(invoice));
        }
    }
    return { parcels, problems };
}
