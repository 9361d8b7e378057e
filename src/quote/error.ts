/** What to do about each code, where the place that found it does not know better. */
const remedies = {
    QUOTE_JSON: 'Write one whole JSON object on each line.',
    QUOTE_KEY: 'Correct the key, or take it out.',
    QUOTE_MISSING: 'Add it.',
    QUOTE_NUMBER: 'A JSON number may lose digits.',
    QUOTE_SHAPE: 'Write what the message says is wanted there.',
    QUOTE_DECIMAL: 'Write digits in quotes, as "0.5": at most 12 decimals, and no exponent.',
    QUOTE_CHOICE: 'Write one of the words that are known there.',
    QUOTE_CURRENCY: 'Write the three-letter code, as USD.',
    QUOTE_USAGE: 'Give the usage once: as quantity, as groups, or as events with a meter.',
    QUOTE_MODIFIER: 'Take out what cannot apply: it would do nothing.',
    QUOTE_EVENT: 'Correct the event, or leave it out.',
    QUOTE_TIERS: 'Give each tier its bound and its price.',
    QUOTE_SPAN: 'Write instants as 2026-03-01T00:00:00Z, the end after the start.',
    QUOTE_RANGE: 'Write fewer decimals, or split the line.',
    QUOTE_COMMITMENT: 'Correct the commitment, or take it out.',
    QUOTE_GRANT: 'Correct the grant, or take it out.',
} as const;

export type QuoteCode = keyof typeof remedies;

/** Why one line of a quote has no price. The other lines are not touched by it. */
export class QuoteError extends Error {
    override readonly name = 'QuoteError';
    readonly code: QuoteCode;
    readonly remedy: string;

    constructor(code: QuoteCode, message: string, remedy: string = remedies[code]) {
        super(message);
        this.code = code;
        this.remedy = remedy;
    }

    /** What is wrong and what to do, as the answer to the line says it. */
    get text(): string {
        return this.remedy === '' ? this.message : `${this.message}. ${this.remedy}`;
    }
}

/** A step on the way to a price, unless an earlier one has failed; what it throws is its answer. */
export function attempt<T, R>(step: T | QuoteError, work: (of: T) => R): R | QuoteError {
    if (step instanceof QuoteError) return step;
    try {
        return work(step);
    } catch (error) {
        if (error instanceof QuoteError) return error;
        throw error;
    }
}
