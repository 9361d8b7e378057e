import { parseAmount } from '../money/amount.ts';
import type { SalesforceSettings } from '../schema/deliver-salesforce.ts';
import type { LineItem } from '../schema/line-item.ts';
import { lastDayBefore } from './civil-day.ts';
import {
    type DeliveryProblem,
    type Invoice,
    moneyText,
    productsOfLines,
    sumOfLines,
} from './invoices.ts';
import type { JsonValue } from './json.ts';
import { cutLines, uncutText } from './parts.ts';
import {
    commonProblems,
    daysOf,
    isReadBack,
    packEach,
    partKey,
    refusal,
    type SalesforceNames,
    type SalesforcePacked,
    salesforceKey,
} from './salesforce.ts';

/** A graph takes 500 records; five are the account, the contact, the invoice and two addresses. */
const LINES_PER_INVOICE = 495;
const TEXT = 255;
/** An external id stands in a path: `External_Id__c/VALUE`. */
const PLAIN = /^[A-Za-z0-9._:@-]+$/;

/** Fields of an address that the ingestion demands, and where an account has them. */
export const addressFields = {
    street: 'BillingStreet',
    city: 'BillingCity',
    state: 'BillingState',
    postalCode: 'BillingPostalCode',
    country: 'BillingCountry',
} as const;

/**
 * Draft invoices for the invoice ingestion API: one a graph, and one graph a request. An invoice with more
 * lines than a graph takes becomes several. Amounts are decimal text; days are inclusive.
 */
export function ingestionGraphs(
    invoices: readonly Invoice[],
    names: SalesforceNames,
    settings: SalesforceSettings,
): SalesforcePacked {
    return packEach(
        invoices,
        (invoice) => [
            ...commonProblems(invoice, names, settings.currency),
            ...graphProblems(invoice, names),
        ],
        (invoice) =>
            partsOf(invoice.lines).map((lines, index) => {
                const { payer_id, currency } = invoice;
                const parcel_key = partKey(invoice.invoice_key, index);
                const amount = moneyText(sumOfLines(lines), currency);
                const payload = graphOf(invoice, lines, parcel_key, names, settings);
                const products = productsOfLines(lines, currency);
                const count = { line_count: lines.length, amount, products };
                return { parcel_key, payer_id, currency, ...count, payload };
            }),
    );
}

/** One that can't be cut is whole: graphProblems says so. */
const partsOf = (lines: readonly LineItem[]) =>
    cutLines(lines, {
        limit: LINES_PER_INVOICE,
        accountOf: ({ account_id }) => account_id,
        amountOf: ({ amount }) => parseAmount(amount),
    }) ?? [lines];

function graphProblems(invoice: Invoice, names: SalesforceNames): readonly DeliveryProblem[] {
    const { payer_id, currency, invoice_key, lines } = invoice;
    const problems: DeliveryProblem[] = [];
    const name = names.payer(payer_id);
    if (name !== null && !PLAIN.test(name)) {
        const message = `"${name}" can't stand in a path: give the account another external id`;
        problems.push(refusal(invoice, 'SALESFORCE_NAME_UNSAFE', message));
    }
    const parts = partsOf(lines);
    if (parts.some(({ length }) => length > LINES_PER_INVOICE)) {
        const message = `${uncutText(lines.length, LINES_PER_INVOICE)}: use \`route: staging\` for it`;
        problems.push(refusal(invoice, 'SALESFORCE_SPLIT_UNFAIR', message));
    }
    for (const part of parts) {
        const total = sumOfLines(part);
        if (total.units >= 0n) continue;
        const message = `${part.length} lines are ${moneyText(total, currency)} ${currency} together, and no invoice is below zero: enter them as a credit memo`;
        problems.push(refusal(invoice, 'SALESFORCE_NEGATIVE_INVOICE', message));
    }
    for (const { line_key, amount } of lines) {
        if (isReadBack(amount)) continue;
        const message = `the amount ${amount} has more than 15 digits, which can't be read back`;
        problems.push(refusal(invoice, 'SALESFORCE_DIGITS', message, line_key));
    }
    const below = lines.filter(({ amount }) => amount.startsWith('-')).length;
    if (below > 0) {
        const message = `${below} lines are below zero: Salesforce may make credit memo lines of them`;
        const of = { invoice_key, line_key: null, message };
        problems.push({ code: 'SALESFORCE_NEGATIVE_LINE', severity: 'check', ...of });
    }
    return problems;
}

function graphOf(
    { invoice_key, payer_id, period_end, time_zone, currency }: Invoice,
    lines: readonly LineItem[],
    parcel_key: string,
    names: SalesforceNames,
    settings: SalesforceSettings,
): JsonValue {
    const { ingestion, account_field } = settings;
    const account = names.payer(payer_id) ?? '';
    const address = (referenceId: string) =>
        record(referenceId, 'InvoiceAddressGroup', {
            invoiceId: '@{refInvoice.id}',
            ...Object.fromEntries(
                Object.entries(addressFields).map(([of, from]) => [of, `@{refAccount.${from}}`]),
            ),
        });
    const records = [
        found('refAccount', 'Account', `${account_field}/${account}`),
        found('refContact', 'Contact', `${ingestion.contact_field}/${account}`),
        record('refInvoice', 'Invoice', {
            uniqueIdentifier: salesforceKey(parcel_key),
            billingAccountId: '@{refAccount.Id}',
            billToContactId: '@{refContact.Id}',
            status: 'Draft',
            invoiceDate: lastDayBefore(period_end, time_zone),
            description: [...`tieout ${invoice_key}`].slice(0, TEXT).join(''),
            ...(settings.currency ? {} : { currencyIsoCode: currency }),
            ...(ingestion.payment_term ? { paymentTermId: ingestion.payment_term } : {}),
        }),
        address('refBillingAddress'),
        address('refShippingAddress'),
        ...lines.map((line, index) =>
            record(`refLine${index + 1}`, 'InvoiceLine', lineFields(line, names, settings)),
        ),
    ];
    const graph = { graphId: salesforceKey(parcel_key), records };
    return { invoices: [{ shouldCalculateTax: false, taxCalculationStatus: 'Pending', graph }] };
}

function lineFields(
    line: LineItem,
    names: SalesforceNames,
    { ingestion }: SalesforceSettings,
): { readonly [key: string]: JsonValue } {
    const { first, last } = daysOf(line);
    return {
        name: [...(line.description || line.product)].slice(0, TEXT).join(''),
        description: `tieout ${line.line_key}`,
        product2Id: names.product(line.product),
        quantity: line.quantity,
        unitPrice: line.unit_price,
        // Ours: quantity x price need not give it, as with tiers.
        chargeAmount: line.amount,
        invoiceLineStartDate: first,
        invoiceLineEndDate: last,
        invoiceId: '@{refInvoice.id}',
        billingAddressId: '@{refBillingAddress.id}',
        shippingAddressId: '@{refShippingAddress.id}',
        ...(ingestion.tax_treatment ? { taxTreatmentId: ingestion.tax_treatment } : {}),
        ...(ingestion.legal_entity ? { legalEntityId: ingestion.legal_entity } : {}),
    };
}

const record = (
    referenceId: string,
    type: string,
    fields: { readonly [key: string]: JsonValue },
): JsonValue => ({ referenceId, record: { attributes: { type, method: 'POST' }, ...fields } });

const found = (referenceId: string, type: string, id: string): JsonValue => ({
    ...{ referenceId, record: { attributes: { type, method: 'GET', id } } },
});
