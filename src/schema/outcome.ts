import type { Certificate } from './certificate.ts';

/** The run that a command made, found or closed. */
export interface RunNews {
    readonly run_id: string;
    readonly run_digest: string;
    /** It had finished before, and nothing was done. */
    readonly is_reused: boolean;
    /** Null where the command did not look at it. */
    readonly certificate: Certificate | null;
}

/** What a command came to, for those who were not there: notices and telemetry. */
export interface Outcome {
    /** As it was typed: `run`, `rules check`. */
    readonly command: string;
    readonly period: string | null;
    readonly exit: number;
    readonly error: {
        readonly code: string;
        readonly message: string;
        readonly remedy: string;
    } | null;
    readonly run: RunNews | null;
}

export type OutcomeResult = 'finished' | 'held' | 'failed';

/** Held is an answer, not an error: all work was done, and lines of some payers wait. */
export function resultOf({ exit, error }: Pick<Outcome, 'exit' | 'error'>): OutcomeResult {
    if (error || exit > 1) return 'failed';
    return exit === 1 ? 'held' : 'finished';
}
