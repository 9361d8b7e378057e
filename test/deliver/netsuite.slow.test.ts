import { expect, test } from 'vitest';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { lineItems } from '../support/documents.ts';
import { memoryStore } from '../support/memory-store.ts';
import { deliverTo } from '../support/netsuite-delivery.ts';
import { type NetsuiteFault, netsuiteStandIn } from '../support/netsuite-stand-in.ts';

test('100,000 lines, cut off half-way and started again: each is there once', async () => {
    const lines = Array.from({ length: 50 }, (_, at) => `payer-${at}`).flatMap((payer_id) =>
        lineItems(2_000, { payer_id, invoice_key: `${payer_id}/2026-10/USD` }),
    );
    const names = null;
    const columns = { line_key: 'custcol_line_key' };
    const settings = { references: 'external_id', columns, concurrency: 4 };
    let isDown = false;
    const service = await netsuiteStandIn({
        // What is booked at the end is not answered any more.
        faultOf: (): NetsuiteFault | null => (isDown ? 'lost' : null),
        onBooked: (count) => {
            isDown = isDown || count === 250;
        },
    });
    const store = memoryStore({});
    try {
        // Whoever is killed enters nothing more.
        const dying: ObjectStore = {
            ...store,
            create: async (key, body) => {
                if (isDown) throw new Error('killed');
                return store.create(key, body);
            },
        };
        const killed = deliverTo(service, dying, lines, { settings, names });
        await expect(killed).rejects.toThrow('killed');
        expect(service.books.size).toBeGreaterThanOrEqual(250);
        expect(service.books.size).toBeLessThan(300);
        isDown = false;
        const { sent } = await deliverTo(service, store, lines, { settings, names });
        expect(sent.filter(({ state, detail }) => state !== 'verified' || detail !== '')).toEqual(
            [],
        );
        const keys = [...service.books.values()].flatMap((record) =>
            record.lines.map((line) => line.columns.custcol_line_key),
        );
        expect(keys).toHaveLength(100_000);
        expect(new Set(keys).size).toBe(new Set(lines.map(({ line_key }) => line_key)).size);
        expect(new Set(keys).size).toBe(100_000);
        expect([...service.books.values()].every(({ puts }) => puts === 1)).toBe(true);
        expect(service.most()).toBeLessThanOrEqual(4);
    } finally {
        await service.stop();
    }
});
