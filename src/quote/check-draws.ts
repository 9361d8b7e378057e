import { add, compare, formatAmount, parseAmount } from '../money/amount.ts';
import { isCurrency } from '../money/currency.ts';
import type { QuoteCharge, QuoteCommitment, QuoteGrant, QuoteLine } from '../schema/quote.ts';
import { parseInstant } from '../time/instant.ts';
import { QuoteError } from './error.ts';
import { isPricedByEvent } from './models.ts';

type Problem = QuoteError | null;

const commitmentError = (message: string) => new QuoteError('QUOTE_COMMITMENT', message);
const grantError = (message: string) => new QuoteError('QUOTE_GRANT', message);

/** What must hold between a commitment and the rest of its line. */
export function commitmentProblem(line: QuoteLine): Problem {
    const { commitment, groups, previously_billed } = line;
    if (!commitment) return null;
    if ((commitment.amount === undefined) === (commitment.quantity === undefined)) {
        return commitmentError('a commitment has one of amount, quantity');
    }
    if (commitment.overage_factor !== undefined && commitment.overage_unit_price !== undefined) {
        return commitmentError('overage has a factor or a unit price, not both');
    }
    if (groups) return commitmentError('a commitment is of one quantity: give it without groups');
    if (previously_billed) {
        return commitmentError('window_quantities say what was used before: not previously_billed');
    }
    return (
        quantityProblem(line, commitment) ??
        windowsProblem(line, commitment) ??
        overageProblem(line.charge, commitment)
    );
}

/** Whether a line has one quantity that can be covered or cut. */
function hasQuantity(line: QuoteLine): boolean {
    return (
        line.charge.model !== 'flat' && typeof line.quantity !== 'object' && !isPricedByEvent(line)
    );
}

function quantityProblem(line: QuoteLine, { quantity, window_quantities }: QuoteCommitment) {
    if (quantity === undefined && window_quantities === undefined) return null;
    if (!hasQuantity(line)) {
        return commitmentError('quantities need one of the line: not flat, by event or dimension');
    }
    const used = [line.quantity, ...(window_quantities ?? [])];
    const isBelow = used.some((of) => typeof of === 'string' && parseAmount(of).units < 0n);
    return quantity !== undefined && isBelow
        ? commitmentError('a committed quantity takes no usage below zero: commit to an amount')
        : null;
}

function windowsProblem(line: QuoteLine, { window_quantities }: QuoteCommitment): Problem {
    if (!window_quantities || typeof line.quantity !== 'string') return null;
    const sum = window_quantities.map(parseAmount).reduce(add);
    return compare(sum, parseAmount(line.quantity)) === 0
        ? null
        : commitmentError(
              `window_quantities add up to ${formatAmount(sum)}, quantity is ${line.quantity}`,
          );
}

/** Money does not say how many units lie above it, unless each has the same price. */
function overageProblem(charge: QuoteCharge, { amount, overage_unit_price }: QuoteCommitment) {
    if (amount === undefined || overage_unit_price === undefined) return null;
    const { unit_conversion, discounts, minimum, maximum } = charge;
    const isLinear =
        charge.model === 'per_unit' &&
        compare(parseAmount(charge.unit_price), parseAmount('0')) > 0;
    const isChanged = unit_conversion || discounts.length || minimum || maximum;
    return isLinear && !isChanged
        ? null
        : commitmentError(
              'an overage_unit_price above an amount needs per_unit with a price above 0, without ' +
                  'conversion, discounts, minimum, maximum: use overage_factor, or commit to a quantity',
          );
}

/** What must hold of grants, and between them and their line. */
export function grantsProblem(line: QuoteLine): Problem {
    const { grants, at } = line;
    if (at !== undefined && instantOf(at) === null) {
        return new QuoteError('QUOTE_SPAN', `at: ${at} is not an instant with a zone`);
    }
    const ids = (grants ?? []).map(({ id }) => id);
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    if (twice !== undefined) return grantError(`grant ${twice} is there twice`);
    return (grants ?? []).map((of) => grantProblem(line, of)).find((of) => of !== null) ?? null;
}

function grantProblem(line: QuoteLine, grant: QuoteGrant): Problem {
    const { id, amount, quantity, asset } = grant;
    if ((amount === undefined) === (quantity === undefined)) {
        return grantError(`grant ${id} has one of amount, quantity`);
    }
    if (asset !== undefined && isCurrency(asset) !== (amount !== undefined)) {
        return grantError(
            amount === undefined
                ? `grant ${id} is a quantity, and ${asset} is money`
                : `grant ${id} is an amount, and ${asset} is not an ISO 4217 currency`,
        );
    }
    if (quantity !== undefined && (line.groups || !hasQuantity(line))) {
        return grantError(
            `grant ${id} is a quantity and needs one of the line: no groups, flat, events or dimensions`,
        );
    }
    return spanProblem(grant);
}

function spanProblem({ id, starts_at, expires_at }: QuoteGrant): Problem {
    const texts = [starts_at, expires_at].filter((of) => typeof of === 'string');
    const wrong = texts.find((text) => instantOf(text) === null);
    if (wrong !== undefined) {
        return new QuoteError('QUOTE_SPAN', `grant ${id}: ${wrong} is not an instant with a zone`);
    }
    const [start, end] = [starts_at, expires_at].map((text) => text && instantOf(text));
    return start != null && end != null && start !== '' && end !== '' && end <= start
        ? new QuoteError('QUOTE_SPAN', `grant ${id} expires before it starts`)
        : null;
}

function instantOf(text: string): bigint | null {
    try {
        return parseInstant(text);
    } catch {
        return null;
    }
}
