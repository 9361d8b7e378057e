import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import pLimit from 'p-limit';
import { RunError } from '../errors/index.ts';
import { compareText } from '../export/order.ts';
import { type DeliveryRecord, deliveryRecord, type TargetDeliveries } from '../schema/delivery.ts';
import type { ObjectStore } from '../store/object-store.ts';

/** The last record of each parcel of a target and period, by its key. */
export type Outbox = ReadonlyMap<string, DeliveryRecord>;

const concurrency = 16;

const periodFolder = (period: string) => `deliveries/${period}/`;
const folderOf = (target: string, period: string) => `${periodFolder(period)}${target}/`;
/** Keys of parcels may be longer than a name may be, and are of other people: only their hash is a path. */
const nameOf = (parcel_key: string) =>
    createHash('sha256').update(parcel_key).digest('hex').slice(0, 32);
const keyOf = (target: string, { period, parcel_key, number }: DeliveryRecord) =>
    `${folderOf(target, period)}${nameOf(parcel_key)}/${String(number).padStart(4, '0')}.json`;

/**
 * Reads how far each parcel has come. Only the last record of each is opened: those before it say how
 * it got there, and stay for who asks.
 * @throws RunError OUTBOX_DAMAGED, STORE_*
 */
export async function readOutbox(
    store: ObjectStore,
    target: string,
    period: string,
): Promise<Outbox> {
    const keys = await keysOf(store, folderOf(target, period));
    const records = await latestOf(store, target, keys);
    return new Map(records.map((of) => [of.parcel_key, of]));
}

/**
 * The same of every target that anything of a period was sent to, in the order of their names.
 * @throws RunError OUTBOX_DAMAGED, STORE_*
 */
export async function readDeliveries(
    store: ObjectStore,
    period: string,
): Promise<readonly TargetDeliveries[]> {
    const folder = periodFolder(period);
    const keys = await keysOf(store, folder);
    const byTarget = Map.groupBy(keys, (key) => key.slice(folder.length).split('/', 1)[0] ?? '');
    const targets = [...byTarget].sort(([a], [b]) => compareText(a, b));
    return Promise.all(
        targets.map(async ([target, of]) => {
            const records = await latestOf(store, target, of);
            return {
                target,
                records: records.sort((a, b) => compareText(a.parcel_key, b.parcel_key)),
            };
        }),
    );
}

/** The last record of each parcel; keys are in order. */
async function latestOf(
    store: ObjectStore,
    target: string,
    keys: readonly string[],
): Promise<DeliveryRecord[]> {
    const latest = new Map(keys.map((key) => [key.slice(0, key.lastIndexOf('/')), key]));
    const limit = pLimit(concurrency);
    return Promise.all(
        [...latest.values()].map((key) => limit(() => readRecord(store, target, key))),
    );
}

/** A folder that does not exist yet has none. */
async function keysOf(store: ObjectStore, prefix: string): Promise<readonly string[]> {
    const keys: string[] = [];
    try {
        for await (const { key } of store.list(prefix)) keys.push(key);
    } catch (error) {
        const isMissing = error instanceof RunError && error.code === 'STORE_BUCKET_MISSING';
        if (!isMissing || !store.address.startsWith('folder:')) throw error;
    }
    return keys;
}

async function readRecord(
    store: ObjectStore,
    target: string,
    key: string,
): Promise<DeliveryRecord> {
    const damaged = (detail: string) =>
        new RunError('OUTBOX_DAMAGED', { store: store.address, key, detail });
    const { stream } = await store.get(key);
    let value: unknown;
    try {
        value = JSON.parse(await text(stream));
    } catch {
        throw damaged('it is not JSON');
    }
    const record = deliveryRecord.safeParse(value).data;
    if (!record) throw damaged('it is no record of a delivery');
    if (keyOf(target, record) !== key) throw damaged(`it is the record of ${record.parcel_key}`);
    return record;
}

/**
 * Enters the next step of a parcel, created only if there is none of that number: of two senders one
 * goes on, and the other is told. A writer whose answer was lost finds its own record.
 * @throws RunError DELIVERY_OUTRUN, STORE_*
 */
export async function enterStep(
    store: ObjectStore,
    target: string,
    before: DeliveryRecord | null,
    step: Omit<DeliveryRecord, 'number'>,
): Promise<DeliveryRecord> {
    const record = deliveryRecord.parse({ number: (before?.number ?? 0) + 1, ...step });
    const key = keyOf(target, record);
    const body = `${JSON.stringify(record)}\n`;
    if (await store.create(key, body)) return record;
    const there = await readRecord(store, target, key);
    if (`${JSON.stringify(there)}\n` === body) return record;
    throw new RunError('DELIVERY_OUTRUN', { target, parcel_key: record.parcel_key, by: there.by });
}
