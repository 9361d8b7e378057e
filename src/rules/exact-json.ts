/**
 * Parses JSON with every number as the text it is written in, so that a price is never a binary
 * fraction. @throws SyntaxError when it is not JSON.
 */
export function parseExactJson(text: string): unknown {
    const withSource: Reviver = (_key, value, { source }) =>
        typeof value === 'number' ? (source ?? String(value)) : value;
    return JSON.parse(text, withSource as (key: string, value: unknown) => unknown);
}

/** JSON.parse with source text access (ES2026), which Node has and the types do not yet. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const number = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d{1,3}))?$/;

/** A number of JSON as plain decimal text of the same value, or null for anything else. */
export function plainDecimal(text: string): string | null {
    const match = number.exec(text);
    if (!match) return null;
    const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
    const shift = Number.parseInt(exponent, 10);
    const digits = whole + fraction;
    const point = whole.length + shift;
    const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
    const at = Math.max(point, 1);
    const left = padded.slice(0, at).replace(/^0+(?=\d)/, '');
    const right = padded.slice(at).replace(/0+$/, '');
    return `${sign}${left}${right ? `.${right}` : ''}`;
}
