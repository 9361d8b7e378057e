import { compareText } from '../export/order.ts';
import type { Amount } from '../money/amount.ts';
import { formatAmount, parseAmount } from '../money/amount.ts';
import { plainDecimal } from '../rules/exact-json.ts';
import { TargetError } from './target.ts';

/** Fields of a line, as it is sent or shown; numbers are text. */
export type ItemFields = Readonly<Record<string, unknown>>;

/** An amount that NetSuite shows; it may write 1.2E7. @throws TargetError */
export function shownAmount(fields: ItemFields): Amount {
    const { amount = '0' } = fields;
    const plain = plainDecimal(String(amount));
    if (plain === null) throw new TargetError('refused', 'it showed an amount that is no number');
    return parseAmount(plain);
}

/**
 * Count and sum may agree by chance: each line must be there with its own amount. Lines are told apart by
 * the custom column with our key where it is shown, else by their item, else by their amount alone.
 * @throws TargetError for the first that is there otherwise
 */
export function expectSameLines(
    ours: readonly ItemFields[],
    theirs: readonly ItemFields[],
    keyColumn: string | undefined,
): void {
    const nameOf = [
        (of: ItemFields) => keyColumn && textOf(of[keyColumn]),
        (of: ItemFields) => textOf((of.item as ItemFields | undefined)?.id),
        () => 'of any item',
    ].find((name) => [...ours, ...theirs].every((of) => name(of)));
    const said = (of: ItemFields) => `${nameOf?.(of)}: ${formatAmount(shownAmount(of))}`;
    const [sent, shown] = [ours, theirs].map((lines) => lines.map(said).sort(compareText));
    const at = sent?.findIndex((line, index) => line !== shown?.[index]) ?? -1;
    if (at < 0) return;
    const what = `its lines are not those that were sent: ${shown?.[at]} in place of ${sent?.[at]}`;
    throw new TargetError('refused', what);
}

const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
