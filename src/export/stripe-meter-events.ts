import { add, formatAmount, parseAmount } from '../money/amount.ts';
import type { LineItem } from '../schema/line-item.ts';
import type { DeliveryProblem, Invoice } from './invoices.ts';
import { sha256 } from './json.ts';
import { compareText } from './order.ts';
import { customerProblems, inclusiveSeconds } from './stripe-draft.ts';

/** Longest event name, and most digits of a value (docs.stripe.com: `meter_event_value_too_many_digits`). */
const NAME_LIMIT = 100;
const DIGITS = 15;

/** Usage of a payer in a period that one of Stripe's meters counts, as one event. Grain: key. */
export interface StripeMeterEvent {
    /** `acme/2026-10-01T00:00:00Z/meter/llm_tokens`. */
    readonly key: string;
    readonly payer_id: string;
    readonly customer: string;
    readonly event_name: string;
    /** The same for the same key: Stripe counts an identifier once a day. */
    readonly identifier: string;
    /** Decimal text: the exact sum of the quantities. */
    readonly value: string;
    readonly line_count: number;
    /** Half-open seconds of the period; the event is at its last one. */
    readonly period: { readonly start: bigint; readonly end: bigint };
}

/** What Stripe calls payers and products; null for a name that nobody gave. */
export interface StripeNames {
    readonly payer: (payer_id: string) => string | null;
    readonly product: (product: string) => string | null;
}

/**
 * Usage for meters of Stripe, for those who rate there: one event per payer, period and meter, so that it
 * arrives whole or not at all. An invoice with anything but usage stays here: Stripe would never hear of
 * what paid for it.
 */
export function stripeMeterEvents(
    invoices: readonly Invoice[],
    names: StripeNames,
): { readonly events: readonly StripeMeterEvent[]; readonly problems: readonly DeliveryProblem[] } {
    const shared = sharedCustomers(invoices, names);
    const refusals = invoices.flatMap((invoice) => refusalsOf(invoice, names, shared));
    const kept = new Set(refusals.map(({ invoice_key }) => invoice_key));
    const lines = invoices
        .filter(({ invoice_key }) => !kept.has(invoice_key))
        .flatMap((invoice) => invoice.lines);
    const groups = Map.groupBy(lines, (line) => keyOf(line, names));
    const events = [...groups]
        .sort(([a], [b]) => compareText(a, b))
        .map(([key, of]) => eventOf(key, of, names));
    const long = events.filter(({ value }) => value.replaceAll(/[-.]/g, '').length > DIGITS);
    const problems = long.map(({ key, value }): DeliveryProblem => {
        const message = `${value} has more than the ${DIGITS} digits that Stripe takes`;
        return {
            ...{ code: 'STRIPE_METER_VALUE_TOO_LONG', severity: 'refused' },
            ...{ invoice_key: key, line_key: null, message },
        };
    });
    return {
        events: events.filter((of) => !long.includes(of)),
        problems: [...refusals, ...problems],
    };
}

const nameOf = (line: LineItem, names: StripeNames) => names.product(line.product) ?? '';

const keyOf = (line: LineItem, names: StripeNames) =>
    `${line.payer_id}/${line.period_start}/meter/${nameOf(line, names)}`;

function eventOf(key: string, lines: readonly LineItem[], names: StripeNames): StripeMeterEvent {
    const [first] = lines;
    const { payer_id, period_start, period_end } = first!;
    const { start, end } = inclusiveSeconds(period_start, period_end);
    const sum = lines.map(({ quantity }) => parseAmount(quantity)).reduce(add);
    return {
        ...{ key, payer_id, customer: names.payer(payer_id) ?? '' },
        ...{ event_name: nameOf(first!, names), identifier: sha256(key) },
        ...{ value: formatAmount(sum), line_count: lines.length },
        period: { start, end: end + 1n },
    };
}

/** Customers that several payers are: what a meter has of one can't be told apart. */
function sharedCustomers(
    invoices: readonly Invoice[],
    { payer }: StripeNames,
): ReadonlySet<string | null> {
    const payers = [...new Set(invoices.map(({ payer_id }) => payer_id))];
    const groups = Map.groupBy(payers, payer);
    return new Set([...groups].filter(([, of]) => of.length > 1).map(([customer]) => customer));
}

function refusalsOf(
    { invoice_key, payer_id, lines }: Invoice,
    names: StripeNames,
    shared: ReadonlySet<string | null>,
): readonly DeliveryProblem[] {
    const customer = names.payer(payer_id);
    const others = lines.filter(({ line_type }) => line_type !== 'usage');
    const products = [...new Set(lines.map(({ product }) => product))].sort(compareText);
    const found: (readonly [string, string])[] = [
        ...customerProblems(payer_id, customer),
        ...(customer !== null && shared.has(customer)
            ? [['STRIPE_CUSTOMER_SHARED', `${customer} is the customer of several payers`] as const]
            : []),
        ...(others.length > 0
            ? [['STRIPE_METER_NOT_USAGE', `${others.length} of its lines are no usage`] as const]
            : []),
        ...products.flatMap((product) => {
            const { length } = names.product(product) ?? '';
            const message = `product "${product}" has no meter: name one of 1 to ${NAME_LIMIT} characters`;
            const isName = length > 0 && length <= NAME_LIMIT;
            return isName ? [] : [['STRIPE_METER_UNNAMED', message] as const];
        }),
    ];
    return found.map(([code, message]) => {
        return { code, severity: 'refused', invoice_key, line_key: null, message };
    });
}
