import { type Amount, formatAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';

/** Texts as FOCUS writes them: units, instants, keys, objects with exact numbers. */

/** Words of units that are short for something: they keep their letters and have no plural. */
const shortWords: Readonly<Record<string, string>> = {
    ...{ gpu: 'GPU', cpu: 'CPU', vcpu: 'vCPU', kb: 'KB', mb: 'MB', gb: 'GB', tb: 'TB', pb: 'PB' },
    ...{ kib: 'KiB', mib: 'MiB', gib: 'GiB', tib: 'TiB', pib: 'PiB' },
};

/** The unit of what has none of its own. */
const plainUnit = 'Units';

/** A unit by the format of the standard: `token` is Tokens, `gpu_second` GPU-Seconds. */
export function focusUnit(unit: string): string {
    const words = unit.split(/[\s_-]+/).filter((word) => word !== '');
    if (words.length === 0) return plainUnit;
    const last = words.length - 1;
    const isTime = /^(second|minute|hour|day|month|year)s?$/i.test(words[last] ?? '');
    return words
        .map((word, at) => (at === last ? pluralOf(capitalOf(word)) : capitalOf(word)))
        .join(isTime ? '-' : ' ');
}

function capitalOf(word: string): string {
    return shortWords[word.toLowerCase()] ?? word.charAt(0).toUpperCase() + word.slice(1);
}

function pluralOf(word: string): string {
    if (Object.values(shortWords).includes(word) || /s$|^\d+$/i.test(word)) return word;
    return /[^aeiou]y$/i.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
}

/** An instant without its fraction of a second, which the format of the standard does not have. */
export function focusInstant(instant: string): string {
    return `${instant.slice(0, 'yyyy-MM-ddTHH:mm:ss'.length)}Z`;
}

/** `context_band` is ContextBand. */
function pascalCase(name: string): string {
    return name
        .split(/[^\p{L}\p{N}]+/u)
        .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
        .join('');
}

/**
 * Keys and values as an object of our own keys, `x_` and Pascal case; null for none. Two names that
 * would become one keep theirs.
 */
export function customKeys(values: Readonly<Record<string, unknown>>): string | null {
    const names = Object.keys(values);
    const twice = names.filter((name) =>
        names.some((other) => other !== name && pascalCase(other) === pascalCase(name)),
    );
    const pairs = names.map((name): JsonPair => {
        const value = values[name];
        const key = `x_${twice.includes(name) ? name : pascalCase(name)}`;
        return [key, typeof value === 'string' ? value : JSON.stringify(value)];
    });
    return pairs.length === 0 ? null : jsonObject(pairs);
}

/** A number that is written as it is, with all its digits. */
export interface ExactNumber {
    readonly decimal: string;
}
type JsonPart = string | boolean | ExactNumber | readonly JsonPart[] | JsonPairs;
type JsonPair = readonly [key: string, value: JsonPart];
interface JsonPairs {
    readonly pairs: readonly JsonPair[];
}

/** The text of an object, its keys in the order given. */
export function jsonObject(pairs: readonly JsonPair[]): string {
    return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${jsonText(value)}`).join(',')}}`;
}

function jsonText(part: JsonPart): string {
    if (typeof part === 'string') return JSON.stringify(part.toWellFormed());
    if (typeof part === 'boolean') return String(part);
    if (Array.isArray(part)) return `[${part.map(jsonText).join(',')}]`;
    return 'decimal' in part ? part.decimal : jsonObject((part as JsonPairs).pairs);
}

/** Minor units as decimal text with all the digits of their currency. */
export function minorText(units: bigint, currency: string): string {
    return moneyOf(minorAmount(units, currency), currency);
}

/** Minor units as an amount. */
export function minorAmount(units: bigint, currency: string): Amount {
    return { units, scale: currencyExponent(currency) ?? 0 };
}

/** An amount with at least the digits of its currency. */
export function moneyOf(amount: Amount, currency: string): string {
    return formatAmount(amount, { minScale: currencyExponent(currency) ?? 0 });
}
