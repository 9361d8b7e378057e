import { RunError } from '../errors/index.ts';
import type { StripeSettings } from '../schema/deliver-stripe.ts';
import { isForbidden, type StripeClient, stripeClient } from './stripe-client.ts';
import { packInvoices, stripeInvoices } from './stripe-invoices.ts';
import { packMeterEvents, stripeMeters } from './stripe-meters.ts';
import { type Opening, type Target, TargetError } from './target.ts';

/**
 * Stripe, by its SDK and the API version that this pins: draft invoices, or usage for its meters. A sandbox
 * has an outbox of its own, so that a rehearsal is never taken for a delivery.
 * @throws RunError DELIVERY_REFUSED for a key that is none, or is of another account; DELIVERY_LOCKED_OUT,
 * DELIVERY_UNANSWERED
 */
export async function stripeTarget({
    settings,
    names,
    environment,
    now,
}: Opening<StripeSettings>): Promise<Target> {
    const client = stripeClient(settings, environment.TIEOUT_STRIPE_KEY ?? '');
    const mode = client.isLive ? 'live' : 'test';
    const account = await accountOf(client, settings);
    const isRated = settings.mode === 'invoices';
    const { concurrency, per_second: perSecond } = settings;
    return {
        name: client.isLive ? 'stripe' : 'stripe-test',
        address: `${account}, ${mode}${isRated ? '' : ', meter events'}`,
        ...{ concurrency, perSecond },
        pack: (invoices) =>
            isRated ? packInvoices(invoices, names, settings) : packMeterEvents(invoices, names),
        ...(isRated ? stripeInvoices(client, settings) : stripeMeters(client, now)),
        close: async () => {},
    };
}

/** Whose books these are, asked of Stripe: a key does not say it. */
async function accountOf({ stripe, ask }: StripeClient, settings: StripeSettings): Promise<string> {
    const refused = (detail: string, remedy: string) =>
        new RunError('DELIVERY_REFUSED', { target: 'stripe', detail, remedy });
    const expected = settings.account ?? null;
    let id: string;
    try {
        id = (await ask(() => stripe.accounts.retrieveCurrent())).id;
    } catch (error) {
        // A restricted key need not be allowed to say whose it is, unless somebody wants to know.
        if (isForbidden(error) && expected === null) return 'an account its key may not name';
        if (!(error instanceof TargetError)) throw error;
        const detail = `whose key it is could not be asked: ${error.message}`;
        if (error.kind === 'refused') throw refused(detail, 'Check TIEOUT_STRIPE_KEY.');
        throw new RunError('DELIVERY_UNANSWERED', { target: 'stripe', detail }, error);
    }
    if (expected === null || id === expected) return id;
    throw refused(
        `the key is of ${id}, and tieout.yaml says ${expected}`,
        'Set TIEOUT_STRIPE_KEY to a key of that account, or change `deliveries.stripe.account`.',
    );
}
