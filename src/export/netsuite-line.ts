import {
    type Amount,
    absolute,
    compare,
    formatAmount,
    negate,
    parseAmount,
} from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';
import type { JsonValue } from './json.ts';

/** A line of a transaction before it has a sign: amounts are ours, below zero what the payer gets back. */
export interface NetsuiteRow {
    readonly product: string;
    readonly description: string;
    readonly quantity: string;
    readonly unit: string;
    readonly unit_price: string;
    readonly amount: Amount;
    readonly line_key: string;
    readonly account_id: string;
    /** Inclusive days in the payer's zone. */
    readonly first_day: string;
    readonly last_day: string;
}

/** Digits that a number has on its way: JSON is read as binary fractions there. */
const DIGITS = 15;
/** A quantity of 10,000,000,000 is refused. */
const QUANTITY_LIMIT = parseAmount('10000000000');
/** A rate is rounded to so many decimals. */
const RATE_DECIMALS = 8;
const DESCRIPTION_LIMIT = 4_000;

/** Decimals that NetSuite keeps where they are fewer than those of ISO 4217 (help, section_4592397413). */
const fewerDecimals: Readonly<Record<string, number>> = {
    ...{ AMD: 0, AOA: 1, COP: 0, HUF: 0, IDR: 0, IQD: 0, IRR: 0, KHR: 0, LAK: 0, LBP: 0 },
    ...{ MMK: 0, MOP: 1, TWD: 1, YER: 0 },
};

/** Why NetSuite would book an amount as another; null when it would not. */
export function amountProblem(
    amount: Amount,
    currency: string,
    decimals: Readonly<Record<string, number>>,
): { readonly code: string; readonly message: string } | null {
    const text = formatAmount(amount);
    const kept = decimals[currency] ?? fewerDecimals[currency] ?? currencyExponent(currency) ?? 2;
    if (decimalsOf(text) > kept) {
        const message = `${text} ${currency}: NetSuite keeps ${kept} decimals of it; where the account keeps more, say so in \`decimals\``;
        return { code: 'NETSUITE_DECIMALS', message };
    }
    if (digitsOf(text) > DIGITS) {
        const message = `${text} ${currency} has more than ${DIGITS} digits, which NetSuite does not keep`;
        return { code: 'NETSUITE_AMOUNT_TOO_LONG', message };
    }
    return null;
}

/**
 * Quantity, rate and amount in the order in which they must be set: price level -1 before a rate of one's
 * own, and the amount last, for NetSuite would set it to quantity x rate. A quantity or rate that it would
 * refuse or round becomes 1 x amount, and the description says what it is. `isCredit` turns the sign.
 */
export function writtenPrice(
    row: NetsuiteRow,
    isCredit: boolean,
): Readonly<Record<'price' | 'quantity' | 'rate' | 'amount' | 'description', JsonValue>> {
    const signed = (of: Amount) => (isCredit ? negate(of) : of);
    const amount = formatAmount(signed(row.amount));
    const quantity = parseAmount(row.quantity);
    const rate = parseAmount(row.unit_price);
    const price = { id: '-1' };
    if (isHeld(quantity, rate, row.amount)) {
        // A quantity is never below zero there: the rate has the sign.
        const turned = quantity.units < 0n ? negate(rate) : rate;
        const held = {
            quantity: formatAmount(absolute(quantity)),
            rate: formatAmount(signed(turned)),
        };
        return { price, ...held, amount, description: clipped(row.description) };
    }
    const said = `${row.quantity} ${row.unit} at ${row.unit_price}`;
    const description = `${clipped(row.description, said.length + 3)} (${said})`;
    return { price, quantity: '1', rate: amount, amount, description };
}

function isHeld(quantity: Amount, rate: Amount, amount: Amount): boolean {
    const size = absolute(quantity);
    const texts = [formatAmount(size), formatAmount(rate)];
    return (
        (quantity.units !== 0n || amount.units === 0n) &&
        compare(size, QUANTITY_LIMIT) < 0 &&
        texts.every((text) => digitsOf(text) <= DIGITS && decimalsOf(text) <= RATE_DECIMALS)
    );
}

const digitsOf = (text: string) => text.replaceAll(/[-.]/g, '').replace(/^0+/, '').length;
const decimalsOf = (text: string) => text.split('.')[1]?.length ?? 0;

/** Never cut inside a character. */
function clipped(text: string, room = 0): string {
    const limit = DESCRIPTION_LIMIT - room;
    if (text.length <= limit) return text;
    return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
