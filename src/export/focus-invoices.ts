import { add, formatAmount, parseAmount } from '../money/amount.ts';
import type { LineItem } from '../schema/line-item.ts';
import type { FocusRow } from './focus-columns.ts';
import { type FocusFacts, namesOf, type PeriodFacts, serviceOf } from './focus-facts.ts';
import { customKeys, focusInstant, jsonObject, moneyOf } from './focus-text.ts';

/** What a charge of a line is called, where it has none in CostAndUsage: it was paid before. */
const categories: Readonly<Record<LineItem['line_type'], string>> = {
    usage: 'Usage',
    fee: 'Usage',
    overage: 'Adjustment',
    commitment_fee: 'Purchase',
    commitment_consumed: 'Adjustment',
    true_up: 'Adjustment',
    balance_consumed: 'Adjustment',
    wallet_settlement: 'Adjustment',
    debit_adjustment: 'Adjustment',
    credit_adjustment: 'Adjustment',
};

/**
 * InvoiceDetail: one row per line of the invoices. `BilledCost` is what its charges in CostAndUsage are
 * billed for, so without what was paid before; `x_LineAmount` is what the line says. Both add up to
 * the invoice.
 */
export function focusInvoiceDetails(
    facts: FocusFacts,
    charges: readonly FocusRow[],
): readonly FocusRow[] {
    const { created_at, updated_at, closed_at } = facts.period;
    const billed = Map.groupBy(charges, ({ InvoiceDetailId }) => InvoiceDetailId ?? '');
    return facts.lines.map((line) => {
        const { InvoiceIssuerName } = namesOf(facts.config);
        const sum = (billed.get(line.line_key) ?? [])
            .map(({ BilledCost }) => parseAmount(BilledCost ?? '0'))
            .reduce(add, { units: 0n, scale: 0 });
        return {
            BilledCost: moneyOf(sum, line.currency),
            BillingAccountId: line.payer_id,
            BillingCurrency: line.currency,
            BillingPeriodStart: focusInstant(line.period_start),
            BillingPeriodEnd: focusInstant(line.period_end),
            ChargeCategory: categories[line.line_type],
            InvoiceDetailCreated: focusInstant(created_at),
            InvoiceDetailDescription: line.description,
            InvoiceDetailGrain: grainOf(line, facts),
            InvoiceDetailId: line.line_key,
            InvoiceDetailLastUpdated: focusInstant(updated_at),
            InvoiceId: line.invoice_key,
            InvoiceIssueDate: closed_at === null ? null : focusInstant(closed_at),
            InvoiceIssueStatus: closed_at === null ? 'Open' : 'Issued',
            InvoiceIssuerName,
            PaymentDueDate: null,
            PaymentTerms: facts.config.payment_terms,
            ReferenceInvoiceId: referenceOf(line),
            x_LineAmount: line.amount,
            x_LineType: line.line_type,
            x_Quantity: line.quantity,
            x_UnitPrice: formatAmount(parseAmount(line.unit_price)),
        };
    });
}

/** The invoice that a line corrects, else its own. Its key is as 80-invoice makes it. */
function referenceOf({ invoice_key, payer_id, currency, corrects_period }: LineItem): string {
    return corrects_period === null ? invoice_key : `${payer_id}/${corrects_period}/${currency}`;
}

/** What tells a line from the others of its invoice. */
function grainOf(line: LineItem, { config }: FocusFacts): string {
    const isOwn = line.account_id === line.payer_id;
    const contract = line.commitment_id?.slice(0, line.commitment_id.lastIndexOf('/'));
    const keys = {
        ContractId: contract ?? '',
        ServiceName: serviceOf(config, line.product).ServiceName,
        SkuId: line.product,
        SkuMeter: line.meter,
        SkuPriceId: line.rate_id,
        SubAccountId: isOwn ? '' : line.account_id,
    };
    const own = customKeys({
        line_type: line.line_type,
        service_start: focusInstant(line.service_start),
        ...(line.commitment_id ? { commitment_id: line.commitment_id } : {}),
        ...(line.grant_id ? { grant_id: line.grant_id } : {}),
        ...(line.asset ? { asset: line.asset } : {}),
        ...(line.corrects_line_key ? { corrected_invoice_detail_id: line.corrects_line_key } : {}),
        ...(line.backfill_id ? { backfill_id: line.backfill_id } : {}),
    });
    const all = { ...keys, ...(JSON.parse(own ?? '{}') as Readonly<Record<string, string>>) };
    return jsonObject(Object.entries(all).filter(([, value]) => value !== ''));
}

/** BillingPeriod: one row per span of the period, as the zones of payers differ. */
export function focusBillingPeriods({ period, config, spans }: FocusFacts): readonly FocusRow[] {
    return spans.map(({ period_start, period_end }) => ({
        BillingPeriodStart: focusInstant(period_start),
        BillingPeriodEnd: focusInstant(period_end),
        InvoiceIssuerName: namesOf(config).InvoiceIssuerName,
        ...stateOf(period),
    }));
}

function stateOf({ created_at, updated_at, closed_at }: PeriodFacts) {
    return {
        BillingPeriodCreated: focusInstant(created_at),
        BillingPeriodLastUpdated: focusInstant(updated_at),
        BillingPeriodStatus: closed_at === null ? 'Open' : 'Closed',
    };
}
