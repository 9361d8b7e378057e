import { createHash } from 'node:crypto';
import { compareText } from './order.ts';

/** What a written document may hold. A bigint is an integer of any size; `number` an integer. */
export type JsonValue =
    | string
    | number
    | bigint
    | boolean
    | null
    | readonly JsonValue[]
    | { readonly [key: string]: JsonValue };

/**
 * Deterministic JSON text: keys sorted by code point, integers of any size written out in full. A
 * key whose value is undefined is left out, as JSON.stringify does.
 * @param indent spaces per level; 0 writes everything on one line.
 */
export function canonicalJson(value: JsonValue, indent = 2): string {
    return write(value, indent, '\n');
}

/** sha256 in hex of the one-line canonical JSON text. */
export function jsonHash(value: JsonValue): string {
    return sha256(canonicalJson(value, 0));
}

/** sha256 in hex of text as UTF-8. */
export function sha256(text: string): string {
    return createHash('sha256').update(text, 'utf8').digest('hex');
}

function write(value: JsonValue, indent: number, newline: string): string {
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'string') return JSON.stringify(value.toWellFormed());
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    const inner = newline + ' '.repeat(indent);
    const wrap = (open: string, items: readonly string[], close: string) => {
        if (items.length === 0) return open + close;
        if (indent === 0) return open + items.join(',') + close;
        return open + inner + items.join(`,${inner}`) + newline + close;
    };
    if (Array.isArray(value)) {
        const items: readonly JsonValue[] = value;
        const written = items.map((item) => write(item, indent, inner));
        return wrap('[', written, ']');
    }
    const object = value as { readonly [key: string]: JsonValue };
    const colon = indent === 0 ? ':' : ': ';
    const entries = Object.keys(object)
        .filter((key) => object[key] !== undefined)
        .sort(compareText)
        .map((key) => JSON.stringify(key) + colon + write(object[key]!, indent, inner));
    return wrap('{', entries, '}');
}
