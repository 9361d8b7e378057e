/** Why one line of a quote has no price. The other lines are not touched by it. */
export class QuoteError extends Error {
    override readonly name = 'QuoteError';
    readonly code: string;

    constructor(code: string, message: string) {
        super(message);
        this.code = code;
    }
}
