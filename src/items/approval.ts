import { absolute, add, compare, parseAmount } from '../money/amount.ts';
import type { Decision, Release } from '../schema/decision.ts';
import type { Item, Proposal } from '../schema/item.ts';

/** Whether two names are of one person: who decides says it, and may write it otherwise the next time. */
export function isSamePerson(one: string, other: string): boolean {
    const plain = (name: string) => name.trim().toLowerCase();
    return plain(one) === plain(other);
}

/**
 * Whether what one person decides waits for another: its breaks are worth more together than the limit, in
 * any currency, or nobody knows what one is worth.
 */
export function needsSecond(
    items: readonly Pick<Item, 'money_amount' | 'currency'>[],
    limit: string | undefined,
): boolean {
    if (limit === undefined) return false;
    if (items.some(({ money_amount }) => money_amount === null)) return true;
    const sums = [...Map.groupBy(items, ({ currency }) => currency).values()].map((of) =>
        of.map(({ money_amount }) => absolute(parseAmount(money_amount ?? '0'))).reduce(add),
    );
    return sums.some((sum) => compare(sum, parseAmount(limit)) > 0);
}

/** A decision that waits, as a proposal to whoever may approve it. */
export function proposalOf(of: Decision | Release, changed: string | null): Proposal {
    const { number, by, at, reason } = of;
    return { number, by, at, reason, value: of.kind === 'decide' ? of.value : '', changed };
}

/** Whether somebody else approved an entry: the approval names it. */
export const isApprovedBy = (proposed: Decision | Release) => (other: Decision | Release) =>
    (other.kind === 'decide' ? other.act : other.kind) === 'approve' &&
    other.approves === proposed.number &&
    !isSamePerson(other.by, proposed.by);
