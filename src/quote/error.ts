/** Why one line of a quote has no price. The other lines are not touched by it. */
export class QuoteError extends Error {
    override readonly name = 'QuoteError';
    readonly code: string;

    constructor(code: string, message: string) {
        super(message);
        this.code = code;
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
