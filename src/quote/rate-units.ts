import type {
    rateCharges,
    rateDiscounts,
    rateTiers,
    terms as termsTable,
} from '../../pipelines/45-price/tables.ts';
import type { RowOf } from '../duck/table.ts';
import { type FileProblem, RunError } from '../errors/index.ts';
import type { QuoteLine } from '../schema/quote.ts';
import { chargeOf, chargesAccounts, isByEvent, readTerms, type Terms } from '../schema/terms.ts';
import { QuoteError } from './error.ts';
import { tierTexts } from './tiers.ts';
import { hasRoom, type UnitLine, unitLine } from './units.ts';

/** A rate of a card with its terms as JSON, null for a bare price of one unit. */
interface Rate {
    readonly rate_id: string;
    readonly meter: string;
    readonly currency: string;
    readonly terms: string | null;
    readonly file: string;
    readonly line: bigint;
}

/** What the pricing stage reads of the rates that are more than a price of one unit. */
export interface RateUnits {
    readonly terms: readonly RowOf<typeof termsTable>[];
    readonly charges: readonly RowOf<typeof rateCharges>[];
    readonly tiers: readonly RowOf<typeof rateTiers>[];
    readonly discounts: readonly RowOf<typeof rateDiscounts>[];
}

/** Usage is whole, or has few decimals, or many: the fewer, the larger the amounts that fit. */
const scales = [0, 6, 12] as const;

/** The longest period in the units of its proration: a month, and a day more for zones that jump. */
const longest = { day: 32n, second: 2_764_800n } as const;

/** An amount is divided by this many digits at most, with six more in hand. */
const widestDivisor = 10n ** 31n;

/** Events of a line that the guard against overflow allows for. */
const mostEvents = 10n ** 10n;

/**
 * Puts the terms of rates into whole numbers, once for each scale of usage: one row per rate, not
 * per line.
 * @param isSummed whether a meter adds up events, so that a rate can look at each.
 * @throws RunError RULES_INVALID with every rate whose amounts would take more than 38 digits.
 */
export function rateUnits(rates: readonly Rate[], isSummed: (meter: string) => boolean): RateUnits {
    const problems: FileProblem[] = [];
    const made = rates.flatMap((rate) => {
        if (rate.terms === null) return [];
        const terms = readTerms(rate.terms);
        const events = isByEvent(terms) && isSummed(rate.meter);
        try {
            const units = (events ? ([12] as const) : scales).map((scale) =>
                unitsAt(rate, terms, scale, events),
            );
            return [{ term: termRow(rate, terms, events), units }];
        } catch (error) {
            if (!(error instanceof QuoteError)) throw error;
            problems.push({
                code: 'TERMS_TOO_FINE',
                file: rate.file,
                line: Number.parseInt(`${rate.line}`, 10),
                message: `the terms of this rate cannot be computed exactly: ${error.message}`,
                remedy: 'Use fewer decimals in its prices, percents and bounds.',
            });
            return [];
        }
    });
    if (problems.length) throw new RunError('RULES_INVALID', { problems });
    const units = made.flatMap((of) => of.units);
    return {
        terms: made.map(({ term }) => term),
        charges: units.map(({ charge }) => charge),
        tiers: units.flatMap(({ tiers }) => tiers),
        discounts: units.flatMap(({ discounts }) => discounts),
    };
}

function termRow({ rate_id }: Rate, terms: Terms, events: boolean): RowOf<typeof termsTable> {
    const isFlat = terms.model === 'flat';
    return {
        rate_id,
        model: terms.model,
        // A fee is of an account: what its usage was split by has no part in it.
        tier_scope: isFlat && terms.tier_scope === 'line' ? 'account' : terms.tier_scope,
        is_for_accounts: chargesAccounts(terms),
        is_for_all: terms.charge_zero_usage,
        is_in_advance: terms.bill === 'advance',
        is_by_event: events,
        proration_unit: terms.proration?.unit ?? null,
    };
}

function unitsAt(
    { rate_id, currency }: Rate,
    terms: Terms,
    scale: (typeof scales)[number],
    events: boolean,
): Pick<RateUnits, 'tiers' | 'discounts'> & { readonly charge: RateUnits['charges'][number] } {
    const zero = `0${scale === 0 ? '' : `.${'0'.repeat(scale)}`}`;
    const line: QuoteLine = { id: rate_id, charge: chargeOf(terms), currency, quantity: zero };
    const made = unitLine(line, [{ group_id: '', quantity: zero, events: events ? [zero] : null }]);
    const denominator = terms.proration ? longest[terms.proration.unit] : 1n;
    const { decimals, quantity, amount } = made.scales;
    if (made.charge.rounding_divisor * 10n ** BigInt(decimals) * denominator >= widestDivisor) {
        throw new QuoteError('QUOTE_RANGE', 'its exact amounts have more than 31 decimals');
    }
    const head = { rate_id, quantity_scale: BigInt(scale) };
    const { tiers: texts } = tierTexts(line.charge);
    const withHead = <R extends { readonly line_id: string }>({ line_id: _, ...row }: R) => ({
        ...head,
        ...row,
    });
    return {
        charge: {
            ...withHead(made.charge),
            decimals: BigInt(decimals),
            tier_scale: BigInt(quantity),
            amount_scale: BigInt(amount),
            quantity_limit: quantityLimit(made, denominator, events),
        },
        tiers: made.tiers.map((tier, at) => ({
            ...withHead(tier),
            written_price: texts[at]?.isPriced ? texts[at].unit_price : null,
        })),
        discounts: made.discounts.map(withHead),
    };
}

/** The largest quantity of which nothing can come near the largest whole number. */
function quantityLimit(made: UnitLine, denominator: bigint, events: boolean): bigint {
    const fits = (given: bigint) =>
        hasRoom(
            made,
            { given, values: events ? given : 0n, eventCount: events ? mostEvents : 0n },
            denominator,
        );
    if (!fits(0n)) throw new QuoteError('QUOTE_RANGE', 'its fees take more than 38 digits');
    let [low, high] = [0n, 2n ** 126n];
    while (high - low > 1n) {
        const middle = (low + high) / 2n;
        if (fits(middle)) low = middle;
        else high = middle;
    }
    return low;
}
