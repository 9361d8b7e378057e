import { randomUUID } from 'node:crypto';
import { type Sending, sendAll, waybills } from '../../src/deliver/deliver.ts';
import { type Names, readNames } from '../../src/deliver/names.ts';
import { readOutbox } from '../../src/deliver/outbox.ts';
import { stripeTarget } from '../../src/deliver/stripe.ts';
import { silent } from '../../src/effects.ts';
import { gatherInvoices } from '../../src/export/invoices.ts';
import { type StripeSettings, stripeSettingsSchema } from '../../src/schema/deliver-stripe.ts';
import type { LineItem } from '../../src/schema/line-item.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { standInKey } from './stripe-stand-in.ts';

/** What Stripe calls the payers and products of these tests. */
export const stripeNames: Names = readNames(
    'names.csv',
    [
        'kind,ours,target,theirs',
        'payer,acme,stripe,cus_acme',
        'payer,zeta ?#%,stripe,cus_zeta',
        'product,inference,stripe,llm_tokens',
    ].join('\n'),
    'stripe',
);

export interface StripeDelivery {
    readonly settings?: Partial<StripeSettings>;
    readonly names?: Names;
    readonly key?: string;
    readonly now?: string;
    readonly start_id?: string;
}

/** Stripe as it is opened by a delivery. */
export const openStripe = (url: string, { settings, names, key, now }: StripeDelivery = {}) =>
    stripeTarget({
        settings: {
            ...stripeSettingsSchema.parse({ url, per_second: 100 }),
            ...settings,
        },
        names: names ?? stripeNames,
        environment: { TIEOUT_STRIPE_KEY: key ?? standInKey },
        now: () => now ?? '2026-11-05T09:00:00Z',
    });

/** One start of a delivery of these lines, from packing to reading back. */
export async function deliverToStripe(
    url: string,
    store: ObjectStore,
    lines: readonly LineItem[],
    delivery: StripeDelivery = {},
) {
    const target = await openStripe(url, delivery);
    const now = () => delivery.now ?? '2026-11-05T09:00:00Z';
    const sending: Sending = {
        ...{ target, store, period: '2026-10', run_id: 'run', by: 'ada', now },
        ...{ start_id: randomUUID(), progress: silent, pauses: { min: 1, max: 1 } },
    };
    const { invoices } = gatherInvoices(lines, new Set(['clear'] as const));
    const outbox = await readOutbox(store, target.name, '2026-10');
    const { parcels, problems } = target.pack(invoices);
    return { problems, delivered: await sendAll(sending, waybills(target, outbox, parcels)) };
}
