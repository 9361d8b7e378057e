/**
 * The columns of FOCUS datasets, in the order in which they are written: those of the standard by name,
 * then ours (`x_`). Source: the FOCUS specification, versions 1.2 and 1.4.
 */
export type FocusKind = 'text' | 'decimal' | 'instant' | 'json';

export interface FocusColumn {
    readonly name: string;
    readonly kind: FocusKind;
    readonly nullable: boolean;
    /** Versions that have it. */
    readonly versions: readonly FocusVersion[];
}

export const focusVersions = ['1.4', '1.2'] as const;
export type FocusVersion = (typeof focusVersions)[number];

export const focusDatasets = [
    'CostAndUsage',
    'InvoiceDetail',
    'ContractCommitment',
    'BillingPeriod',
] as const;
export type FocusDataset = (typeof focusDatasets)[number];

/** A row by column. Decimals are plain text, instants end in Z, json is the text of an object. */
export type FocusRow = Readonly<Record<string, string | null>>;

/** `Name kind`, with `?` where it may be null, and a version where only that one has it. */
const costAndUsage = `
    BilledCost decimal
    BillingAccountId text
    BillingAccountName text
    BillingCurrency text
    BillingPeriodEnd instant
    BillingPeriodStart instant
    ChargeCategory text
    ChargeClass text?
    ChargeDescription text
    ChargeFrequency text
    ChargePeriodEnd instant
    ChargePeriodStart instant
    ConsumedQuantity decimal?
    ConsumedUnit text?
    ContractApplied json? 1.4
    ContractedCost decimal
    ContractedUnitPrice decimal?
    EffectiveCost decimal
    HostProviderName text 1.4
    InvoiceDetailId text? 1.4
    InvoiceId text?
    InvoiceIssuerName text
    ListCost decimal
    ListUnitPrice decimal?
    PricingCategory text?
    PricingCurrency text
    PricingCurrencyContractedUnitPrice decimal?
    PricingCurrencyEffectiveCost decimal
    PricingCurrencyListUnitPrice decimal?
    PricingQuantity decimal?
    PricingUnit text?
    ProviderName text 1.2
    PublisherName text 1.2
    ServiceCategory text
    ServiceName text
    ServiceProviderName text 1.4
    ServiceSubcategory text
    SkuId text?
    SkuMeter text?
    SkuPriceDetails json?
    SkuPriceId text?
    SubAccountId text?
    SubAccountName text?
    x_Asset text?
    x_AssetAmount decimal?
    x_BackfillId text?
    x_ContractApplied json? 1.2
    x_CorrectedInvoiceDetailId text?
    x_CorrectedPeriod text?
    x_GrantId text?
    x_InvoiceDetailId text? 1.2
    x_LineType text?
    x_RateCard text?
    x_RateCardVersion text?
    x_ReconStatus text
`;

const invoiceDetail = `
    BilledCost decimal
    BillingAccountId text
    BillingCurrency text
    BillingPeriodEnd instant
    BillingPeriodStart instant
    ChargeCategory text
    InvoiceDetailCreated instant
    InvoiceDetailDescription text?
    InvoiceDetailGrain json?
    InvoiceDetailId text
    InvoiceDetailLastUpdated instant
    InvoiceId text
    InvoiceIssueDate instant?
    InvoiceIssueStatus text
    InvoiceIssuerName text
    PaymentDueDate instant?
    PaymentTerms text
    ReferenceInvoiceId text
    x_LineAmount decimal
    x_LineType text
    x_Quantity decimal
    x_UnitPrice decimal
`;

const contractCommitment = `
    BillingCurrency text
    ContractCommitmentApplicability json
    ContractCommitmentBenefitCategory text
    ContractCommitmentCategory text
    ContractCommitmentCost decimal?
    ContractCommitmentCreated instant
    ContractCommitmentDescription text?
    ContractCommitmentDiscountPercentage decimal?
    ContractCommitmentDurationType text
    ContractCommitmentFulfillmentInterval text
    ContractCommitmentId text
    ContractCommitmentLastUpdated instant
    ContractCommitmentLifecycleStatus text
    ContractCommitmentModel text
    ContractCommitmentOfferCategory text
    ContractCommitmentPaymentInterval text
    ContractCommitmentPaymentModel text
    ContractCommitmentPaymentUpfrontPercentage decimal
    ContractCommitmentPeriodEnd instant
    ContractCommitmentPeriodStart instant
    ContractCommitmentQuantity decimal?
    ContractCommitmentType text
    ContractCommitmentUnit text?
    ContractId text
    ContractPeriodEnd instant
    ContractPeriodStart instant
    InvoiceIssuerName text
    PricingCurrency text
    PricingCurrencyContractCommitmentCost decimal?
    ServiceProviderName text
    x_BillingAccountId text
    x_Counted decimal
    x_Shortfall decimal
`;

const billingPeriod = `
    BillingPeriodCreated instant
    BillingPeriodEnd instant
    BillingPeriodLastUpdated instant
    BillingPeriodStart instant
    BillingPeriodStatus text
    InvoiceIssuerName text
`;

const written: Readonly<Record<FocusDataset, string>> = {
    CostAndUsage: costAndUsage,
    InvoiceDetail: invoiceDetail,
    ContractCommitment: contractCommitment,
    BillingPeriod: billingPeriod,
};

/** The columns of a dataset in a version, in order; none where the version has no such dataset. */
export function focusColumns(dataset: FocusDataset, version: FocusVersion): readonly FocusColumn[] {
    if (version === '1.2' && dataset !== 'CostAndUsage') return [];
    return written[dataset]
        .trim()
        .split('\n')
        .map(readColumn)
        .filter((column) => column.versions.includes(version));
}

function readColumn(line: string): FocusColumn {
    const [name = '', kind = '', version] = line.trim().split(' ');
    return {
        name,
        kind: kind.replace('?', '') as FocusKind,
        nullable: kind.endsWith('?'),
        versions: version === undefined ? focusVersions : [version as FocusVersion],
    };
}
