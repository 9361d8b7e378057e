import { type Amount, compare, formatAmount, multiply, parseAmount } from '../money/amount.ts';
import { roundShare } from '../money/round.ts';
import type { LineItem } from '../schema/line-item.ts';
import { contractApplied, wholeApplied } from './focus-applied.ts';
import type { FocusRow } from './focus-columns.ts';
import { type FocusFacts, type GrantBasis, namesOf, serviceOf } from './focus-facts.ts';
import { type Paid, type Piece, piecesOf, splitBy, unitScale, unitsOf } from './focus-paid.ts';
import { customKeys, focusInstant, focusUnit, minorText, moneyOf } from './focus-text.ts';

type Charge = { readonly [column: string]: string | null };

/**
 * The charges of CostAndUsage, of all versions at once: each line in pieces (what paid of it before, and
 * what remains), what a wallet paid beyond any line, and what was paid for and never used. The order is
 * that of lines; docs/focus.md says which line becomes what.
 */
export function focusCharges(facts: FocusFacts): readonly FocusRow[] {
    const pieces = piecesOf(facts.lines, facts.paid);
    const recognised = recogniser(facts.grants);
    const counted = Map.groupBy(facts.counted, ({ line_key }) => line_key);
    const ofSource = Map.groupBy(facts.paid, sourceOf);
    const charges = facts.lines.flatMap((line): readonly Charge[] => {
        const head = headOf(line, facts);
        switch (line.line_type) {
            case 'usage':
            case 'fee':
            case 'overage': {
                const own = pieces.get(line.line_key) ?? [];
                const elements = contractApplied(counted.get(line.line_key) ?? [], own, line);
                return own.map((piece, at) => ({
                    ...head,
                    ...(line.line_type === 'overage' ? adjusted(line, piece) : {}),
                    ...costsOf(line, piece, recognised),
                    ...(line.line_type === 'overage' ? {} : priced(line, own, at, facts)),
                    ContractApplied: elements[at] ?? null,
                }));
            }
            case 'commitment_fee':
                return [{ ...head, ...purchased(line) }];
            case 'wallet_settlement':
            case 'balance_consumed':
            case 'commitment_consumed': {
                const paid = ofSource.get(sourceOf(line)) ?? [];
                const rest = paid.reduce((sum, of) => sum + of.amount_minor, line.amount_minor);
                // What was paid without a line is given back; it was recognised nowhere.
                const piece = { paid: null, amount_minor: rest };
                return rest === 0n
                    ? []
                    : [{ ...head, ...adjusted(line, piece), ...owedBack(line, rest) }];
            }
            default: {
                const piece = { paid: null, amount_minor: line.amount_minor };
                const costs = costsOf(line, piece, recognised);
                return [{ ...head, ...adjusted(line, piece), ...costs }];
            }
        }
    });
    const lost = facts.grants.flatMap((grant) => unusedOf(grant, facts, recognised));
    return [...charges, ...lost].map((charge) => inBothVersions(charge));
}

/** What a version calls otherwise. */
function inBothVersions(charge: Charge): FocusRow {
    return {
        ...charge,
        ProviderName: charge.ServiceProviderName ?? null,
        PublisherName: charge.ServiceProviderName ?? null,
        x_ContractApplied: charge.ContractApplied ?? null,
        x_InvoiceDetailId: charge.InvoiceDetailId ?? null,
    };
}

/** What paid, whichever names it: a grant of a product, or the wallet of an account. */
const sourceOf = ({
    payer_id,
    account_id,
    product,
    asset,
    grant_id,
}: Pick<LineItem, 'payer_id' | 'account_id' | 'product' | 'asset' | 'grant_id'>) =>
    JSON.stringify(
        grant_id === null ? [payer_id, account_id, product, asset] : [payer_id, product, grant_id],
    );

const frequencies: Readonly<Record<LineItem['line_type'], string>> = {
    usage: 'Usage-Based',
    fee: 'Recurring',
    overage: 'Usage-Based',
    commitment_fee: 'One-Time',
    commitment_consumed: 'One-Time',
    true_up: 'One-Time',
    balance_consumed: 'One-Time',
    wallet_settlement: 'One-Time',
    debit_adjustment: 'One-Time',
    credit_adjustment: 'One-Time',
};

/** What all charges of a line say; what it has no price of is null. */
function headOf(line: LineItem, { config }: FocusFacts): Charge {
    const isOwn = line.account_id === line.payer_id;
    return {
        BillingAccountId: line.payer_id,
        BillingAccountName: line.payer_name,
        BillingCurrency: line.currency,
        BillingPeriodStart: focusInstant(line.period_start),
        BillingPeriodEnd: focusInstant(line.period_end),
        ChargeClass: line.corrects_line_key === null ? null : 'Correction',
        ChargeDescription: line.description,
        ChargeFrequency: frequencies[line.line_type],
        ChargePeriodStart: focusInstant(line.service_start),
        ChargePeriodEnd: focusInstant(line.service_end),
        InvoiceId: line.invoice_key,
        InvoiceDetailId: line.line_key,
        SubAccountId: isOwn ? null : line.account_id,
        SubAccountName: isOwn ? null : line.account_name,
        ...namesOf(config),
        ...serviceOf(config, line.product),
        x_BackfillId: line.backfill_id,
        x_CorrectedInvoiceDetailId: line.corrects_line_key,
        x_CorrectedPeriod: line.corrects_period,
        x_LineType: line.line_type,
        x_RateCard: line.card || null,
        x_RateCardVersion: line.card_version || null,
        x_ReconStatus: line.recon_status,
    };
}

/** What a piece is billed for, and what it cost the customer in the end. */
function costsOf(line: LineItem, { paid, amount_minor }: Piece, recognised: Recogniser): Charge {
    const own = minorText(amount_minor, line.currency);
    const effective = paid?.grant_id ? recognised(paid, line.currency) : own;
    const inAsset = paid !== null && paid.asset !== line.currency;
    return {
        BilledCost: paid === null ? own : minorText(0n, line.currency),
        EffectiveCost: effective,
        PricingCurrency: inAsset ? paid.asset : line.currency,
        PricingCurrencyEffectiveCost: inAsset ? unitsText(paid.asset_units) : effective,
        x_Asset: paid?.asset ?? null,
        x_AssetAmount: paid === null ? null : unitsText(paid.asset_units),
        x_GrantId: paid?.grant_id ?? null,
    };
}

const unitsText = (units: bigint) => formatAmount({ units, scale: unitScale });

/** A charge without a quantity: all its costs are what it comes to. */
function adjusted(line: LineItem, { amount_minor }: Piece): Charge {
    const own = minorText(amount_minor, line.currency);
    const isApplied = line.line_type === 'true_up' && line.commitment_id !== null;
    return {
        ChargeCategory: 'Adjustment',
        ContractedCost: own,
        ListCost: own,
        ContractApplied: isApplied ? wholeApplied(line) : null,
    };
}

/** What is given back of a payment that no line shows. */
function owedBack({ currency }: LineItem, rest: bigint): Charge {
    return {
        BilledCost: minorText(rest, currency),
        EffectiveCost: minorText(0n, currency),
        PricingCurrency: currency,
        PricingCurrencyEffectiveCost: minorText(0n, currency),
    };
}

/** What is paid for in advance is recognised where it is used. */
function purchased(line: LineItem): Charge {
    const own = minorText(line.amount_minor, line.currency);
    const nothing = minorText(0n, line.currency);
    return {
        ChargeCategory: 'Purchase',
        ...{ BilledCost: own, ContractedCost: own, ListCost: own, EffectiveCost: nothing },
        ...{ ContractedUnitPrice: own, ListUnitPrice: own },
        ...{ PricingQuantity: '1', PricingUnit: 'Commitments', PricingCategory: 'Standard' },
        PricingCurrency: line.currency,
        PricingCurrencyContractedUnitPrice: own,
        PricingCurrencyListUnitPrice: own,
        PricingCurrencyEffectiveCost: nothing,
        SkuId: line.product,
        SkuMeter: 'Commitment',
        SkuPriceId: line.commitment_id,
        ContractApplied: wholeApplied(line),
    };
}

/** Quantity and prices of one piece of a priced line, by its share of the amount. */
function priced(
    line: LineItem,
    pieces: readonly Piece[],
    at: number,
    { dynamicRates }: FocusFacts,
): Charge {
    const price = priceOf(line);
    const { paid } = pieces[at] ?? { paid: null };
    const weights = pieces.map(({ amount_minor }) => amount_minor);
    const share = (whole: Amount): Amount => {
        const units = splitBy(unitsOf(formatAmount(whole)), weights)[at] ?? 0n;
        return { units, scale: unitScale };
    };
    const quantity = share(price.quantity);
    const cost = (unitPrice: Amount) => moneyOf(multiply(unitPrice, quantity), line.currency);
    const inAsset = paid !== null && paid.asset !== line.currency;
    const assetPrice = inAsset
        ? perUnit({ units: paid.asset_units, scale: unitScale }, quantity)
        : null;
    const unit = focusUnit(line.unit);
    return {
        ChargeCategory: 'Usage',
        ConsumedQuantity: formatAmount(share(parseAmount(line.quantity))),
        ConsumedUnit: unit,
        ContractedCost: cost(price.contracted),
        ContractedUnitPrice: formatAmount(price.contracted),
        ListCost: cost(price.list),
        ListUnitPrice: formatAmount(price.list),
        PricingCategory: dynamicRates.has(line.rate_id) ? 'Dynamic' : 'Standard',
        PricingCurrencyContractedUnitPrice: formatAmount(assetPrice ?? price.contracted),
        PricingCurrencyListUnitPrice: formatAmount(assetPrice ?? price.list),
        PricingQuantity: formatAmount(quantity),
        PricingUnit: unit,
        SkuId: line.product,
        SkuMeter: line.meter,
        SkuPriceId: line.rate_id,
        SkuPriceDetails: customKeys(JSON.parse(line.attributes)),
    };
}

/**
 * The prices of a line by which quantity x price is its cost: its unit price where that makes its
 * amount, else the amount over the quantity, to the 12th decimal. What has an amount and no quantity (a
 * minimum) is priced as one.
 */
function priceOf(line: LineItem): {
    readonly quantity: Amount;
    readonly contracted: Amount;
    readonly list: Amount;
} {
    const exact = parseAmount(line.amount_exact);
    const used = parseAmount(line.quantity);
    const listed = parseAmount(line.unit_price);
    const isPlain = compare(multiply(used, listed), exact) === 0;
    if (isPlain) return { quantity: used, contracted: listed, list: listed };
    const quantity = used.units === 0n ? { units: 1n, scale: 0 } : used;
    const contracted = perUnit(exact, quantity);
    return { quantity, contracted, list: listed.units === 0n ? contracted : listed };
}

/** An amount over a quantity, to the 12th decimal; nothing over nothing, and never below zero. */
function perUnit(amount: Amount, { units, scale }: Amount): Amount {
    if (units <= 0n || amount.units < 0n) return { units: 0n, scale: 0 };
    return roundShare(amount, 10n ** BigInt(scale), units, unitScale);
}

type Recogniser = (
    paid: Pick<Paid, 'payer_id' | 'grant_id' | 'asset_units'>,
    currency: string,
) => string;

/**
 * What drawing on a grant cost the customer: what was paid for it, by what is drawn of it. Rounded by
 * running totals to the 12th decimal, so that a grant that is used up has cost what was paid for it.
 */
function recogniser(grants: readonly GrantBasis[]): Recogniser {
    const key = (payer_id: string, grant_id: string | null) => JSON.stringify([payer_id, grant_id]);
    const bases = new Map(grants.map((of) => [key(of.payer_id, of.grant_id), of]));
    const drawn = new Map<string, bigint>();
    return ({ payer_id, grant_id, asset_units }, currency) => {
        const id = key(payer_id, grant_id);
        const basis = bases.get(id);
        const size = basis ? unitsOf(basis.size) : 0n;
        if (!basis || size <= 0n) return minorText(0n, currency);
        const before = drawn.get(id) ?? 0n;
        drawn.set(id, before + asset_units);
        const cost = parseAmount(basis.cost_basis);
        const upTo = (units: bigint) => roundShare(cost, units, size, unitScale).units;
        const units = upTo(before + asset_units) - upTo(before);
        return moneyOf({ units, scale: unitScale }, currency);
    };
}

/** What was paid for and ended unused: on no invoice, and yet a cost. */
function unusedOf(
    grant: GrantBasis,
    { config }: FocusFacts,
    recognised: Recogniser,
): readonly Charge[] {
    const asset_units = unitsOf(grant.lost);
    if (asset_units === 0n || parseAmount(grant.cost_basis).units === 0n) return [];
    const effective = recognised({ ...grant, asset_units }, grant.currency);
    const isOwn = grant.account_id === grant.payer_id;
    return [
        {
            BillingAccountId: grant.payer_id,
            BillingAccountName: grant.payer_name,
            BillingCurrency: grant.currency,
            BillingPeriodStart: focusInstant(grant.period_start),
            BillingPeriodEnd: focusInstant(grant.period_end),
            ChargeCategory: 'Adjustment',
            ChargeDescription: `Ended unused: ${grant.description}`,
            ChargeFrequency: 'One-Time',
            ChargePeriodStart: focusInstant(grant.starts_at),
            ChargePeriodEnd: focusInstant(grant.ended_at),
            ...{ BilledCost: minorText(0n, grant.currency), EffectiveCost: effective },
            ...{ ContractedCost: effective, ListCost: effective },
            ...{ PricingCurrency: grant.currency, PricingCurrencyEffectiveCost: effective },
            SubAccountId: isOwn ? null : grant.account_id,
            SubAccountName: isOwn ? null : grant.account_name,
            ...namesOf(config),
            ...serviceOf(config, grant.product),
            ...{ x_Asset: grant.asset, x_AssetAmount: unitsText(asset_units) },
            ...{ x_GrantId: grant.grant_id, x_ReconStatus: grant.recon_status },
        },
    ];
}
