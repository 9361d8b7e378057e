import type { Row } from '../duck/engine.ts';
import { formatAmount, parseAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';
import type { LineItem } from '../schema/line-item.ts';

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

/** A row of line items with its figures as people and other systems read them. */
export function lineOf(row: Row): LineItem {
    return {
        ...(row as unknown as LineItem),
        quantity: trimmed(row.quantity),
        unit_price: trimmed(row.unit_price),
        amount_exact: trimmed(row.amount_exact),
        amount: money(row.amount, String(row.currency)),
        asset_amount: trimmedOrNull(row.asset_amount),
    };
}
