import { type Amount, formatAmount } from '../money/amount.ts';
import type { LineItem } from '../schema/line-item.ts';
import type { Counted } from './focus-facts.ts';
import { type Piece, splitBy, unitScale, unitsOf } from './focus-paid.ts';
import { focusUnit, jsonObject, minorAmount } from './focus-text.ts';

/** ContractApplied of each piece: what of it counts towards which commitments. */
export function contractApplied(
    counted: readonly Counted[],
    pieces: readonly Piece[],
    { currency }: LineItem,
): readonly (string | null)[] {
    const shares = counted.map((of) => sharesOf(of, pieces));
    return pieces.map((_, at) => {
        const elements = counted.flatMap((of, index) => {
            const share = shares[index]?.[at] ?? 0n;
            const ids = [of.contract_id, of.commitment_id] as const;
            if (share === 0n) return [];
            return of.measure === 'amount'
                ? [element(ids, minorAmount(share, currency), null)]
                : [element(ids, { units: share, scale: unitScale }, focusUnit(of.unit))];
        });
        return elements.length === 0 ? null : jsonObject([['Elements', elements]]);
    });
}

/**
 * What of each piece counts, in minor units or units of the quantity: all of one that was paid by the
 * balance of the commitment itself; what is left goes to the others by what they come to.
 */
function sharesOf(counted: Counted, pieces: readonly Piece[]): readonly bigint[] {
    const isMoney = counted.measure === 'amount';
    let left = isMoney ? counted.amount_minor : unitsOf(counted.quantity);
    const own = pieces.map(({ paid, amount_minor }): bigint | null => {
        // contract/commitment@date~rollover
        if (paid?.grant_id?.split(/[@~]/)[0] !== counted.commitment_id) return null;
        const size = isMoney ? amount_minor : paid.asset_units;
        const before = left;
        left = size < before ? before - size : 0n;
        return before - left;
    });
    const others = pieces.map(({ amount_minor }, at) => (own[at] === null ? amount_minor : 0n));
    const rest = splitBy(left, others);
    return pieces.map((_, at) => (own[at] ?? 0n) + (rest[at] ?? 0n));
}

/** ContractApplied of a line that is of one commitment whole. */
export function wholeApplied({ commitment_id, amount_minor, currency }: LineItem): string | null {
    if (commitment_id === null) return null;
    const contract_id = commitment_id.slice(0, commitment_id.lastIndexOf('/'));
    const of = element([contract_id, commitment_id], minorAmount(amount_minor, currency), null);
    return jsonObject([['Elements', [of]]]);
}

/** Money without a unit, or a quantity with one. */
function element(ids: readonly [string, string], size: Amount, unit: string | null) {
    const number = { decimal: formatAmount(size) };
    const applied =
        unit === null
            ? ([['ContractCommitmentAppliedCost', number]] as const)
            : ([
                  ['ContractCommitmentAppliedQuantity', number],
                  ['ContractCommitmentAppliedUnit', unit],
              ] as const);
    return {
        pairs: [['ContractId', ids[0]], ['ContractCommitmentId', ids[1]], ...applied] as const,
    };
}
