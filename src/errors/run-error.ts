import { clickhouseErrors } from './clickhouse.ts';
import { configErrors } from './config.ts';
import type { ErrorDefinition, ExitCode } from './define.ts';
import { engineErrors } from './engine.ts';
import { serveErrors } from './serve.ts';
import { stateErrors } from './state.ts';
import { storeErrors } from './store.ts';

/** Every error code there is, with the type of its parameters. Each has an example in test/errors. */
export const catalogue = {
    ...{ ...storeErrors, ...configErrors, ...engineErrors, ...stateErrors },
    ...{ ...serveErrors, ...clickhouseErrors },
};

export type ErrorCode = keyof typeof catalogue;
export type ErrorParams<C extends ErrorCode> =
    (typeof catalogue)[C] extends ErrorDefinition<infer P> ? P : never;

/** An expected failure: a code, the numbers behind it, and a remedy. Printed whole, never a stack. */
export class RunError<C extends ErrorCode = ErrorCode> extends Error {
    override readonly name = 'RunError';
    readonly code: C;
    readonly params: ErrorParams<C>;
    readonly exit: ExitCode;
    readonly remedy: string;

    constructor(code: C, params: ErrorParams<C>, cause?: unknown) {
        const definition = catalogue[code] as unknown as ErrorDefinition<ErrorParams<C>>;
        super(definition.text(params), cause === undefined ? {} : { cause });
        this.code = code;
        this.params = params;
        this.exit = definition.exit;
        this.remedy = definition.remedy(params);
    }
}
