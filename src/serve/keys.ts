import { createHash } from 'node:crypto';
import type { OpenItem } from '../schema/item.ts';

/** Stands for a text in addresses: ids of strangers never do. */
export function shortKey(text: string): string {
    return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** What a person saw of an item when it was selected: when it is no longer so, nothing is entered. */
export function seenKey({ amount, money_amount, status, owner, notes }: OpenItem): string {
    return shortKey(JSON.stringify([amount, money_amount, status, owner, notes.length]));
}
