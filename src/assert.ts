import type { Json } from './errors/define.ts';

/** A broken promise of our own code. It is never raised for bad data: data gets a row and a code. */
export class InvariantError extends Error {
    override readonly name = 'InvariantError';
    readonly code: string;
    readonly values: Readonly<Record<string, Json>>;

    constructor(code: string, values: Readonly<Record<string, Json>>) {
        super(`${code} ${JSON.stringify(values)}`);
        this.code = code;
        this.values = values;
    }
}

/**
 * States something that must hold whatever the input. A failure is a defect: exit code 70.
 * @throws InvariantError with the values that broke it.
 */
export function invariant(
    holds: boolean,
    code: string,
    values: Readonly<Record<string, Json>> = {},
): asserts holds {
    if (!holds) throw new InvariantError(code, values);
}
