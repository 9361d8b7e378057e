import { compare, formatAmount, parseAmount } from '../money/amount.ts';
import { civilDays } from '../time/civil.ts';
import { parseInstant } from '../time/instant.ts';
import { isMonthStart, monthOf } from '../time/period.ts';
import type { FocusRow } from './focus-columns.ts';
import { type FocusFacts, namesOf, type PromisedCommitment } from './focus-facts.ts';
import { focusInstant, focusUnit, jsonObject, moneyOf } from './focus-text.ts';

/** ContractCommitment: one row per commitment whose window touches the period. */
export function focusCommitments({ commitments, config, period }: FocusFacts): readonly FocusRow[] {
    const { ServiceProviderName, InvoiceIssuerName } = namesOf(config);
    return commitments.map((of) => {
        const isMoney = of.measure === 'amount';
        const isPrepaid = of.kind === 'prepaid';
        const cost = isMoney ? moneyOf(parseAmount(of.committed), of.currency) : null;
        const lasts = durationOf(of);
        return {
            BillingCurrency: of.currency,
            ContractCommitmentApplicability: applicabilityOf(of),
            ContractCommitmentBenefitCategory: isPrepaid ? 'Entitlement' : 'Other',
            ContractCommitmentCategory: isMoney ? 'Spend' : 'Usage',
            ContractCommitmentCost: cost,
            ContractCommitmentCreated: focusInstant(period.created_at),
            ContractCommitmentDescription: of.description,
            ContractCommitmentDiscountPercentage: null,
            ContractCommitmentDurationType: lasts,
            ContractCommitmentFulfillmentInterval: intervals[lasts] ?? 'Full Period',
            ContractCommitmentId: of.commitment_id,
            ContractCommitmentLastUpdated: focusInstant(period.updated_at),
            ContractCommitmentLifecycleStatus: statusOf(of),
            ContractCommitmentModel: 'Discontinuous',
            ContractCommitmentOfferCategory: 'Negotiated',
            ContractCommitmentPaymentInterval: 'One-Time',
            ContractCommitmentPaymentModel: isPrepaid ? 'All Upfront' : 'No Upfront',
            ContractCommitmentPaymentUpfrontPercentage: isPrepaid ? '1' : '0',
            ContractCommitmentPeriodEnd: focusInstant(of.window_end),
            ContractCommitmentPeriodStart: focusInstant(of.window_start),
            ContractCommitmentQuantity: isMoney ? null : trimmed(of.committed),
            ContractCommitmentType: isPrepaid ? 'Prepaid' : 'Postpaid',
            ContractCommitmentUnit: isMoney ? null : focusUnit(of.unit ?? ''),
            ContractId: of.contract_id,
            ContractPeriodEnd: focusInstant(of.contract_end),
            ContractPeriodStart: focusInstant(of.contract_start),
            InvoiceIssuerName,
            PricingCurrency: of.currency,
            PricingCurrencyContractCommitmentCost: cost,
            ServiceProviderName,
            x_BillingAccountId: of.payer_id,
            x_Counted: trimmed(of.counted),
            x_Shortfall: trimmed(of.shortfall),
        };
    });
}

const trimmed = (text: string) => formatAmount(parseAmount(text));

/** A window is measured once, at its end: where no interval has its length, it is the period itself. */
const intervals: Readonly<Record<string, string>> = {
    '1 Month': 'Monthly',
    '3 Months': 'Quarterly',
    '6 Months': 'Semi-Annual',
    '1 Year': 'Annual',
};

/** How long a window lasts: in whole months of its payer's zone, else in days. */
function durationOf({ window_start, window_end, time_zone }: PromisedCommitment): string {
    const [from, to] = [parseInstant(window_start), parseInstant(window_end)];
    if (!isMonthStart(from, time_zone) || !isMonthStart(to, time_zone)) {
        return lasting(civilDays(from, to, time_zone), 'Day');
    }
    const months = monthNumber(monthOf(to, time_zone)) - monthNumber(monthOf(from, time_zone));
    return months % 12n === 0n ? lasting(months / 12n, 'Year') : lasting(months, 'Month');
}

/** Months from the year 0 to one, yyyy-MM. */
function monthNumber(month: string): bigint {
    const [year = '', ofYear = ''] = month.split('-');
    return BigInt(year) * 12n + BigInt(ofYear);
}

const lasting = (count: bigint, unit: string) => `${count} ${unit}${count === 1n ? '' : 's'}`;

/** As of the end of the period. */
function statusOf({ window_end, period_end, counted, committed }: PromisedCommitment): string {
    if (parseInstant(window_end) <= parseInstant(period_end)) return 'Expired';
    return compare(parseAmount(counted), parseAmount(committed)) < 0 ? 'Active' : 'Exhausted';
}

/** For which products and accounts it is. */
function applicabilityOf({ products, accounts }: PromisedCommitment): string {
    const rules = [
        ['SkuId', products],
        ['SubAccountId', accounts],
    ] as const;
    const inclusions = rules.flatMap(([dimension, values]) =>
        values.length === 0
            ? []
            : [
                  {
                      pairs: [
                          ['Dimension', dimension],
                          ['Operator', 'In'],
                          ['Values', values],
                      ] as const,
                  },
              ],
    );
    return inclusions.length === 0
        ? jsonObject([['IsGlobalScope', true]])
        : jsonObject([
              ['InclusionOperator', 'And'],
              ['Inclusions', inclusions],
          ]);
}
