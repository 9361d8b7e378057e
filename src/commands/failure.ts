import { CommanderError } from 'commander';
import { InvariantError } from '../assert.ts';
import { catalogue, type ErrorCode, RunError } from '../errors/index.ts';
import { clipped, visible } from '../report/visible.ts';
import type { Outcome } from '../schema/outcome.ts';

/** A failure as it is told: to a person and to a machine. */
export interface Failure {
    readonly exit: number;
    readonly text: string;
    readonly json: unknown;
    /** Null where nothing failed: `--help`. */
    readonly error: Outcome['error'];
}

interface AnyDefinition {
    readonly text: (params: unknown) => string;
    readonly remedy: (params: unknown) => string;
}

/** In these the engine speaks, in lines of its own; the sentence takes the first or indents them. */
const engineWords: ReadonlySet<ErrorCode> = new Set([
    ...(['ENGINE_MEMORY', 'ENGINE_LOCKED', 'ENGINE_FAILED', 'RUN_DAMAGED'] as const),
    ...(['AMOUNT_OVERFLOW', 'EXPRESSION_INVALID'] as const),
]);

/** More of a name than this helps nobody who reads it on a terminal. */
const longest = 1_000;

/**
 * The sentence and the remedy of an error for a terminal. Names and lines of strangers are in it:
 * none of them may move the cursor, begin a line of its own, turn the text around or fill the screen.
 */
export function told({ code, params }: RunError): { message: string; remedy: string } {
    const clean = engineWords.has(code) ? visibleLines : (text: string) => clipped(text, longest);
    const shown = cleaned(params, clean);
    const { text, remedy } = catalogue[code] as unknown as AnyDefinition;
    return { message: text(shown), remedy: remedy(shown) };
}

function visibleLines(text: string): string {
    return text.split('\n').map(visible).join('\n');
}

function cleaned(value: unknown, clean: (text: string) => string): unknown {
    if (typeof value === 'string') return clean(value);
    if (Array.isArray(value)) return value.map((of) => cleaned(of, clean));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
        Object.entries(value).map(([name, of]) => [name, cleaned(of, clean)]),
    );
}

/** One failure in words: what, where, the numbers, and what to do. Never a stack for a person. */
export function failure(error: unknown): Failure {
    if (error instanceof RunError) {
        const { code, params, exit } = error;
        return failed(exit, code, told(error), params);
    }
    if (error instanceof CommanderError) return usage(error);
    const code = error instanceof InvariantError ? error.code : 'DEFECT';
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return failed(70, code, {
        message: `this is a defect of tieout\n${visibleLines(detail)}`,
        remedy: 'Keep the run folder and report it with this text.',
    });
}

function usage(error: CommanderError): Failure {
    if (error.exitCode === 0) return { exit: 0, text: '', json: null, error: null };
    const isHelp = error.code === 'commander.help';
    const said = visible(error.message.replace(/^error: /, '').replaceAll('\n', ' '));
    return failed(2, 'USAGE', {
        message: isHelp ? 'a command is missing' : said,
        remedy: 'See `tieout --help`.',
    });
}

function failed(
    exit: number,
    code: string,
    { message, remedy }: { readonly message: string; readonly remedy: string },
    params: unknown = {},
): Failure {
    return {
        exit,
        text: `${code}: ${message}\n  -> ${remedy}\n`,
        json: { error: { code, message, remedy, params, exit } },
        error: { code, message, remedy },
    };
}
