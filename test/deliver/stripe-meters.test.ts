import { describe, expect, test } from 'vitest';
import type { LineItem } from '../../src/schema/line-item.ts';
import { lineItem } from '../support/documents.ts';
import { memoryStore } from '../support/memory-store.ts';
import { deliverToStripe, type StripeDelivery, stripeNames } from '../support/stripe-delivery.ts';
import {
    type StripeFault,
    type StripeStandIn,
    type StripeStandInOptions,
    stripeFaults,
    stripeStandIn,
} from '../support/stripe-stand-in.ts';

/** Two payers, of whom each used 1,000.5 tokens in two lines. */
const used: readonly LineItem[] = ['acme', 'zeta ?#%'].flatMap((payer_id) =>
    ['1000', '0.5'].map((quantity) =>
        lineItem({
            ...{ payer_id, invoice_key: `${payer_id}/2026-10/USD`, quantity },
            line_key: `${payer_id}-${quantity}`,
        }),
    ),
);

async function withStripe(
    options: StripeStandInOptions,
    use: (
        stripe: StripeStandIn,
        start: (
            lines?: readonly LineItem[],
            delivery?: StripeDelivery,
        ) => ReturnType<typeof deliverToStripe>,
    ) => Promise<void>,
): Promise<void> {
    const stripe = await stripeStandIn(options);
    const store = memoryStore({});
    const settings = { mode: 'meter_events', concurrency: 1 } as const;
    try {
        await use(stripe, (lines = used, delivery = {}) =>
            deliverToStripe(stripe.url, store, lines, { settings, ...delivery }),
        );
    } finally {
        await stripe.stop();
    }
}

const expectMetered = (stripe: StripeStandIn) =>
    expect([...stripe.events.values()].map(({ customer, value }) => [customer, value])).toEqual([
        ['cus_acme', '1000.5'],
        ['cus_zeta', '1000.5'],
    ]);

describe('usage for meters of Stripe', () => {
    test('is one event per payer and meter, at the last second of the period', () =>
        withStripe({}, async (stripe, start) => {
            const { delivered, problems } = await start();
            expect(problems).toEqual([]);
            expect(delivered).toMatchObject(
                ['acme', 'zeta ?#%'].map((payer) => ({
                    ...{ state: 'verified', detail: '' },
                    parcel: {
                        parcel_key: `${payer}/2026-10-01T00:00:00Z/meter/llm_tokens`,
                        ...{ amount: '1000.5', currency: 'llm_tokens', line_count: 2 },
                    },
                })),
            );
            expectMetered(stripe);
            const timestamp = Date.parse('2026-10-31T23:59:59Z') / 1_000;
            expect([...stripe.events.values()].map((of) => of.timestamp)).toEqual([
                timestamp,
                timestamp,
            ]);
        }));

    // GET account and meters; of each payer: what its meter has, the event, what its meter has.
    const cases = stripeFaults.flatMap((fault) =>
        [2, 3, 4, 5, 6, 7].map((at) => [fault, at] as const),
    );
    test.concurrent.each(cases)('%s of request %i: each is counted once', (fault, number) => {
        const faultOf = (at: number): StripeFault | null => (at === number ? fault : null);
        return withStripe({ faultOf }, async (stripe, start) => {
            await start();
            const { delivered } = await start();
            expect(delivered.map(({ state }) => state)).toEqual(['verified', 'verified']);
            expect(stripe.events.size).toBe(2);
            expectMetered({ ...stripe, events: new Map([...stripe.events].sort(byCustomer)) });
        });
    });
    const byCustomer = (
        [, a]: readonly [string, { readonly customer: string }],
        [, b]: readonly [string, { readonly customer: string }],
    ) => (a.customer < b.customer ? -1 : 1);

    test('what is not summed up yet is asked again, and sent no second time', () => {
        let isSummed = false;
        return withStripe({ isSummed: () => isSummed }, async (stripe, start) => {
            const { delivered } = await start();
            expect(delivered.map(({ state, detail }) => [state, detail])).toEqual(
                [1, 2].map(() => ['acknowledged', 'llm_tokens has not summed it up yet']),
            );
            isSummed = true;
            stripe.dayLater();
            expect((await start()).delivered.map(({ state }) => state)).toEqual([
                'verified',
                'verified',
            ]);
            expectMetered(stripe);
        });
    });

    test('nothing is added to a meter that has other usage of the period', () =>
        withStripe({}, async (stripe, start) => {
            const timestamp = Date.parse('2026-10-09T00:00:00Z') / 1_000;
            const other = { identifier: 'other', event_name: 'llm_tokens', customer: 'cus_acme' };
            stripe.events.set('other', { ...other, value: '7', timestamp });
            const { delivered } = await start();
            expect(delivered.map(({ state, detail }) => [state, detail])).toEqual([
                [
                    'planned',
                    'llm_tokens has 7 of cus_acme in the period already, and 1000.5 would be added',
                ],
                ['verified', ''],
            ]);
        }));

    test('older than 35 days is refused before Stripe is asked', () =>
        withStripe({}, async (stripe, start) => {
            const { delivered } = await start(used, { now: '2026-12-06T00:00:00Z' });
            expect(delivered[0]).toMatchObject({
                ...{ state: 'rejected' },
                detail: 'it takes usage of the past 35 days, and this is older',
            });
            expect(stripe.events.size).toBe(0);
            await start(used, { now: '2026-12-05T23:59:59Z' });
            expectMetered(stripe);
        }));

    test('a meter that does not take the sum is refused', () =>
        withStripe({ formula: 'count' }, async (stripe, start) => {
            const [first] = (await start()).delivered;
            expect(first?.detail).toBe(
                'its meter for llm_tokens takes the count of events, and not their sum',
            );
            expect(stripe.events.size).toBe(0);
        }));

    const shared = { ...stripeNames, payer: () => 'cus_shared' };
    test.each<readonly [string, Partial<LineItem>, StripeDelivery]>([
        ['STRIPE_METER_NOT_USAGE', { line_type: 'wallet_settlement' }, {}],
        ['STRIPE_METER_UNNAMED', { product: 'unheard of' }, {}],
        ['STRIPE_METER_VALUE_TOO_LONG', { quantity: '1234567890.123456' }, {}],
        ['STRIPE_CUSTOMER_UNNAMED', { payer_id: 'nobody' }, {}],
        ['STRIPE_CUSTOMER_SHARED', { payer_id: 'nobody' }, { names: shared }],
    ])('%s keeps it here', (code, over, delivery) =>
        withStripe({}, async (stripe, start) => {
            const line = lineItem({ ...over, invoice_key: 'own', line_key: 'own' });
            const fine = lineItem({ payer_id: 'zeta ?#%', invoice_key: 'z', line_key: 'z' });
            const { problems } = await start([line, fine], {
                settings: { mode: 'meter_events' },
                ...delivery,
            });
            expect(problems[0]).toMatchObject({ code, severity: 'refused' });
            const left = code === 'STRIPE_CUSTOMER_SHARED' ? [] : ['cus_zeta'];
            expect([...stripe.events.values()].map(({ customer }) => customer)).toEqual(left);
        }),
    );
});
