import type { FocusConfig } from '../schema/focus.ts';
import { subcategoriesOf } from '../schema/focus.ts';
import type { LineItem } from '../schema/line-item.ts';
import type { Paid } from './focus-paid.ts';

/** What of a line counts towards a commitment. */
export interface Counted {
    readonly line_key: string;
    readonly contract_id: string;
    readonly commitment_id: string;
    readonly measure: 'amount' | 'quantity';
    readonly amount_minor: bigint;
    readonly quantity: string;
    /** Unit of the line. */
    readonly unit: string;
}

/** What was paid for a grant, and how much of its asset for that. */
export interface GrantBasis {
    readonly payer_id: string;
    readonly payer_name: string;
    readonly grant_id: string;
    readonly cost_basis: string;
    readonly size: string;
    /** What was left when it ended and goes on nowhere, in its asset. */
    readonly lost: string;
    readonly asset: string;
    readonly currency: string;
    readonly account_id: string;
    readonly account_name: string;
    readonly product: string;
    readonly description: string;
    /** When it held within the period. */
    readonly starts_at: string;
    readonly ended_at: string;
    readonly period_start: string;
    readonly period_end: string;
    readonly recon_status: LineItem['recon_status'];
}

/** A commitment with its statement, as ContractCommitment tells it. */
export interface PromisedCommitment {
    readonly payer_id: string;
    readonly commitment_id: string;
    readonly contract_id: string;
    readonly account_id: string;
    readonly kind: 'postpaid' | 'prepaid';
    readonly measure: 'amount' | 'quantity';
    readonly unit: string | null;
    readonly currency: string;
    readonly window_start: string;
    readonly window_end: string;
    readonly contract_start: string;
    readonly contract_end: string;
    readonly committed: string;
    readonly counted: string;
    readonly shortfall: string;
    readonly description: string;
    /** In its scope, sorted; none means all. */
    readonly products: readonly string[];
    /** Whom it is for, sorted; none where it is for all that the payer pays for. */
    readonly accounts: readonly string[];
    /** End of the period of its payer, and its zone. */
    readonly period_end: string;
    readonly time_zone: string;
}

/** A period as the log knows it. */
export interface PeriodFacts {
    /** When the run that speaks for it was entered, and when anything of it last changed. */
    readonly created_at: string;
    readonly updated_at: string;
    /** Null while it is open. */
    readonly closed_at: string | null;
}

/** Everything that FOCUS files are made of. No line of a held payer is in it. */
export interface FocusFacts {
    /** In canonical order. */
    readonly lines: readonly LineItem[];
    /** In order: line, wallets before grants, then asset and grant. */
    readonly paid: readonly Paid[];
    readonly counted: readonly Counted[];
    readonly grants: readonly GrantBasis[];
    readonly commitments: readonly PromisedCommitment[];
    /** The period as the payers have it, by their zones. */
    readonly spans: readonly Pick<LineItem, 'period_start' | 'period_end'>[];
    /** Rates whose price an event or its cost says. */
    readonly dynamicRates: ReadonlySet<string>;
    readonly period: PeriodFacts;
    readonly config: FocusConfig;
}

/** Who sells, issues and hosts. */
export function namesOf({ service_provider, invoice_issuer, host_provider }: FocusConfig) {
    return {
        ServiceProviderName: service_provider,
        InvoiceIssuerName: invoice_issuer ?? service_provider,
        HostProviderName: host_provider ?? service_provider,
    };
}

/** What service a product is. */
export function serviceOf(config: FocusConfig, product: string) {
    const { service_category, service_subcategory, services } = config;
    return {
        ServiceCategory: service_category,
        ServiceSubcategory: service_subcategory ?? subcategoriesOf(service_category).at(-1) ?? '',
        ServiceName: Object.hasOwn(services, product) ? (services[product] ?? product) : product,
    };
}
