import { expect, test } from 'vitest';
import { ownNames } from '../../src/deliver/names.ts';
import { lineItems } from '../support/documents.ts';
import { takesAll } from '../support/how-many.ts';
import { memoryStore } from '../support/memory-store.ts';
import { deliverToStripe } from '../support/stripe-delivery.ts';
import { stripeStandIn } from '../support/stripe-stand-in.ts';

const names = { ...ownNames, payer: (of: string) => `cus_${of}` };

/** Of 40 payers, 100,000 lines and 400 invoices of Stripe; on every change of four. */
const payers = takesAll ? 40 : 4;
const lines = Array.from({ length: payers }, (_, at) =>
    lineItems(2_500, { payer_id: `p${at}`, invoice_key: `p${at}/2026-10/USD`, amount: '0.01' }),
).flat();

test(`${lines.length} lines, cut off twice and started again, are there once`, {
    timeout: 300_000,
}, async () => {
    let left = 0;
    // Of a machine that goes down: nothing is answered any more, what was on its way is done or not.
    const faultOf = (number: number) => {
        left -= 1;
        return left > 0 ? null : number % 2 ? ('lost' as const) : ('reset' as const);
    };
    const stripe = await stripeStandIn({ faultOf });
    const store = memoryStore({});
    // A hundred a second would take a minute; the stand-in has no limit.
    const settings = { per_second: 100_000, concurrency: 16 };
    const start = () => deliverToStripe(stripe.url, store, lines, { settings, names });
    for (const requests of [12.5 * payers, 22.5 * payers]) {
        left = requests;
        const { delivered } = await start();
        expect(delivered.every(({ state }) => state === 'verified')).toBe(false);
        stripe.dayLater();
    }
    left = Number.POSITIVE_INFINITY;
    const { delivered } = await start();
    expect(delivered.map(({ state, detail }) => [state, detail])).toEqual(
        delivered.map(() => ['verified', '']),
    );
    const keys = [...stripe.invoices.values()].flatMap((of) =>
        of.lines.map(({ metadata }) => metadata.line_key),
    );
    expect(stripe.invoices.size).toBe(10 * payers);
    expect(keys).toHaveLength(lines.length);
    expect(new Set(keys).size).toBe(lines.length);
    await stripe.stop();
});
