import { formatAmount, parseAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';

/** Decimal text without the zeros that the scale of its column adds. */
export function trimmed(text: unknown): string {
    return formatAmount(parseAmount(String(text)));
}

/** The same where there may be none. */
export function trimmedOrNull(text: unknown): string | null {
    return text === null ? null : trimmed(text);
}

/** Decimal text with all the digits of its currency. */
export function money(text: unknown, currency: string): string {
    return formatAmount(parseAmount(String(text)), { minScale: currencyExponent(currency) ?? 0 });
}
