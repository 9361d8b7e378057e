import { setTimeout as pause } from 'node:timers/promises';
import PQueue from 'p-queue';
import pRetry from 'p-retry';
import type { Progress } from '../effects.ts';
import { RunError } from '../errors/index.ts';
import { jsonHash } from '../export/json.ts';
import { compare, parseAmount } from '../money/amount.ts';
import type { DeliveryRecord, DeliveryState } from '../schema/delivery.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { enterStep, type Outbox } from './outbox.ts';
import { type Counted, type Parcel, type Receipt, type Target, TargetError } from './target.ts';

/** What a delivery is of, and who sends it. */
export interface Sending {
    readonly target: Target;
    readonly store: ObjectStore;
    readonly period: string;
    readonly run_id: string;
    readonly by: string;
    /** Of this start, by chance. */
    readonly start_id: string;
    readonly now: () => string;
    readonly progress: Progress;
    /** Milliseconds between attempts at a busy target; tests are in more of a hurry. */
    readonly pauses?: { readonly min: number; readonly max: number };
}

/** A parcel, and how far it had come. */
export interface Waybill {
    readonly parcel: Parcel;
    readonly payload_sha256: string;
    readonly last: DeliveryRecord | null;
}

/** What became of a parcel. */
export interface Delivered {
    readonly parcel: Parcel;
    readonly state: DeliveryState;
    readonly remote_id: string | null;
    /** Why it is not verified; empty for nothing. */
    readonly detail: string;
    /** What the target says that it has; null where it was not asked or did not answer. */
    readonly counted: Counted | null;
    /** Whether the next start may end otherwise without anybody doing anything. */
    readonly isPassing: boolean;
    /** Whether the target was down for it, or overloaded. */
    readonly isDown?: boolean;
}

/** Attempts at a busy target before the parcel is left for the next start. */
const attempts = 6;
/** Parcels in a row for which the target was down, after which it is asked for no other. */
const downInARowLimit = 3;

/**
 * Looks up how far each parcel has come. A parcel that is on its way, or there, must be the one that was
 * sent: another under its key would be there twice, or in place of what somebody has booked. So is a parcel
 * that was sent and is none any more, as when an invoice is cut otherwise: its lines would go out in others.
 * @throws RunError DELIVERY_CHANGED with all that differ
 */
export function waybills(
    target: Target,
    outbox: Outbox,
    parcels: readonly Parcel[],
): readonly Waybill[] {
    const all = parcels.map((parcel) => {
        const last = outbox.get(parcel.parcel_key) ?? null;
        return { parcel, payload_sha256: jsonHash(parcel.payload), last };
    });
    const isFixed = ({ state }: DeliveryRecord) => state !== 'planned' && state !== 'rejected';
    const changed = all.filter(
        ({ last, payload_sha256 }) =>
            last !== null && isFixed(last) && last.payload_sha256 !== payload_sha256,
    );
    const keys = new Set(parcels.map(({ parcel_key }) => parcel_key));
    const payers = new Set(parcels.map(payerOf));
    const gone = [...outbox.values()].filter(
        (of) => isFixed(of) && !keys.has(of.parcel_key) && payers.has(payerOf(of)),
    );
    const said = ({ parcel_key, amount, currency, state, run_id }: DeliveryRecord, now: string) =>
        `${parcel_key}: ${amount} ${currency} ${state} of ${run_id}, now ${now}`;
    const differing = [
        ...changed.map(({ parcel, last }) => said(last as DeliveryRecord, parcel.amount)),
        ...gone.map((record) => said(record, 'in no parcel')),
    ];
    if (differing.length === 0) return all;
    throw new RunError('DELIVERY_CHANGED', { target: target.name, parcels: differing });
}

const payerOf = ({ payer_id, currency }: Pick<Parcel, 'payer_id' | 'currency'>) =>
    JSON.stringify([payer_id, currency]);

/**
 * Takes every parcel to `verified`: its key and hash are stored before the first byte goes out, the target is
 * asked what it has before anything is sent, and what it has then is read back. What can't be
 * finished is left where it is, for the next start.
 */
export async function sendAll(
    sending: Sending,
    all: readonly Waybill[],
): Promise<readonly Delivered[]> {
    const { target, progress } = sending;
    const queue = new PQueue({
        concurrency: target.concurrency,
        intervalCap: target.perSecond,
        interval: 1_000,
        strict: true,
    });
    progress.begin(`deliver ${target.name}`, all.length);
    let isStopped = false;
    let downInARow = 0;
    const sent = all.map((waybill) =>
        queue.add(async () => {
            // Once steps can't be entered, nothing more goes out; what is on its way is waited for.
            if (isStopped) return outcomeOf(waybill.parcel, waybill.last, null, 'not begun', true);
            try {
                const delivered = await sendOne(sending, waybill);
                downInARow = delivered.isDown ? downInARow + 1 : 0;
                isStopped ||= downInARow >= downInARowLimit;
                return delivered;
            } catch (error) {
                isStopped = true;
                throw error;
            } finally {
                progress.advance(1);
            }
        }),
    );
    const settled = await Promise.allSettled(sent);
    progress.end(target.address);
    const failed = settled.find((of) => of.status === 'rejected');
    if (failed) throw failed.reason;
    return settled.flatMap((of) => (of.status === 'fulfilled' ? [of.value] : []));
}

async function sendOne(
    sending: Sending,
    { parcel, payload_sha256, last }: Waybill,
): Promise<Delivered> {
    let record = last;
    const step = async (state: DeliveryState, remote_id: string | null, detail = '') => {
        const { target, store, period, run_id, by, start_id, now } = sending;
        const { parcel_key, payer_id, currency, line_count, amount } = parcel;
        const products = [...parcel.products];
        const what = { parcel_key, payload_sha256, period, run_id, payer_id, currency };
        const said = { line_count, amount, products, remote_id, detail, by, start_id, at: now() };
        record = await enterStep(store, target.name, record, { state, ...what, ...said });
        return record;
    };
    try {
        const receipt = await receiptOf(sending, parcel, record, step);
        const counted = await patiently(sending, () => sending.target.readBack(parcel, receipt));
        const difference = differenceOf(parcel, counted);
        if (difference === '' && record?.state !== 'verified') {
            await step('verified', receipt.remote_id, receipt.detail);
        }
        return outcomeOf(parcel, record, counted, difference, false);
    } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        const { message, kind, isDown } = error;
        return { ...outcomeOf(parcel, record, null, message, kind !== 'refused'), isDown };
    }
}

const outcomeOf = (
    parcel: Parcel,
    record: DeliveryRecord | null,
    counted: Counted | null,
    detail: string,
    isPassing: boolean,
): Delivered => {
    const { state = 'planned', remote_id = null } = record ?? {};
    return { parcel, state, remote_id, detail, counted, isPassing };
};

type Step = (
    state: DeliveryState,
    remote_id: string | null,
    detail?: string,
) => Promise<DeliveryRecord>;

/**
 * What the target has of a parcel, sent now if it is not there. The target is asked before every attempt, the
 * first one too: an answer may have been lost, and a state that was lost knows nothing of what an earlier one
 * sent. Whoever may not look it up, or finds something else, sends nothing: that is no rejection.
 * @throws TargetError
 */
async function receiptOf(
    sending: Sending,
    parcel: Parcel,
    last: DeliveryRecord | null,
    step: Step,
): Promise<Receipt> {
    const { target } = sending;
    const isThere = last?.state === 'acknowledged' || last?.state === 'verified';
    if (isThere && last.remote_id !== null) return { remote_id: last.remote_id };
    if (last === null || last.state === 'rejected') await step('planned', null);
    let isSent = last?.state === 'sent';
    return patiently(sending, async () => {
        const found = await target.find(parcel);
        if (!isSent) await step('sent', null);
        isSent = true;
        const receipt = await target.send(parcel, found).catch(async (error: unknown) => {
            const isRefused = error instanceof TargetError && error.kind === 'refused';
            if (isRefused) await step('rejected', null, error.message);
            throw error;
        });
        await step('acknowledged', receipt.remote_id, receipt.detail);
        return receipt;
    });
}

/** Asks a target again while it is busy or does not answer, as late as it says. */
function patiently<T>({ pauses }: Sending, ask: () => Promise<T>): Promise<T> {
    const { min, max } = pauses ?? { min: 500, max: 30_000 };
    return pRetry(ask, {
        retries: attempts - 1,
        minTimeout: min,
        maxTimeout: max,
        shouldRetry: ({ error }) => error instanceof TargetError && error.kind !== 'refused',
        onFailedAttempt: async ({ error, retriesLeft }) => {
            const wait = error instanceof TargetError ? error.retryAfter : null;
            if (wait !== null && retriesLeft > 0) await pause(Math.min(wait, max));
        },
    });
}

/** What of a parcel the target has otherwise than it was sent; empty for nothing. */
function differenceOf(parcel: Parcel, { line_count, amount, currency }: Counted): string {
    const isSame =
        line_count === parcel.line_count &&
        currency === parcel.currency &&
        compare(parseAmount(amount), parseAmount(parcel.amount)) === 0;
    if (isSame) return '';
    return `it has ${line_count} lines of ${amount} ${currency}, sent were ${parcel.line_count} of ${parcel.amount} ${parcel.currency}`;
}
