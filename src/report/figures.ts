import { type Amount, add, compare, formatAmount, parseAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';
import { round } from '../money/round.ts';

const zero: Amount = { units: 0n, scale: 0 };

/** The exact sum of decimal texts, as decimal text without needless zeros. */
export function sum(texts: Iterable<string>): string {
    let total = zero;
    for (const text of texts) total = add(total, parseAmount(text));
    return formatAmount(total, { minScale: 0 });
}

/** Decimal text without its sign. */
export function magnitude(text: string): string {
    return text.replace(/^-/, '');
}

/** Decimal text with the other sign. */
export function negated(text: string): string {
    if (isZero(text)) return text;
    return text.startsWith('-') ? text.slice(1) : `-${text}`;
}

export function isZero(text: string): boolean {
    return parseAmount(text).units === 0n;
}

/** Below, at or above zero: the exact order of two decimal texts. */
export function compareDecimals(a: string, b: string): number {
    return compare(parseAmount(a), parseAmount(b));
}

/** Decimal text for a person: thousands apart, no needless zeros beyond `minScale`. */
export function figure(text: string, minScale = 0): string {
    const plain = formatAmount(parseAmount(text), { minScale });
    const [whole = '', fraction] = plain.split('.');
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
    return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** An amount in a currency or asset, with at least the currency's digits and without its code. */
export function amountFigure(text: string, asset: string | null): string {
    return figure(text, asset === null ? 0 : (currencyExponent(asset) ?? 0));
}

/** `1,234.50 USD` */
export function amountWithCode(text: string, asset: string): string {
    return `${amountFigure(text, asset)} ${asset}`;
}

/**
 * `1,234.50 USD` for a summary: rounded to the currency's digits, unless nothing would be left. An
 * asset that is no currency has no digits to round to.
 */
export function summaryAmount(text: string, asset: string): string {
    const rounded = roundedFigure(text, asset);
    return isZero(rounded.replaceAll(',', ''))
        ? amountWithCode(text, asset)
        : `${rounded} ${asset}`;
}

/** `1,234.50`: rounded to the currency's digits, for a table that says that it is. */
export function roundedFigure(text: string, asset: string): string {
    const exponent = currencyExponent(asset);
    const exact = parseAmount(text);
    return amountFigure(
        exponent === undefined ? text : formatAmount(round(exact, exponent)),
        asset,
    );
}

/** `1 break`, `2,000 breaks` */
export function counted(count: number, one: string, many = `${one}s`): string {
    return `${figure(String(count))} ${count === 1 ? one : many}`;
}

/** `a`, `a and b`, `a, b and c` */
export function listed(items: readonly string[]): string {
    if (items.length < 2) return items.join('');
    return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
