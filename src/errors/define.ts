export type Json =
    | string
    | number
    | boolean
    | null
    | undefined
    | readonly Json[]
    | { readonly [key: string]: Json };

/** 1 held, 2 bad usage, config or rules, 70 a defect, 75 try again later. 0 is never an error. */
export type ExitCode = 1 | 2 | 70 | 75;

/** What a code means: its exit, its sentence with the numbers in it, and what to do about it. */
export interface ErrorDefinition<P> {
    readonly exit: ExitCode;
    readonly text: (params: P) => string;
    readonly remedy: (params: P) => string;
}

/** Declares one error code with the type of its parameters. */
export function defineError<P>(
    exit: ExitCode,
    text: (params: P) => string,
    remedy: (params: P) => string,
): ErrorDefinition<P> {
    return { exit, text, remedy };
}
