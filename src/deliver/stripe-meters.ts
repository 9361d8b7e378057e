import type Stripe from 'stripe';
import type { Invoice } from '../export/invoices.ts';
import type { JsonValue } from '../export/json.ts';
import { type StripeMeterEvent, stripeMeterEvents } from '../export/stripe-meter-events.ts';
import { compare, formatAmount, parseAmount } from '../money/amount.ts';
import { parseInstant } from '../time/instant.ts';
import { exactText } from './http.ts';
import type { Names } from './names.ts';
import { allOf, type StripeClient } from './stripe-client.ts';
import { type Packed, type Parcel, type Target, TargetError } from './target.ts';

/** Seconds back from now of which Stripe takes usage: 35 days. */
const REACH = 35n * 86_400n;

/** Usage as meter events, one a parcel; its amount is a quantity, in what the meter is called. */
export function packMeterEvents(invoices: readonly Invoice[], names: Names): Packed {
    const { events, problems } = stripeMeterEvents(invoices, names);
    const parcels = events.map((event) => ({
        parcel_key: event.key,
        payer_id: event.payer_id,
        currency: event.event_name,
        line_count: event.line_count,
        amount: event.value,
        products: [],
        payload: event as unknown as JsonValue,
    }));
    return { parcels, problems };
}

/** A payload comes back from the outbox as it was packed. */
const eventOf = ({ payload }: Parcel) => payload as unknown as StripeMeterEvent;

/**
 * What sends usage to meters. Stripe can't be asked for an event, and forgets its identifier after a day;
 * but a meter says what it has of a customer in a period. So nothing is sent to a meter that has anything:
 * if that is what would be sent it is there, else a person must look.
 */
export function stripeMeters(
    client: StripeClient,
    now: () => string,
): Pick<Target, 'send' | 'find' | 'readBack'> {
    const { stripe } = client;
    let meters: Promise<readonly Stripe.Billing.Meter[]> | null = null;

    const meterOf = async ({ event_name }: StripeMeterEvent) => {
        meters ??= allOf(client, (page) =>
            stripe.billing.meters.list({ status: 'active', ...page }),
        );
        const known = await meters.catch((error) => {
            meters = null;
            throw error;
        });
        const meter = known.find((of) => of.event_name === event_name);
        if (!meter) throw new TargetError('refused', `it has no active meter for ${event_name}`);
        const { formula } = meter.default_aggregation;
        if (formula === 'sum') return meter;
        const message = `its meter for ${event_name} takes the ${formula} of events, and not their sum`;
        throw new TargetError('refused', message);
    };

    /** What the meter has of the customer in the period, as decimal text. */
    const meteredOf = async (event: StripeMeterEvent): Promise<string> => {
        const { id } = await meterOf(event);
        const { customer, period } = event;
        const span = { start_time: seconds(period.start), end_time: seconds(period.end) };
        const all = await allOf(client, (page) =>
            stripe.billing.meters.listEventSummaries(id, { customer, ...span, ...page }),
        );
        const [summary, ...more] = all;
        if (more.length > 0)
            throw new TargetError('refused', 'it answered several sums of one span');
        return summary ? decimalOf(summary.aggregated_value) : '0';
    };

    const find = async (parcel: Parcel) => {
        const event = eventOf(parcel);
        const value = await meteredOf(event);
        if (compare(parseAmount(value), parseAmount(event.value)) === 0) {
            return { remote_id: event.identifier };
        }
        if (compare(parseAmount(value), parseAmount('0')) === 0) return null;
        const { event_name, customer } = event;
        const has = `${event_name} has ${value} of ${customer} in the period already`;
        throw new TargetError('refused', `${has}, and ${event.value} would be added`);
    };

    return {
        find,
        send: async (parcel, found) => {
            if (found) return found;
            const event = eventOf(parcel);
            const at = event.period.end - 1n;
            if (parseInstant(now()) / 1_000_000n - at > REACH) {
                throw new TargetError(
                    'refused',
                    'it takes usage of the past 35 days, and this is older',
                );
            }
            const meter = await meterOf(event);
            const { customer, event_name, identifier, value } = event;
            const payload = {
                [meter.customer_mapping.event_payload_key]: customer,
                [meter.value_settings.event_payload_key]: value,
            };
            const params = { event_name, identifier, payload, timestamp: seconds(at) };
            try {
                await client.post(identifier, (options) =>
                    stripe.billing.meterEvents.create(params, options),
                );
            } catch (error) {
                if (!isThere(error)) throw error;
            }
            return { remote_id: identifier };
        },
        // Sums come minutes later: until then it is acknowledged, and the next start asks again.
        readBack: async (parcel) => {
            const { value, event_name, line_count } = eventOf(parcel);
            const counted = await meteredOf(eventOf(parcel));
            if (value !== '0' && counted === '0') {
                throw new TargetError('unknown', `${event_name} has not summed it up yet`);
            }
            // Events can't be counted there: the sum of all of them stands for their number.
            const isSame = compare(parseAmount(counted), parseAmount(value)) === 0;
            return { line_count: isSame ? line_count : 0, amount: counted, currency: event_name };
        },
    };
}

/** Stripe does not drop an identifier that it knows, it refuses it: then the event is there. */
const isThere = (error: unknown) =>
    error instanceof TargetError && /already exists with identifier/.test(error.message);

/** Seconds since 1970 as the SDK takes them. */
const seconds = (value: bigint) => Number.parseInt(value.toString(), 10);

/** A sum of Stripe, which is a JSON number. @throws TargetError for one that may have lost digits */
function decimalOf(value: number): string {
    const text = exactText(value);
    if (text !== null) return formatAmount(parseAmount(text));
    throw new TargetError('refused', `it answered the sum ${value}, which is not exact`);
}
