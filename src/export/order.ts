import type { Break } from '../schema/break.ts';
import type { LineItem } from '../schema/line-item.ts';

/** Orders by code point, as DuckDB does, and not by UTF-16 unit, as `<` does. */
export function compareText(a: string, b: string): number {
    if (a === b) return 0;
    let at = 0;
    while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
    if (at === a.length || at === b.length) return a.length - b.length;
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    // A surrogate stands for a code point above every other unit, though its own value is lower.
    const isHighX = x >= 0xd800 && x <= 0xdfff;
    const isHighY = y >= 0xd800 && y <= 0xdfff;
    return isHighX === isHighY ? x - y : isHighX ? 1 : -1;
}

/** Orders instants as text: without its Z, a shorter fraction sorts before a longer one. */
export function compareInstants(a: string, b: string): number {
    return compareText(a.slice(0, -1), b.slice(0, -1));
}

/** The order of line items wherever they are written; see schema/line-item.ts. */
export function compareLineItems(a: LineItem, b: LineItem): number {
    return (
        compareText(a.payer_id, b.payer_id) ||
        compareText(a.account_id, b.account_id) ||
        compareText(a.product, b.product) ||
        compareText(a.attributes, b.attributes) ||
        compareInstants(a.service_start, b.service_start) ||
        compareText(a.line_key, b.line_key)
    );
}

/** The order of breaks wherever they are written: by payer, account and asset, then code and key. */
export function compareBreaks(a: Break, b: Break): number {
    return (
        compareText(a.payer_id ?? '', b.payer_id ?? '') ||
        compareText(a.account_id ?? '', b.account_id ?? '') ||
        compareText(a.asset ?? '', b.asset ?? '') ||
        compareText(a.code, b.code) ||
        compareText(a.break_key, b.break_key) ||
        compareText(a.break_id, b.break_id)
    );
}
