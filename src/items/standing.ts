import { jsonHash } from '../export/json.ts';
import { compareText } from '../export/order.ts';
import { absolute, add, compare, formatAmount, parseAmount } from '../money/amount.ts';
import type { PayerTotal } from '../schema/break.ts';
import type { Decision, Release } from '../schema/decision.ts';
import type {
    Item,
    ItemNote,
    ItemStatus,
    OpenItem,
    PayerStanding,
    Resolution,
    Standing,
} from '../schema/item.ts';
import { ageBucket, daysBetween } from './age.ts';
import { isApprovedBy, proposalOf } from './approval.ts';

/** What a run says of a period, and what was decided about it since, in the order of the log. */
export interface Stated {
    readonly period: string;
    readonly run_id: string;
    readonly as_of: string;
    readonly items: readonly Item[];
    readonly payers: readonly PayerTotal[];
    readonly decisions: readonly Decision[];
    readonly releases: readonly Release[];
}

/**
 * Works out how things stand: the status, owner and age of each item, and whose lines may go out. A
 * resolution is for what the item came to when it was resolved, a release for what held then: when
 * either has changed since, it counts no more. Pure, and ordered.
 */
export function standingOf(stated: Stated): Standing {
    const { period, run_id, as_of, payers, decisions, releases } = stated;
    const said = saidOf(decisions);
    const items = stated.items.map((item) => openItem(item, said.get(keyOf(item)) ?? [], as_of));
    const own = Map.groupBy(
        items.filter((of) => of.period === period && of.status === 'open'),
        ({ payer_id }) => payer_id ?? '',
    );
    return {
        period,
        run_id,
        as_of,
        items: items.sort(compareOpenItems),
        payers: payers.map((payer) => {
            const of = payerStanding(
                payer,
                own.get(payer.payer_id) ?? [],
                releases.filter((of) => of.payer_id === payer.payer_id && of.period === period),
            );
            // A run of an older version has breaks and no items: nobody can have resolved those.
            const isUnknown = payer.break_count > 0 && stated.items.length === 0;
            return isUnknown && of.standing === 'resolved' ? { ...of, standing: 'held' } : of;
        }),
    };
}

/** One thing that was said of one item. */
interface Said {
    readonly decision: Decision;
    readonly then: Decision['items'][number];
}

const keyOf = ({ period, break_id }: { readonly period: string; readonly break_id: string }) =>
    `${period} ${break_id}`;

function saidOf(decisions: readonly Decision[]): ReadonlyMap<string, readonly Said[]> {
    const all = decisions.flatMap((decision) =>
        decision.items.map((then) => ({ decision, then, period: decision.period })),
    );
    return Map.groupBy(all, ({ period, then }) => keyOf({ period, break_id: then.break_id }));
}

function openItem(item: Item, said: readonly Said[], as_of: string): OpenItem {
    const ways = said.filter(({ decision: { act } }) => act === 'resolve' || act === 'reopen');
    const approves = (of: Decision) => said.some(({ decision }) => isApprovedBy(of)(decision));
    const isProposal = ({ decision }: Said) => decision.waits === true && !approves(decision);
    const latest = ways.findLast((of) => !isProposal(of));
    const last = ways.at(-1);
    const owner = said.findLast(({ decision: { act } }) => act === 'assign')?.decision.value;
    const changed =
        latest?.decision.act === 'resolve' ? changeOf(item, latest.then, 'resolved') : null;
    const status = statusOf(item, latest, changed);
    const age_days = daysBetween(item.first_at ?? item.first_seen_at, item.cleared_at ?? as_of);
    return {
        ...item,
        status,
        owner: owner || null,
        age_days,
        age_bucket: ageBucket(age_days),
        notes: said.map(noteOf),
        proposed:
            last && isProposal(last) && item.cleared_at === null
                ? proposalOf(last.decision, changeOf(item, last.then, 'proposed'))
                : null,
        reopened_because: status === 'open' ? changed : null,
    };
}

/** A person who opens it again overrules a rule that accepts it. */
function statusOf(item: Item, latest: Said | undefined, changed: string | null): ItemStatus {
    if (item.cleared_at !== null) return 'cleared';
    const isResolved = latest?.decision.act === 'resolve' && changed === null;
    if (isResolved) return latest.decision.value as Resolution;
    return latest === undefined && item.accepted_by !== '' ? 'accepted' : 'open';
}

const noteOf = ({ decision: { act, value, by, at, reason, waits } }: Said): ItemNote => {
    return { act, value, by, at, reason, ...(waits ? { waits } : {}) };
};

/** What of an item is no longer as it was resolved or proposed; null for nothing. */
function changeOf(item: Item, then: Said['then'], how: 'resolved' | 'proposed'): string | null {
    if (item.amount === then.amount && item.money_amount === then.money_amount) return null;
    const text = (of: Pick<Item, 'amount' | 'money_amount'>) =>
        of.money_amount === null || of.money_amount === of.amount
            ? of.amount
            : `${of.amount} (${of.money_amount})`;
    return `it was ${how} at ${text(then)} and is ${text(item)} now`;
}

function payerStanding(
    payer: PayerTotal,
    open: readonly OpenItem[],
    releases: readonly Release[],
): PayerStanding {
    const { payer_id, payer_name, currency, hold_limit, unrated_count } = payer;
    // Worth in another currency cannot be added to the rest: it is as good as none.
    const isPriced = ({ money_amount, currency: of }: OpenItem) =>
        money_amount !== null && (of === currency || parseAmount(money_amount).units === 0n);
    const sum = open
        .filter(isPriced)
        .map(({ money_amount }) => absolute(parseAmount(money_amount ?? '0')))
        .reduce(add, parseAmount('0'));
    const unpriced_count = open.filter((of) => !isPriced(of)).length;
    const open_sha256 = jsonHash([
        open
            .map(({ break_id, amount, money_amount }) => [break_id, amount, money_amount])
            .sort(([a], [b]) => compareText(a ?? '', b ?? '')),
        unrated_count,
        payer.unpriced_fee_count ?? 0,
    ]);
    const { released, proposed } = releaseOf(releases, open_sha256);
    const isOver =
        compare(sum, parseAmount(hold_limit)) > 0 || unpriced_count > 0 || unrated_count > 0;
    return {
        payer_id,
        payer_name,
        currency,
        standing: standingFor(payer, isOver, released !== null),
        open_count: open.length,
        open_money: formatAmount(sum),
        hold_limit,
        unpriced_count,
        unrated_count,
        open_sha256,
        released,
        proposed,
    };
}

/** What people said of the lines last: a release is for what held then, and may need two of them. */
function releaseOf(
    releases: readonly Release[],
    open_sha256: string,
): Pick<PayerStanding, 'released' | 'proposed'> {
    const latest = releases.findLast(({ kind }) => kind !== 'approve');
    if (latest?.kind !== 'release') return { released: null, proposed: null };
    const approval = releases.find(isApprovedBy(latest));
    const isSame = latest.open_sha256 === open_sha256;
    if (latest.waits && !approval) {
        const changed = isSame ? null : 'other breaks hold the lines now';
        return { released: null, proposed: proposalOf(latest, changed) };
    }
    const { at, reason } = latest;
    const by = approval ? `${latest.by}, approved by ${approval.by}` : latest.by;
    return { released: isSame ? { by, at, reason } : null, proposed: null };
}

/** People let lines go that a run holds; they never hold what a run lets go. */
function standingFor(
    { recon_status, unpriced_fee_count = 0 }: PayerTotal,
    isOver: boolean,
    isReleased: boolean,
): PayerStanding['standing'] {
    if (recon_status !== 'held') return recon_status;
    if (isReleased) return 'released';
    return isOver || unpriced_fee_count > 0 ? 'held' : 'resolved';
}

const rank: Readonly<Record<ItemStatus, number>> = {
    ...{ open: 0, explained: 1, accepted: 2, written_off: 3, cleared: 4 },
};

/** Open items first, the oldest of them first. */
export function compareOpenItems(a: OpenItem, b: OpenItem): number {
    return (
        rank[a.status] - rank[b.status] ||
        b.age_days - a.age_days ||
        compareText(a.code, b.code) ||
        compareText(a.period, b.period) ||
        compareText(a.break_id, b.break_id)
    );
}

/** Whether anything waits for a person: lines of a payer, or a break that is nobody's. */
export function isWaiting({ period, payers, items }: Standing): boolean {
    const isStray = (of: Standing['items'][number]) =>
        of.period === period && of.payer_id === null && of.status === 'open';
    return payers.some(({ standing }) => standing === 'held') || items.some(isStray);
}
