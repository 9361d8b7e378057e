import { describe, expect, test } from 'vitest';
import { ownNames } from '../../src/deliver/names.ts';
import { readOutbox } from '../../src/deliver/outbox.ts';
import { type Answered, stripeClient } from '../../src/deliver/stripe-client.ts';
import { stripeSettingsSchema } from '../../src/schema/deliver-stripe.ts';
import type { LineItem } from '../../src/schema/line-item.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { lineItem, lineItems } from '../support/documents.ts';
import { memoryStore } from '../support/memory-store.ts';
import { deliverToStripe, openStripe, type StripeDelivery } from '../support/stripe-delivery.ts';
import {
    type StripeFault,
    type StripeStandIn,
    type StripeStandInOptions,
    standInKey,
    stripeFaults,
    stripeStandIn,
} from '../support/stripe-stand-in.ts';

const payers = ['acme', 'zeta ?#%'];

/** Two payers with two lines each. */
const invoiced: readonly LineItem[] = payers.flatMap((payer_id) =>
    ['a', 'b'].map((of) =>
        lineItem({
            ...{ payer_id, invoice_key: `${payer_id}/2026-10/USD` },
            ...{ line_key: `${payer_id}-${of}`, attributes: `{"of":"${of}"}` },
        }),
    ),
);

async function withStripe<T>(
    options: StripeStandInOptions,
    use: (stripe: StripeStandIn, store: ObjectStore) => Promise<T>,
): Promise<T> {
    const stripe = await stripeStandIn(options);
    try {
        return await use(stripe, memoryStore({}));
    } finally {
        await stripe.stop();
    }
}

const deliver = (
    stripe: StripeStandIn,
    store: ObjectStore,
    lines: readonly LineItem[] = invoiced,
    delivery: StripeDelivery = {},
) =>
    deliverToStripe(stripe.url, store, lines, {
        ...delivery,
        settings: { concurrency: 1, ...delivery.settings },
    });

/** What the books hold: of each invoice its reference, status, and lines with their amounts. */
const booksOf = (stripe: StripeStandIn) =>
    [...stripe.invoices.values()]
        .map(({ metadata, status, lines }) => ({
            ref: metadata.invoice_ref,
            status,
            lines: lines.map((of) => [of.metadata.line_key, of.amount]),
        }))
        .sort((a, b) => ((a.ref ?? '') < (b.ref ?? '') ? -1 : 1));

/** Each line of both payers is there once, and Stripe said so. */
async function expectBooked(stripe: StripeStandIn, store: ObjectStore, status = 'draft') {
    expect(booksOf(stripe)).toEqual(
        payers.map((payer) => ({
            ...{ ref: `${payer}/2026-10/USD-1`, status },
            lines: ['a', 'b'].map((of) => [`${payer}-${of}`, 1250]),
        })),
    );
    const outbox = await readOutbox(store, 'stripe-test', '2026-10');
    expect([...outbox.values()].map(({ state }) => state)).toEqual(['verified', 'verified']);
}

const detailsOf = ({ delivered }: Awaited<ReturnType<typeof deliver>>) =>
    delivered.map(({ state, detail }) => [state, detail]);

describe('a delivery to Stripe', () => {
    test('makes drafts that take nothing else in, and a second start makes nothing', () =>
        withStripe({}, async (stripe, store) => {
            expect(detailsOf(await deliver(stripe, store))).toEqual([
                ['verified', ''],
                ['verified', ''],
            ]);
            await expectBooked(stripe, store);
            const [first] = stripe.invoices.values();
            expect(first?.params).toMatchObject({
                ...{ auto_advance: 'false', collection_method: 'send_invoice', currency: 'usd' },
                ...{ customer: 'cus_acme', days_until_due: '30', discounts: '' },
                ...{ description: 'Usage 2026-10-01 to 2026-10-31' },
                pending_invoice_items_behavior: 'exclude',
            });
            expect(first?.lines[0]).toMatchObject({
                description: 'Inference (large)',
                metadata: { quantity: '1000', unit_price: '0.0125', usage_account: 'acme-eu' },
                period: {
                    start: Date.parse('2026-10-01T00:00:00Z') / 1_000,
                    end: Date.parse('2026-10-31T23:59:59Z') / 1_000,
                },
            });
            const before = stripe.requests.length;
            await deliver(stripe, store);
            expect(stripe.requests.slice(before).every((of) => of.startsWith('GET'))).toBe(true);
            await expectBooked(stripe, store);
        }));

    // GET account; of each payer: list, create, lines, invoice, lines of it, finalise, invoice, lines of it.
    const cases = stripeFaults.flatMap((fault) =>
        Array.from({ length: 16 }, (_, at) => [fault, at + 2] as const),
    );
    test.concurrent.each(cases)(
        '%s of request %i: after one more start each line is there once',
        (fault, number) => {
            let isStruck = false;
            const faultOf = (at: number): StripeFault | null => {
                if (at !== number) return null;
                isStruck = true;
                return fault;
            };
            return withStripe({ faultOf }, async (stripe, store) => {
                await deliver(stripe, store, invoiced, { settings: { finalize: true } });
                await deliver(stripe, store, invoiced, { settings: { finalize: true } });
                expect(isStruck).toBe(true);
                await expectBooked(stripe, store, 'open');
            });
        },
    );

    const kinds = [
        ['GET', 'lists'],
        ['POST /v1/invoices', 'invoices'],
        ['add_lines', 'lines'],
    ] as const;
    test.concurrent.each(
        stripeFaults.flatMap((fault) => kinds.map(([of, name]) => [fault, name, of] as const)),
    )(
        '%s of every request for %s: nothing is claimed, and nothing is there twice',
        (fault, _, of) => {
            let isDown = true;
            const faultOf = (_number: number, request: string) =>
                isDown && request.includes(of) && request !== 'GET /v1/account' ? fault : null;
            return withStripe({ faultOf }, async (stripe, store) => {
                const first = await deliver(stripe, store);
                for (const { state, detail } of first.delivered) {
                    expect(detail !== '' || state === 'verified').toBe(true);
                }
                isDown = false;
                await deliver(stripe, store);
                await deliver(stripe, store);
                await expectBooked(stripe, store);
            });
        },
    );

    test('a start that was cut off goes on days later, when Stripe forgot its keys', () => {
        let isDown = true;
        const faultOf = (number: number, request: string): StripeFault | null =>
            isDown && number > 3 && request.startsWith('POST') ? 'lost' : null;
        return withStripe({ faultOf }, async (stripe, store) => {
            await deliver(stripe, store);
            isDown = false;
            stripe.dayLater();
            await deliver(stripe, store);
            await expectBooked(stripe, store);
        });
    });

    test('no more is asked in any second than may be', async () => {
        const settings = stripeSettingsSchema.parse({ per_second: 5, concurrency: 5 });
        const { ask } = stripeClient(settings, standInKey);
        const times: number[] = [];
        const answer = { lastResponse: { statusCode: 200 } } as Answered<object>;
        // Bursts, and a pause in which no allowance is saved up.
        for (const burst of [4, 8]) {
            const asked = Array.from({ length: burst }, () =>
                ask(async () => {
                    times.push(performance.now());
                    return answer;
                }),
            );
            await Promise.all(asked);
        }
        for (const [at, time] of times.slice(0, -5).entries()) {
            expect((times[at + 5] ?? 0) - time).toBeGreaterThan(990);
        }
    });

    test('what another state has delivered is found, and not sent again', () =>
        withStripe({}, async (stripe, store) => {
            await deliver(stripe, memoryStore({}));
            stripe.dayLater();
            await deliver(stripe, store);
            await expectBooked(stripe, store);
            const other = invoiced.map((of) => ({ ...of, amount: '13.00' }));
            const again = await deliver(stripe, memoryStore({}), other);
            expect(detailsOf(again)[0]).toEqual([
                'planned',
                'in_000001 is there under its key with other lines; delete or void it if it is wrong',
            ]);
            await expectBooked(stripe, store);
        }));

    test('lines that Stripe refuses leave no draft, and go out once they are right', () => {
        let isRefused = true;
        const faultOf = (_: number, request: string): StripeFault | null =>
            isRefused && request.endsWith('add_lines') ? '400' : null;
        return withStripe({ faultOf }, async (stripe, store) => {
            const first = await deliver(stripe, store);
            expect(detailsOf(first)[0]).toEqual([
                'rejected',
                'it answered 400 api_error: failed with 400',
            ]);
            expect(booksOf(stripe)).toEqual([]);
            isRefused = false;
            // Stripe repeats the invoice that was deleted: it is not taken for a new one.
            await deliver(stripe, store);
            await expectBooked(stripe, store);
        });
    });

    test('the same reference twice stops there; one that was voided does not count', () =>
        withStripe({}, async (stripe, store) => {
            await deliver(stripe, memoryStore({}));
            const [acme] = stripe.invoices.values();
            if (!acme) throw new Error('nothing is there');
            stripe.invoices.set('in_copy', { ...acme, id: 'in_copy' });
            const [first] = detailsOf(await deliver(stripe, store));
            expect(first?.[1]).toMatch(/^it is there more than once: in_copy, in_000001; /);
            for (const id of ['in_copy', acme.id]) {
                stripe.invoices.set(id, { ...acme, id, status: 'void' });
            }
            expect(detailsOf(await deliver(stripe, store))[0]).toEqual(['verified', '']);
            expect(
                [...stripe.invoices.values()].filter((of) => of.status === 'draft'),
            ).toHaveLength(2);
        }));
});

describe('what Stripe has', () => {
    const tampered: readonly (readonly [string, (stripe: StripeStandIn) => void, RegExp])[] = [
        [
            'a line more',
            (of) => change(of, (all) => [...all, { ...all[0]!, id: 'il_more' }]),
            /^it has 3 lines of 37.50 USD, sent were 2 of 25.00 USD$/,
        ],
        ['a line less', (of) => change(of, (all) => all.slice(1)), /^it has 1 lines of 12.50 USD/],
        [
            'two amounts that add up',
            (of) =>
                change(of, ([a, b]) => [
                    { ...a!, amount: 1 },
                    { ...b!, amount: 2499 },
                ]),
            /^in_000001 has line acme-a otherwise than it was sent$/,
        ],
        [
            'a discount',
            (of) => of.invoices.values().next().value?.discounts.push(500),
            /^in_000001 has lines of 25.00 USD, and bills 20.00 for them$/,
        ],
        ['no such invoice', (of) => of.invoices.delete('in_000001'), /^it has no in_000001$/],
        [
            'an invoice that was voided',
            (of) => Object.assign(of.invoices.get('in_000001') ?? {}, { status: 'void' }),
            /^in_000001 is void there$/,
        ],
    ];
    const change = (
        stripe: StripeStandIn,
        to: (all: NonNullable<ReturnType<typeof linesOf>>) => ReturnType<typeof linesOf>,
    ) => {
        const invoice = stripe.invoices.get('in_000001');
        if (invoice) invoice.lines = to(invoice.lines);
    };
    const linesOf = (stripe: StripeStandIn) => stripe.invoices.get('in_000001')?.lines ?? [];

    test.each(tampered)('%s is told, and never finalised', (_, tamper, detail) =>
        withStripe({}, async (stripe, store) => {
            await deliver(stripe, store);
            tamper(stripe);
            const again = await deliver(stripe, store, invoiced, { settings: { finalize: true } });
            expect(detailsOf(again)[0]?.[1]).toMatch(detail);
            expect(stripe.invoices.get('in_000001')?.status ?? 'gone').not.toBe('open');
            expect(detailsOf(again)[1]).toEqual(['verified', '']);
        }),
    );
});

describe('amounts', () => {
    test.each([
        ['USD', '12.50', 1250],
        ['JPY', '1500', 1500],
        ['BHD', '1.230', 1230],
        ['ISK', '1500', 150_000],
        ['MGA', '1500.00', 1500],
        ['USD', '-12.50', -1250],
    ])('%s %s is sent and read back to the last digit', (currency, amount, minor) =>
        withStripe({}, async (stripe, store) => {
            const lines = [lineItem({ currency, amount, invoice_key: `acme/2026-10/${currency}` })];
            const { delivered, problems } = await deliver(stripe, store, lines, {
                settings: { finalize: true },
            });
            expect(delivered).toMatchObject([{ state: 'verified', detail: '' }]);
            expect(booksOf(stripe)[0]?.lines).toEqual([[lineItem().line_key, minor]]);
            expect(problems.map(({ code }) => code)).toEqual(
                minor < 0 ? ['STRIPE_NEGATIVE_TOTAL'] : [],
            );
            // Below zero there is nothing to pay: it is a credit of the customer at once.
            expect(booksOf(stripe)[0]?.status).toBe(minor < 0 ? 'paid' : 'open');
        }),
    );

    test.each([
        ['BHD', '1.234', 'STRIPE_AMOUNT_NOT_REPRESENTABLE'],
        ['USD', '90071992547409.91', 'STRIPE_AMOUNT_TOO_LARGE'],
        ['XYZ', '1.00', 'STRIPE_CURRENCY_UNKNOWN'],
    ])('%s %s keeps its whole invoice here', (currency, amount, code) =>
        withStripe({}, async (stripe, store) => {
            const own = { currency, invoice_key: `acme/2026-10/${currency}/refused` };
            const lines = [
                lineItem({ ...own, amount }),
                lineItem({ ...own, line_key: 'other', amount: '1.00' }),
                lineItem({ line_key: 'fine' }),
            ];
            const { delivered, problems } = await deliver(stripe, store, lines);
            expect(problems[0]).toMatchObject({ code, severity: 'refused' });
            expect(delivered).toMatchObject([{ state: 'verified' }]);
            expect(booksOf(stripe).map(({ ref }) => ref)).toEqual(['acme/2026-10/USD-1']);
        }),
    );

    test('a payer without a customer stays here, the others go out', () =>
        withStripe({}, async (stripe, store) => {
            const nobody = lineItem({ payer_id: 'nobody', line_key: 'n', invoice_key: 'nobody' });
            const { problems } = await deliver(stripe, store, [...invoiced, nobody]);
            expect(problems).toMatchObject([
                { code: 'STRIPE_CUSTOMER_UNNAMED', severity: 'refused', invoice_key: 'nobody' },
            ]);
            await expectBooked(stripe, store);
        }));

    test('names that would break a form arrive as they are', () =>
        withStripe({}, async (stripe, store) => {
            const description = 'a=b&lines[0][amount]=1 \u{1f4b8} \0 "%00" \ud800';
            const line = lineItem({ description, product: '[x]&=+', unit: '%' });
            await deliver(stripe, store, [line]);
            const [{ lines = [] } = {}] = stripe.invoices.values();
            expect(lines[0]?.description).toBe(description.toWellFormed());
            expect(lines[0]?.metadata).toMatchObject({ product: '[x]&=+', unit: '%' });
        }));
});

describe('more than 250 lines', () => {
    const many = lineItems(501).map((line, at) => ({
        ...line,
        ...{ account_id: `a${at % 7}`, product: at % 2 ? 'chat' : 'inference' },
        ...{ amount: at === 5 ? '-0.10' : '0.01', quantity: '0.1' },
    }));

    test('are split: each part is an invoice with a total of its own', () =>
        withStripe({}, async (stripe, store) => {
            const { delivered } = await deliver(stripe, store, many);
            const totals = delivered.map(({ parcel, state }) => [
                ...[parcel.parcel_key, parcel.line_count, parcel.amount, state],
            ]);
            expect(totals).toEqual([
                ['acme/2026-10/USD-1', 250, '2.50', 'verified'],
                ['acme/2026-10/USD-2', 250, '2.39', 'verified'],
                ['acme/2026-10/USD-3', 1, '0.01', 'verified'],
            ]);
            const keys = booksOf(stripe).flatMap(({ lines }) => lines.map(([key]) => key));
            expect(keys).toHaveLength(501);
            expect(new Set(keys)).toEqual(new Set(many.map(({ line_key }) => line_key)));
        }));

    test('are summarised: one line per account and product, to the same sum', () =>
        withStripe({}, async (stripe, store) => {
            const settings = { over_limit: 'summarise' } as const;
            const { delivered } = await deliver(stripe, store, many, { settings });
            expect(delivered).toMatchObject([
                { state: 'verified', parcel: { line_count: 14, amount: '4.90' } },
            ]);
            const [{ lines = [] } = {}] = stripe.invoices.values();
            expect(lines.reduce((sum, { amount }) => sum + amount, 0)).toBe(490);
            const counts = lines.map(({ metadata }) => Number(metadata.line_count));
            expect(counts.reduce((sum, of) => sum + of)).toBe(501);
            expect(lines[0]?.metadata).toMatchObject({ quantity: '3.6', unit: 'token' });
            // 250 lines need no summary.
            const { delivered: few } = await deliver(stripe, memoryStore({}), lineItems(250), {
                settings,
                names: ownNamesOf('cus_few'),
            });
            expect(few).toMatchObject([{ state: 'verified', parcel: { line_count: 250 } }]);
        }));
});

const ownNamesOf = (customer: string) => ({ ...ownNames, payer: () => customer });

describe('opening', () => {
    test('says whose books these are', () =>
        withStripe({ account: 'acct_books' }, async ({ url }) => {
            const target = await openStripe(url);
            expect([target.name, target.address]).toEqual(['stripe-test', 'acct_books, test']);
            const meters = await openStripe(url, { settings: { mode: 'meter_events' } });
            expect(meters.address).toBe('acct_books, test, meter events');
        }));

    test('a key of another account stops it', () =>
        withStripe({ account: 'acct_other' }, async ({ url }) => {
            await expect(openStripe(url, { settings: { account: 'acct_books' } })).rejects.toThrow(
                'the key is of acct_other, and tieout.yaml says acct_books',
            );
        }));

    test.each(['', 'pk_test_public', 'sk_test_', 'whatever'])('%j is no key', (key) =>
        withStripe({}, async ({ url, requests }) => {
            await expect(openStripe(url, { key })).rejects.toMatchObject({
                code: 'DELIVERY_REFUSED',
            });
            expect(requests).toEqual([]);
        }),
    );

    test('a key that Stripe does not know is not repeated', () =>
        withStripe({}, async ({ url }) => {
            const key = 'sk_live_nobody_may_read_this';
            const error = await openStripe(url, { key }).catch((of: unknown) => of);
            expect(error).toMatchObject({ code: 'DELIVERY_LOCKED_OUT' });
            expect(`${JSON.stringify(error)} ${error}`).toContain('401');
            expect(`${JSON.stringify(error)} ${error}`).not.toContain('nobody_may_read');
        }));

    test.each(stripeFaults.filter((of) => !of.startsWith('lost')))(
        '%s of the question whose it is',
        (fault) =>
            withStripe({ faultOf: () => fault }, async ({ url }) => {
                const code = fault === '400' ? 'DELIVERY_REFUSED' : 'DELIVERY_UNANSWERED';
                await expect(openStripe(url)).rejects.toMatchObject({ code });
            }),
    );
});
