import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Sending, sendAll, waybills } from '../../src/deliver/deliver.ts';
import { ownNames } from '../../src/deliver/names.ts';
import { readOutbox } from '../../src/deliver/outbox.ts';
import { webhookTarget } from '../../src/deliver/webhook.ts';
import { silent } from '../../src/effects.ts';
import { gatherInvoices } from '../../src/export/invoices.ts';
import type { LineItem } from '../../src/schema/line-item.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { lineItem } from '../support/documents.ts';
import { faultyStore } from '../support/faulty-store.ts';
import {
    type InvoiceService,
    invoiceService,
    type ServiceFault,
    serviceFaults,
} from '../support/invoice-service.ts';
import { memoryStore } from '../support/memory-store.ts';

/** Two payers with two lines each. */
const invoiced: readonly LineItem[] = ['acme', 'zeta ?#%'].flatMap((payer_id) =>
    ['a', 'b'].map((of) =>
        lineItem({
            ...{ payer_id, invoice_key: `${payer_id}/2026-10/USD` },
            ...{ line_key: `${payer_id}-${of}`, attributes: `{"of":"${of}"}` },
        }),
    ),
);

async function deliverTo(
    service: Pick<InvoiceService, 'url'>,
    store: ObjectStore,
    lines: readonly LineItem[] = invoiced,
) {
    const settings = { url: service.url, concurrency: 1, per_second: 1_000 };
    const now = () => '2026-11-05T09:00:00Z';
    const target = webhookTarget({ settings, names: ownNames, environment: {}, now });
    const sending: Sending = {
        ...{
            target,
            store,
            period: '2026-10',
            run_id: 'run',
            by: 'ada',
            now,
            start_id: randomUUID(),
        },
        ...{ progress: silent, pauses: { min: 1, max: 1 } },
    };
    const { invoices } = gatherInvoices(lines, new Set(['clear'] as const));
    const outbox = await readOutbox(store, target.name, '2026-10');
    return sendAll(sending, waybills(target, outbox, target.pack(invoices).parcels));
}

const keys = async (store: ObjectStore) => {
    const found: string[] = [];
    for await (const { key } of store.list('deliveries/')) found.push(key);
    return found;
};

/** Every invoice is in the books once, as it was sent, and read back. */
async function expectBooked(service: InvoiceService, store: ObjectStore): Promise<void> {
    expect([...service.books.keys()].sort()).toEqual(['acme/2026-10/USD', 'zeta ?#%/2026-10/USD']);
    expect([...service.books.values()].map(({ puts }) => puts)).toEqual([1, 1]);
    const outbox = await readOutbox(store, 'webhook', '2026-10');
    expect([...outbox.values()].map(({ state }) => state)).toEqual(['verified', 'verified']);
}

describe('an outbox', () => {
    test('takes each parcel from planned to verified, and a second start does nothing', async () => {
        const service = await invoiceService();
        const store = memoryStore({});
        try {
            const first = await deliverTo(service, store);
            expect(first.map(({ state, detail }) => [state, detail])).toEqual([
                ['verified', ''],
                ['verified', ''],
            ]);
            await expectBooked(service, store);
            expect(await keys(store)).toHaveLength(8);
            const again = await deliverTo(service, store);
            expect(again.map(({ state }) => state)).toEqual(['verified', 'verified']);
            // What is there is counted again, and nothing is written or put.
            expect(await keys(store)).toHaveLength(8);
            await expectBooked(service, store);
        } finally {
            await service.stop();
        }
    });

    const cases = serviceFaults.flatMap((fault) =>
        [1, 2, 3, 4, 5, 6].map((number) => [fault, number] as const),
    );
    test.each(cases)(
        '%s of request %i: after one more start each is there once',
        async (fault, number) => {
            let struck = false;
            const service = await invoiceService((at): ServiceFault | null => {
                if (at !== number) return null;
                struck = true;
                return fault;
            });
            const store = memoryStore({});
            try {
                await deliverTo(service, store);
                await deliverTo(service, store);
                expect(struck).toBe(true);
                await expectBooked(service, store);
            } finally {
                await service.stop();
            }
        },
    );

    test.each(serviceFaults)(
        '%s of every request: nothing is claimed, and nothing is there twice',
        async (fault) => {
            let isDown = true;
            const service = await invoiceService(() => (isDown ? fault : null));
            const store = memoryStore({});
            try {
                const first = await deliverTo(service, store);
                expect(first.map(({ state }) => state)).not.toContain('verified');
                expect(first.every(({ detail }) => detail !== '')).toBe(true);
                isDown = false;
                await deliverTo(service, store);
                await expectBooked(service, store);
            } finally {
                await service.stop();
            }
        },
    );

    const operations = Array.from({ length: 9 }, (_, at) => at + 1);
    test.each(operations)(
        'the store fails at operation %i: one more start ends it',
        async (operation) => {
            const service = await invoiceService();
            const store = memoryStore({});
            for (const kind of ['unreachable', 'answer'] as const) {
                const faulty = faultyStore(store, [{ kind, operation }]);
                await deliverTo(service, faulty).catch(() => {});
            }
            await deliverTo(service, store);
            await expectBooked(service, store);
            await service.stop();
        },
    );

    test('two starts at once: one sends, the other is told', async () => {
        const service = await invoiceService();
        const store = memoryStore({});
        const both = await Promise.allSettled([
            deliverTo(service, store),
            deliverTo(service, store),
        ]);
        const refused = both.filter((of) => of.status === 'rejected');
        for (const { reason } of refused) expect(reason).toMatchObject({ code: 'DELIVERY_OUTRUN' });
        await deliverTo(service, store);
        await expectBooked(service, store);
        await service.stop();
    });

    test('one that may not be looked up is never taken for rejected', async () => {
        const service = await invoiceService((at) => {
            if (at === 1) return null;
            return at === 2 ? 'lost' : '400';
        });
        const store = memoryStore({});
        const [acme] = await deliverTo(service, store, invoiced.slice(0, 2));
        expect([acme?.state, acme?.detail]).toEqual(['sent', 'it answered 400 to GET']);
        await service.stop();
    });

    test('one that is down is asked for no more than a few of many parcels', async () => {
        let isDown = true;
        const service = await invoiceService(() => (isDown ? '500' : null));
        const store = memoryStore({});
        const many = Array.from({ length: 20 }, (_, at) =>
            lineItem({ payer_id: `p${at}`, invoice_key: `p${at}/2026-10/USD`, line_key: `${at}` }),
        );
        const first = await deliverTo(service, store, many);
        const details = Map.groupBy(first, ({ detail }) => detail);
        expect([...details].map(([detail, of]) => [detail, of.length])).toEqual([
            ['it answered 500', 3],
            ['not begun', 17],
        ]);
        expect(first.every(({ isPassing }) => isPassing)).toBe(true);
        // Six attempts of each.
        expect(service.requests).toHaveLength(18);
        isDown = false;
        const again = await deliverTo(service, store, many);
        expect(again.every(({ state }) => state === 'verified')).toBe(true);
        await service.stop();
    });

    test('what an earlier state delivered is found, and put no second time', async () => {
        const service = await invoiceService();
        await deliverTo(service, memoryStore({}));
        const store = memoryStore({});
        await deliverTo(service, store);
        await expectBooked(service, store);
        // Other lines under the same key are told, and never put in place of what is there.
        const other = invoiced.map((of) => ({ ...of, amount: '13.00' }));
        const [acme] = await deliverTo(service, memoryStore({}), other);
        expect(acme).toMatchObject({ state: 'acknowledged', isPassing: false });
        expect(acme?.detail).toMatch(/^it has 2 lines of 25.00 USD, sent were 2 of 26.00/);
        await expectBooked(service, store);
        await service.stop();
    });

    test('books that say something else are told, and never verified', async () => {
        const service = await invoiceService();
        const store = memoryStore({});
        await deliverTo(service, store);
        const books = service.books as Map<string, { body: string; puts: number }>;
        const stored = books.get('acme/2026-10/USD');
        const body = (stored?.body ?? '').replace('"line_count":2', '"line_count":3');
        books.set('acme/2026-10/USD', { body, puts: 1 });
        const [acme] = await deliverTo(service, store);
        expect(acme?.detail).toMatch(/^it has 3 lines of .* USD, sent were 2 of /);
        await service.stop();
    });

    test('another payload under the key of one that was sent stops everything', async () => {
        const service = await invoiceService();
        const store = memoryStore({});
        await deliverTo(service, store);
        const other = invoiced.map((of) => ({ ...of, amount: '13.00' }));
        await expect(deliverTo(service, store, other)).rejects.toMatchObject({
            code: 'DELIVERY_CHANGED',
        });
        await expectBooked(service, store);
        await service.stop();
    });

    test('a record that somebody edited stops everything', async () => {
        const service = await invoiceService();
        const store = memoryStore({});
        await deliverTo(service, store);
        const [key = ''] = (await keys(store)).filter((of) => of.endsWith('0004.json'));
        for (const body of ['no json', '{}', JSON.stringify({ number: 4 })]) {
            await store.put(key, body);
            await expect(deliverTo(service, store)).rejects.toMatchObject({
                code: 'OUTBOX_DAMAGED',
            });
        }
        await service.stop();
    });
});
