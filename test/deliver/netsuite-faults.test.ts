import { describe, expect, test } from 'vitest';
import { readOutbox } from '../../src/deliver/outbox.ts';
import { netsuiteExternalId } from '../../src/export/netsuite-id.ts';
import { lineItem } from '../support/documents.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { memoryStore } from '../support/memory-store.ts';
import { deliverTo } from '../support/netsuite-delivery.ts';
import {
    type NetsuiteStandIn,
    netsuiteFaults,
    netsuiteStandIns,
} from '../support/netsuite-stand-in.ts';

const standIn = netsuiteStandIns();

/** Two payers with two lines each; what zeta has comes to less than zero. */
const invoiced = ['acme', 'zeta ?#%'].flatMap((payer_id, index) =>
    ['a', 'b'].map((of) =>
        lineItem({
            ...{ payer_id, invoice_key: `${payer_id}/2026-10/USD`, line_key: `${payer_id}-${of}` },
            ...(index === 1 && of === 'b' ? { amount: '-20.00', unit_price: '-0.02' } : {}),
        }),
    ),
);
const acme = netsuiteExternalId('tieout-', 'acme/2026-10/USD');
const zeta = netsuiteExternalId('tieout-', 'zeta ?#%/2026-10/USD');

async function expectBooked({ books }: NetsuiteStandIn, store: ReturnType<typeof memoryStore>) {
    const found = [...books].map(([id, { type, lines }]) => [
        id,
        type,
        lines.map(({ amount }) => amount),
    ]);
    expect(found.sort()).toEqual([
        [acme, 'invoice', ['12.5', '12.5']],
        [zeta, 'creditmemo', ['-12.5', '20']],
    ]);
    const outbox = await readOutbox(store, 'netsuite-1234567-sb1', '2026-10');
    expect([...outbox.values()].map(({ state }) => state)).toEqual(['verified', 'verified']);
}

describe('whatever fails, the books have each line once', () => {
    test('nothing fails: token, put, read back; a second start only reads back', async () => {
        const service = await standIn();
        const store = memoryStore({});
        const { sent } = await deliverTo(service, store, invoiced);
        expect(sent.map(({ state, detail, counted }) => [state, detail, counted])).toEqual([
            ['verified', '', { line_count: 2, amount: '25.00', currency: 'USD' }],
            ['verified', '', { line_count: 2, amount: '-7.50', currency: 'USD' }],
        ]);
        expect(service.requests).toEqual([
            ...['POST token', 'GET invoice', 'PUT invoice', 'GET invoice'],
            ...['GET creditmemo', 'PUT creditmemo', 'GET creditmemo'],
        ]);
        await expectBooked(service, store);
        await deliverTo(service, store, invoiced);
        expect(service.requests.slice(7)).toEqual([
            ...['POST token', 'GET invoice', 'GET creditmemo'],
        ]);
        await expectBooked(service, store);
        expect([...service.books.values()].map(({ puts }) => puts)).toEqual([1, 1]);
    });

    const cases = netsuiteFaults.flatMap((fault) =>
        [1, 2, 3, 4, 5, 6, 7].map((number) => [fault, number] as const),
    );
    test.each(cases)('%s of request %i', async (fault, number) => {
        let struck = false;
        const service = await standIn({
            faultOf: (at) => {
                if (at !== number) return null;
                struck = true;
                return fault;
            },
        });
        const store = memoryStore({});
        await deliverTo(service, store, invoiced).catch((error) => {
            expect(error).toMatchObject({ code: 'DELIVERY_LOCKED_OUT' });
        });
        const { sent } = await deliverTo(service, store, invoiced);
        expect(struck).toBe(true);
        expect(sent.map(({ state, detail }) => [state, detail])).toEqual([
            ['verified', ''],
            ['verified', ''],
        ]);
        await expectBooked(service, store);
        expect([...service.books.values()].map(({ puts }) => puts)).toEqual([1, 1]);
    });

    test.each(netsuiteFaults)('%s of every request, for a whole start', async (fault) => {
        let isDown = true;
        const service = await standIn({ faultOf: () => (isDown ? fault : null) });
        const store = memoryStore({});
        const first = await deliverTo(service, store, invoiced).catch(() => ({ sent: [] }));
        expect(first.sent.map(({ state }) => state)).not.toContain('verified');
        isDown = false;
        await deliverTo(service, store, invoiced);
        await expectBooked(service, store);
    });

    test.each(netsuiteFaults)('%s of every put, for a whole start', async (fault) => {
        let isDown = true;
        const service = await standIn({
            faultOf: (_number, request) => (isDown && request.startsWith('PUT') ? fault : null),
        });
        const store = memoryStore({});
        await deliverTo(service, store, invoiced).catch(() => {});
        isDown = false;
        await deliverTo(service, store, invoiced);
        await expectBooked(service, store);
    });

    test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('the store fails at operation %i', async (operation) => {
        const service = await standIn();
        const store = memoryStore({});
        for (const kind of ['unreachable', 'answer'] as const) {
            const faulty = faultyStore(store, [{ kind, operation }]);
            await deliverTo(service, faulty, invoiced).catch(() => {});
        }
        await deliverTo(service, store, invoiced);
        await expectBooked(service, store);
    });

    test('a put that was given up comes through late: its refused repetition is no refusal', async () => {
        // The first put is lost on its way, and done once somebody has looked and found nothing.
        const service = await standIn({
            faultOf: (number) => (number === 3 ? 'lost' : number === 5 ? '400' : null),
        });
        const store = memoryStore({});
        const [line] = invoiced;
        const hidden = service.books;
        const original = hidden.get.bind(hidden);
        let looks = 0;
        hidden.get = (id) => {
            looks += 1;
            return looks === 3 ? undefined : original(id);
        };
        const { sent } = await deliverTo(service, store, [line!]);
        expect(service.requests.slice(0, 6)).toEqual([
            ...['POST token', 'GET invoice', 'PUT invoice'],
            ...['GET invoice', 'PUT invoice', 'GET invoice'],
        ]);
        expect(sent.map(({ state, detail }) => [state, detail])).toEqual([['verified', '']]);
        expect(original(acme)?.puts).toBe(1);
    });
});
