import { RunError } from '../errors/index.ts';
import { isSamePerson, needsSecond } from '../items/approval.ts';
import { compare, parseAmount } from '../money/amount.ts';
import { type Decision, ITEMS_PER_ENTRY } from '../schema/decision.ts';
import type { OpenItem, PayerStanding, Standing } from '../schema/item.ts';
import { appendDecision, type CommitLog } from '../state/commit-log.ts';
import { requireSafe, type State } from '../state/state.ts';
import { readStateLog } from './books.ts';
import { readStanding, type StandingRun } from './items.ts';

/** What a person says of items: what it is about, who says it, and why. */
export interface Saying extends Pick<Decision, 'act' | 'value' | 'by' | 'reason'> {
    /** Ids of breaks, or how they begin. */
    readonly ids: readonly string[];
    /** The run whose items were looked at; left out where nobody looked before. */
    readonly seen_run?: string;
    /** What each of the ids came to when it was looked at, in its asset. */
    readonly seen_amounts?: readonly string[];
    /** Worth above which a resolution waits for a second person; left out: one is enough. */
    readonly approve_above?: string | undefined;
}

/** What came of a decision: the items as they are now. */
export interface Decided extends StandingRun {
    readonly items: readonly OpenItem[];
}

/**
 * Enters what a person says of items of a period, or of those carried into it, into the log. It changes
 * no line: it is for what the items come to now, and when that changes they are open again.
 * @throws RunError BREAK_NOT_FOUND, BREAK_AMBIGUOUS, USAGE, STANDING_CHANGED, RUN_NOT_FOUND, STATE_*,
 * LOG_*
 */
export async function decide(
    state: State,
    period: string,
    saying: Saying,
    at: string,
): Promise<Decided> {
    await requireSafe(state);
    const log = await readStateLog(state);
    const { standing } = await readStanding(state, log, period);
    if (saying.seen_run !== undefined && saying.seen_run !== standing.run_id) {
        const detail = `${standing.run_id} speaks for it now`;
        throw new RunError('STANDING_CHANGED', { period, detail });
    }
    const items = itemsOf(standing, saying.ids);
    requireFitting(items, saying);
    requireSeen(standing, saying);
    if (saying.act === 'approve') requireProposed(items, saying.by);
    const waits = saying.act === 'resolve' && needsSecond(items, saying.approve_above);
    const after = await enter(state, log, standing, items, { ...saying, waits }, at);
    const now = await readStanding(state, after, period);
    return { ...now, items: itemsOf(now.standing, items.map(idOf)) };
}

const idOf = ({ break_id }: OpenItem) => break_id;

/** An entry for each period that the items are of and each proposal that is approved, and for as many as one holds. */
async function enter(
    state: State,
    seen: CommitLog,
    { run_id }: Standing,
    items: readonly OpenItem[],
    { act, value, by, reason, waits }: Saying & { readonly waits: boolean },
    at: string,
): Promise<CommitLog> {
    let log = seen;
    const approved = (of: OpenItem) => (act === 'approve' ? of.proposed?.number : undefined);
    const groups = Map.groupBy(items, (of) => `${of.period} ${approved(of) ?? ''}`);
    for (const own of groups.values()) {
        const { period } = own[0]!;
        const approves = approved(own[0]!);
        const second = { ...(waits ? { waits } : {}), ...(approves ? { approves } : {}) };
        for (let from = 0; from < own.length; from += ITEMS_PER_ENTRY) {
            const some = own.slice(from, from + ITEMS_PER_ENTRY);
            const about = some.map(({ break_id, amount, money_amount }) => {
                return { break_id, amount, money_amount };
            });
            const said = { act, value, by, reason, at };
            const entry = {
                kind: 'decide',
                period,
                run_id,
                ...said,
                items: about,
                ...second,
            } as const;
            log = await appendDecision(state.store, log, entry);
        }
    }
    return log;
}

/** Shorter beginnings of an id name too many to be meant. */
const SHORTEST = 6;

/**
 * Items by their ids, or by how those begin. One that stands in several periods is meant where it is
 * open, and else in the latest.
 * @throws RunError BREAK_NOT_FOUND, BREAK_AMBIGUOUS
 */
export function itemsOf(standing: Standing, ids: readonly string[]): readonly OpenItem[] {
    return [...new Set(ids)].flatMap((id) => {
        const found =
            id.length < SHORTEST ? [] : standing.items.filter((of) => of.break_id.startsWith(id));
        const breaks = [...new Set(found.map(idOf))];
        if (breaks.length === 0) {
            throw new RunError('BREAK_NOT_FOUND', { id, period: standing.period });
        }
        if (breaks.length > 1) throw new RunError('BREAK_AMBIGUOUS', { id, breaks });
        const there = found.filter((of) => of.cleared_at === null);
        return there.length > 0 ? there : found.toSorted(latestFirst).slice(0, 1);
    });
}

const latestFirst = (a: OpenItem, b: OpenItem) => (a.period < b.period ? 1 : -1);

/** @throws RunError USAGE */
function requireFitting(items: readonly OpenItem[], { act, value, reason }: Saying): void {
    const refuse = (detail: string, remedy: string) => {
        throw new RunError('USAGE', { detail, remedy });
    };
    if (act === 'assign' && value.trim() === '') {
        refuse('an item is assigned to somebody', 'Say to whom: --to ada.');
    }
    if (act !== 'assign' && act !== 'approve' && reason.trim() === '') {
        refuse(
            `a person who reads this later must learn why`,
            'Say it: --reason "counted twice by the gateway, ticket 4711".',
        );
    }
    const cleared = items.find(({ status }) => status === 'cleared');
    if (cleared && act === 'resolve') {
        refuse(
            `${cleared.break_id.slice(0, 12)} is cleared: nothing is left to resolve`,
            'Leave it out.',
        );
    }
}

/** What the command line says it saw is what is decided about. @throws RunError USAGE, STANDING_CHANGED */
function requireSeen(standing: Standing, { ids, seen_amounts: seen }: Saying): void {
    if (seen === undefined) return;
    if (seen.length !== ids.length) {
        throw new RunError('USAGE', {
            detail: `${ids.length} breaks are named, and ${seen.length} amounts were seen`,
            remedy: 'Say one amount for each break, in their order: --seen -20 0.5.',
        });
    }
    for (const [index, amount] of seen.entries()) {
        const other = itemsOf(standing, [ids[index] ?? '']).find(
            (of) => !isAmount(amount, of.amount),
        );
        if (!other) continue;
        const now = `${other.amount} ${other.asset ?? ''}`.trim();
        const detail = `${other.code} ${other.break_id.slice(0, 12)} is ${now}, and was seen at ${amount}`;
        throw new RunError('STANDING_CHANGED', { period: standing.period, detail });
    }
}

/** @throws RunError USAGE for what is no amount */
function isAmount(said: string, amount: string): boolean {
    if (!/^-?\d+(\.\d+)?$/.test(said)) {
        const detail = `--seen ${said} is no amount`;
        throw new RunError('USAGE', {
            detail,
            remedy: 'Write it as `tieout break show` does: -0.25.',
        });
    }
    return compare(parseAmount(said), parseAmount(amount)) === 0;
}

/** Somebody else proposed what is approved, and nothing changed since. @throws RunError APPROVAL_REFUSED */
export function requireProposed(items: readonly OpenItem[], by: string): void {
    for (const { break_id, code, proposed } of items) {
        requireOther(`${code} ${break_id.slice(0, 12)}`, proposed, by);
    }
}

/** @throws RunError APPROVAL_REFUSED */
function requireOther(what: string, proposed: OpenItem['proposed'], by: string): void {
    const refusal = (why: 'nothing' | 'changed' | 'same', detail: string) =>
        new RunError('APPROVAL_REFUSED', { what, why, detail });
    if (proposed === null) throw refusal('nothing', '');
    if (proposed.changed !== null) throw refusal('changed', proposed.changed);
    if (isSamePerson(proposed.by, by)) throw refusal('same', proposed.by);
}

/** What a person says of a payer whose lines are held. */
export interface Letting {
    readonly payer_id: string;
    readonly kind: 'release' | 'withdraw' | 'approve';
    readonly by: string;
    readonly reason: string;
    /** sha256 of what held the lines when they were looked at; left out where nobody looked before. */
    readonly seen_sha256?: string;
    /** What its open breaks were worth when they were looked at. */
    readonly seen_amount?: string | undefined;
    /** Worth above which a release waits for a second person; left out: one is enough. */
    readonly approve_above?: string | undefined;
}

/** What came of it. */
export interface Released extends StandingRun {
    readonly payer: PayerStanding;
    /** Number of the entry. */
    readonly number: number;
}

/**
 * Lets the lines of a held payer go, or holds them again. It is for what holds them now: with anything
 * more they are held again.
 * @throws RunError PAYER_NOT_FOUND, RELEASE_REFUSED, STANDING_CHANGED, USAGE, RUN_NOT_FOUND, STATE_*,
 * LOG_*
 */
export async function letGo(
    state: State,
    period: string,
    letting: Letting,
    at: string,
): Promise<Released> {
    const { payer_id, kind, by, reason, seen_sha256, seen_amount } = letting;
    if (kind !== 'approve' && reason.trim() === '') {
        throw new RunError('USAGE', {
            detail: 'held lines are not released without --reason',
            remedy: 'Say why, for those who read the log: --reason "the wallet was down, agreed with acme".',
        });
    }
    await requireSafe(state);
    const log = await readStateLog(state);
    const { standing } = await readStanding(state, log, period);
    const payer = payerOf(standing, payer_id);
    requireTurn(period, payer, kind);
    if (kind === 'approve') requireOther(`a release of ${payer_id}`, payer.proposed, by);
    if (seen_sha256 !== undefined && seen_sha256 !== payer.open_sha256) {
        const detail = `other breaks hold the lines of ${payer_id} now`;
        throw new RunError('STANDING_CHANGED', { period, detail });
    }
    if (seen_amount !== undefined && !isAmount(seen_amount, payer.open_money)) {
        const now = `${payer.open_money} ${payer.currency}`;
        const detail = `open breaks of ${payer_id} are worth ${now}, and were seen at ${seen_amount}`;
        throw new RunError('STANDING_CHANGED', { period, detail });
    }
    const { open_sha256, open_count, open_money, currency, unrated_count } = payer;
    const holding = { open_sha256, open_count, open_money, currency, unrated_count };
    const waits = kind === 'release' && needsSecondFor(payer, letting.approve_above);
    const approves = kind === 'approve' ? payer.proposed?.number : undefined;
    const second = { ...(waits ? { waits } : {}), ...(approves ? { approves } : {}) };
    const about = { kind, period, run_id: standing.run_id, payer_id, ...holding };
    const said = { ...about, by, reason, at, ...second };
    const after = await appendDecision(state.store, log, said);
    const now = await readStanding(state, after, period);
    const number = after.decisions?.at(-1)?.number ?? 0;
    return { ...now, payer: payerOf(now.standing, payer_id), number };
}

/** What holds the lines is worth more than one person may let go, or nobody knows what it is worth. */
const needsSecondFor = (payer: PayerStanding, limit: string | undefined) =>
    limit !== undefined &&
    (payer.unpriced_count > 0 ||
        payer.unrated_count > 0 ||
        needsSecond([{ money_amount: payer.open_money, currency: payer.currency }], limit));

/** @throws RunError PAYER_NOT_FOUND */
function payerOf({ period, payers }: Standing, payer_id: string): PayerStanding {
    const payer = payers.find((of) => of.payer_id === payer_id);
    if (payer) return payer;
    const known = payers.map((of) => of.payer_id);
    throw new RunError('PAYER_NOT_FOUND', { payer_id, period, known });
}

/** @throws RunError RELEASE_REFUSED */
function requireTurn(
    period: string,
    { payer_id, standing }: PayerStanding,
    kind: Letting['kind'],
): void {
    if (standing === (kind === 'withdraw' ? 'released' : 'held')) return;
    throw new RunError('RELEASE_REFUSED', { payer_id, period, standing, kind });
}
