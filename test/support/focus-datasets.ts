import { parse } from 'csv-parse/sync';
import { type FocusDataset, focusColumns } from '../../src/export/focus-columns.ts';
import { isCurrency } from '../../src/money/currency.ts';
import { serviceCategories, subcategoriesOf } from '../../src/schema/focus.ts';

/**
 * Own checks of the datasets of FOCUS 1.4, for which there is no public rule model here: columns and
 * their order, nullability, formats and allowed values, as the specification lists them.
 */

/** Mandatory columns that a dataset may not lack. */
const mandatory: Readonly<Record<FocusDataset, readonly string[]>> = {
    CostAndUsage: [
        ...['BilledCost', 'BillingAccountId', 'BillingAccountName', 'BillingCurrency'],
        ...['BillingPeriodEnd', 'BillingPeriodStart', 'ChargeCategory', 'ChargeClass'],
        ...['ChargeDescription', 'ChargePeriodEnd', 'ChargePeriodStart', 'ContractedCost'],
        ...['EffectiveCost', 'HostProviderName', 'InvoiceIssuerName', 'ListCost'],
        ...['PricingQuantity', 'PricingUnit', 'ServiceCategory', 'ServiceName'],
        ...['ServiceProviderName', 'InvoiceId', 'InvoiceDetailId', 'ContractApplied'],
    ],
    InvoiceDetail: [
        ...['BilledCost', 'BillingAccountId', 'BillingCurrency', 'BillingPeriodEnd'],
        ...['BillingPeriodStart', 'ChargeCategory', 'InvoiceDetailCreated'],
        ...['InvoiceDetailDescription', 'InvoiceDetailGrain', 'InvoiceDetailId'],
        ...['InvoiceDetailLastUpdated', 'InvoiceId', 'InvoiceIssueDate', 'InvoiceIssueStatus'],
        ...['InvoiceIssuerName', 'PaymentDueDate', 'PaymentTerms', 'ReferenceInvoiceId'],
    ],
    ContractCommitment: [
        ...['BillingCurrency', 'ContractCommitmentApplicability'],
        ...['ContractCommitmentBenefitCategory', 'ContractCommitmentCategory'],
        ...['ContractCommitmentCost', 'ContractCommitmentCreated'],
        ...['ContractCommitmentDescription', 'ContractCommitmentDiscountPercentage'],
        ...['ContractCommitmentDurationType', 'ContractCommitmentFulfillmentInterval'],
        ...['ContractCommitmentId', 'ContractCommitmentLastUpdated'],
        ...['ContractCommitmentLifecycleStatus', 'ContractCommitmentModel'],
        ...['ContractCommitmentOfferCategory', 'ContractCommitmentPaymentInterval'],
        ...['ContractCommitmentPaymentModel', 'ContractCommitmentPaymentUpfrontPercentage'],
        ...['ContractCommitmentPeriodEnd', 'ContractCommitmentPeriodStart'],
        ...['ContractCommitmentQuantity', 'ContractCommitmentType', 'ContractCommitmentUnit'],
        ...['ContractId', 'ContractPeriodEnd', 'ContractPeriodStart', 'InvoiceIssuerName'],
        ...['PricingCurrency', 'PricingCurrencyContractCommitmentCost', 'ServiceProviderName'],
    ],
    BillingPeriod: [
        ...['BillingPeriodCreated', 'BillingPeriodEnd', 'BillingPeriodLastUpdated'],
        ...['BillingPeriodStart', 'BillingPeriodStatus', 'InvoiceIssuerName'],
    ],
};

/** Columns of which the specification lists the values; null stands for none. */
const allowed: Readonly<Record<string, readonly string[]>> = {
    BillingPeriodStatus: ['Open', 'Closed'],
    ChargeCategory: ['Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment'],
    ChargeClass: ['', 'Correction'],
    ChargeFrequency: ['One-Time', 'Recurring', 'Usage-Based'],
    ContractCommitmentBenefitCategory: ['Discount', 'Entitlement', 'Availability', 'Other'],
    ContractCommitmentCategory: ['Spend', 'Usage'],
    ContractCommitmentFulfillmentInterval: [
        ...['Hourly', 'Daily', 'Weekly', 'Monthly', 'Quarterly', 'Semi-Annual', 'Annual'],
        ...['Full Period', 'Transactional', 'Custom'],
    ],
    ContractCommitmentLifecycleStatus: [
        ...['Proposed', 'Pending', 'Active', 'Exhausted', 'Expired', 'Canceled', 'Superseded'],
    ],
    ContractCommitmentModel: ['Continuous', 'Discontinuous'],
    ContractCommitmentOfferCategory: ['Public', 'Negotiated'],
    ContractCommitmentPaymentInterval: [
        ...['One-Time', 'Monthly', 'Quarterly', 'Semi-Annual', 'Annual', 'Custom'],
    ],
    ContractCommitmentPaymentModel: ['No Upfront', 'Partial Upfront', 'All Upfront'],
    InvoiceIssueStatus: ['Open', 'Issued', 'Voided'],
    PricingCategory: ['', 'Standard', 'Dynamic', 'Committed', 'Other'],
    ServiceCategory: Object.keys(serviceCategories),
    ServiceSubcategory: (
        Object.keys(serviceCategories) as (keyof typeof serviceCategories)[]
    ).flatMap(subcategoriesOf),
};

const formats = {
    text: /\S/,
    decimal: /^-?\d+(\.\d+)?$/,
    instant: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    json: /^\{.*\}$/s,
} as const;

/** Rules between the columns of a row, by dataset. */
const rules: Readonly<
    Record<
        FocusDataset,
        Readonly<Record<string, (row: Readonly<Record<string, string>>) => boolean>>
    >
> = {
    CostAndUsage: {
        'a period ends after it begins': (of) =>
            of.ChargePeriodStart! < of.ChargePeriodEnd! &&
            of.BillingPeriodStart! < of.BillingPeriodEnd!,
        'what has an invoice has a line of it': (of) => !of.InvoiceId === !of.InvoiceDetailId,
        'a purchase is not usage-based': (of) =>
            of.ChargeCategory !== 'Purchase' || of.ChargeFrequency !== 'Usage-Based',
        'elements of ContractApplied have ids, and a cost or a quantity with its unit': (of) =>
            !of.ContractApplied || JSON.parse(of.ContractApplied).Elements.every(isApplied),
        'details of a price are flat': (of) => !of.SkuPriceDetails || isFlat(of.SkuPriceDetails),
    },
    InvoiceDetail: {
        'what is open was not issued': (of) =>
            (of.InvoiceIssueStatus === 'Open') === (of.InvoiceIssueDate === ''),
        'its grain is flat, of known keys and our own': (of) =>
            isFlat(of.InvoiceDetailGrain!) &&
            Object.keys(JSON.parse(of.InvoiceDetailGrain!)).every((key) => grainKey.test(key)),
    },
    ContractCommitment: {
        'money or a quantity with its unit': (of) =>
            of.ContractCommitmentCategory === 'Spend'
                ? of.ContractCommitmentCost !== '' && of.ContractCommitmentQuantity === ''
                : of.ContractCommitmentQuantity !== '' && of.ContractCommitmentUnit !== '',
        'it lies in its contract': (of) =>
            of.ContractPeriodStart! <= of.ContractCommitmentPeriodStart! &&
            of.ContractCommitmentPeriodEnd! <= of.ContractPeriodEnd!,
        'money has a currency': (of) =>
            of.ContractCommitmentCategory !== 'Spend' || of.BillingCurrency !== '',
        'a discount has a percentage': (of) =>
            (of.ContractCommitmentBenefitCategory === 'Discount') ===
            (of.ContractCommitmentDiscountPercentage !== ''),
        'what is measured once is not continuous': (of) =>
            of.ContractCommitmentFulfillmentInterval !== 'Full Period' ||
            of.ContractCommitmentModel === 'Discontinuous',
        'the share that is paid upfront is what the payment model says': (of) =>
            of.ContractCommitmentPaymentUpfrontPercentage ===
            { 'All Upfront': '1', 'No Upfront': '0' }[of.ContractCommitmentPaymentModel!],
        'it was not updated before it was created': (of) =>
            of.ContractCommitmentCreated! <= of.ContractCommitmentLastUpdated!,
        'all upfront is paid once': (of) =>
            of.ContractCommitmentPaymentModel !== 'All Upfront' ||
            of.ContractCommitmentPaymentInterval === 'One-Time',
        'a duration is a number and a unit of time': (of) =>
            /^[1-9]\d* (Day|Month|Year)s?$/.test(of.ContractCommitmentDurationType!),
        'for all, or for what it names': (of) => {
            const { IsGlobalScope, Inclusions } = JSON.parse(of.ContractCommitmentApplicability!);
            return IsGlobalScope === true ? Inclusions === undefined : Inclusions.length > 0;
        },
    },
    BillingPeriod: {
        'it ends after it begins': (of) => of.BillingPeriodStart! < of.BillingPeriodEnd!,
    },
};

const grainKey =
    /^(ContractId|RegionId|ResourceId|ResourceType|ServiceName|SkuId|SkuMeter|SkuPriceId|SubAccountId|x_\w+)$/;

const isFlat = (text: string) =>
    Object.values(JSON.parse(text)).every((value) => typeof value !== 'object');

const isApplied = (of: Readonly<Record<string, unknown>>) =>
    typeof of.ContractId === 'string' &&
    typeof of.ContractCommitmentId === 'string' &&
    // One or the other, never both.
    (typeof of.ContractCommitmentAppliedCost === 'number') !==
        (typeof of.ContractCommitmentAppliedQuantity === 'number' &&
            typeof of.ContractCommitmentAppliedUnit === 'string');

/** The keys of a dataset: no two rows have the same. */
const grains: Partial<Record<FocusDataset, readonly string[]>> = {
    InvoiceDetail: ['InvoiceIssuerName', 'InvoiceId', 'InvoiceDetailId'],
    ContractCommitment: ['x_BillingAccountId', 'ContractCommitmentId'],
    BillingPeriod: ['InvoiceIssuerName', 'BillingPeriodStart'],
};

/** Everything wrong with the CSV file of a dataset. */
export function problemsOf(dataset: FocusDataset, text: string): readonly string[] {
    const columns = focusColumns(dataset, '1.4');
    const [header = [], ...cells] = parse(text) as string[][];
    const rows = cells.map((row) => Object.fromEntries(row.map((cell, at) => [header[at], cell])));
    const names = columns.map(({ name }) => name);
    const ours = names.findIndex((name) => name.startsWith('x_'));
    const standard = ours < 0 ? names : names.slice(0, ours);
    const keys = rows.map((row) => grains[dataset]?.map((name) => row[name]).join('|'));
    return [
        ...(header.join() === names.join() ? [] : [`the columns are ${header.join()}`]),
        ...mandatory[dataset].filter((of) => !names.includes(of)).map((of) => `no column ${of}`),
        ...(standard.join() === standard.toSorted().join() ? [] : ['columns are not by name']),
        ...names.slice(standard.length).filter((of) => !of.startsWith('x_')),
        ...(grains[dataset] && new Set(keys).size < keys.length ? ['a row is there twice'] : []),
        ...rows.flatMap((row, at) => [
            ...columns.flatMap(({ name, kind, nullable }) => {
                const cell = row[name] ?? '';
                const isFine = cell === '' ? nullable : formats[kind].test(cell);
                const isAllowed = allowed[name]?.includes(cell) ?? true;
                return isFine && isAllowed ? [] : [`row ${at + 1}: ${name} is "${cell}"`];
            }),
            ...(isCurrency(row.BillingCurrency ?? 'USD') ? [] : [`row ${at + 1}: no currency`]),
            ...Object.entries(rules[dataset])
                .filter(([, holds]) => !holds(row))
                .map(([rule]) => `row ${at + 1}: not ${rule}`),
        ]),
    ];
}
