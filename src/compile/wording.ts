import type { z } from 'zod';
import { didYouMean } from '../schema/suggest.ts';

/** What is wrong with a value, for a person, and what to do about it. */
export interface Wording {
    readonly message: string;
    readonly remedy?: string;
}

/** What may stand in a place, by the word that the schema has for it. */
const wanted: Readonly<Record<string, string>> = {
    string: 'text',
    number: 'a number without quotes',
    int: 'a whole number without quotes',
    boolean: 'true or false without quotes',
    array: 'a list',
    object: 'a map of keys and values',
    record: 'a map of keys and values',
};

/**
 * Words an issue that the schema itself has no words for: those of zod speak of types to a
 * programmer. An issue with words of its own keeps them.
 */
export function wordingOf(issue: z.core.$ZodIssue): Wording {
    if (issue.message !== '') return { message: issue.message };
    const name = String(issue.path.at(-1) ?? 'the file');
    const what = typeof issue.path.at(-1) === 'number' ? `number ${name} (from 0)` : name;
    switch (issue.code) {
        case 'invalid_type':
            return ofType(what, issue.expected, issue.input, issue.path.length === 0);
        case 'invalid_value':
            return issue.input === undefined
                ? missing(what, `one of ${issue.values.map(String).join(', ')}`)
                : {
                      message: `${what}: ${shown(issue.input)} is not a choice here`,
                      remedy: didYouMean(String(issue.input), issue.values.map(String)),
                  };
        case 'invalid_key':
            return wordingOf({ ...(issue.issues[0] as z.core.$ZodIssue), path: issue.path });
        case 'too_small':
            return {
                message: `${what} ${issue.origin === 'string' || issue.origin === 'array' ? 'is empty' : `is ${shown(issue.input)}`}`,
                remedy: `Write ${issue.origin === 'array' || issue.origin === 'string' ? 'at least one there' : `${String(issue.minimum)} or more`}.`,
            };
        case 'too_big':
            return {
                message: `${what} is ${shown(issue.input)}`,
                remedy: `Write at most ${String(issue.maximum)}.`,
            };
        case 'invalid_format':
            return {
                message: `${what}: ${shown(issue.input)} is not written as it has to be`,
                remedy: formatRemedy(issue),
            };
        default:
            return { message: `${what}: ${shown(issue.input)} is nothing that can stand here` };
    }
}

function ofType(what: string, expected: string, input: unknown, isFile: boolean): Wording {
    const wish = wanted[expected] ?? expected;
    if (isFile && input == null) {
        return { message: 'the file is empty', remedy: `Write ${wish} in it.` };
    }
    if (input === undefined) return missing(what, wish);
    const message = `${what} is ${kindOf(input)}, and has to be ${wish}`;
    const isScalar = typeof input === 'number' || typeof input === 'boolean';
    return {
        message,
        remedy:
            expected === 'string' && isScalar
                ? `Write it in quotes: "${String(input)}".`
                : `Write ${wish} there.`,
    };
}

const missing = (what: string, wish: string): Wording => ({
    message: `${what} is missing`,
    remedy: `Write \`${what}:\` here, with ${wish}.`,
});

function kindOf(input: unknown): string {
    if (input === null) return 'empty';
    if (Array.isArray(input)) return 'a list';
    if (typeof input === 'object') return 'a map';
    return typeof input === 'string' ? `the text ${shown(input)}` : shown(input);
}

const shown = (input: unknown) => JSON.stringify(input) ?? String(input);

function formatRemedy(issue: z.core.$ZodIssueInvalidStringFormat): string {
    if (issue.format === 'url') return 'Write an address like https://s3.example.com.';
    if ('includes' in issue) return `Write text with ${String(issue.includes)} in it.`;
    return `Write text that fits ${String(issue.pattern ?? issue.format)}.`;
}
