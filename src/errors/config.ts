import { defineError } from './define.ts';

/** One thing wrong in a file that a person wrote. Line and column count from 1. */
export interface FileProblem {
    readonly code: string;
    readonly file: string;
    readonly line: number;
    readonly path?: string;
    readonly message: string;
    readonly remedy?: string;
}

/** The shape every list of problems is printed in: `file:line: CODE message`. */
export function printProblem(problem: FileProblem): string {
    const path = problem.path ? ` (${problem.path})` : '';
    const remedy = problem.remedy ? `\n    ${problem.remedy}` : '';
    return `${problem.file}:${problem.line}: ${problem.code} ${problem.message}${path}${remedy}`;
}

/** `1 problem`, `2 problems`: a message counts as people do. */
export function counting(count: number, one: string, many = `${one}s`): string {
    return `${count} ${count === 1 ? one : many}`;
}

/** In the order in which a person goes through a file. */
const list = (problems: readonly FileProblem[]) =>
    [...problems]
        .sort((one, other) => (one.file === other.file ? one.line - other.line : 0))
        .map(printProblem)
        .join('\n');

/** Errors in what people write: the command line, the config, accounts, assets, rate cards. */
export const configErrors = {
    USAGE: defineError<{ detail: string; remedy?: string }>(
        2,
        (p) => p.detail,
        (p) => p.remedy ?? 'See `tieout --help`.',
    ),
    CONFIG_NOT_FOUND: defineError<{ searched: string; isNamed: boolean }>(
        2,
        (p) =>
            p.isNamed
                ? `--config ${p.searched} is not a file`
                : `no tieout.yaml in ${p.searched} or any folder above it`,
        (p) =>
            p.isNamed
                ? 'Name a file that exists; a relative path starts at the current folder.'
                : 'Run `tieout init DIR`, or name the file with --config.',
    ),
    CONFIG_INVALID: defineError<{ problems: readonly FileProblem[] }>(
        2,
        (p) =>
            `${counting(p.problems.length, 'problem')} in the configuration\n${list(p.problems)}`,
        () => 'Correct them all and run again; `tieout doctor` checks without running.',
    ),
    NAMES_INVALID: defineError<{ problems: readonly FileProblem[] }>(
        2,
        (p) =>
            `${counting(p.problems.length, 'problem')} in the names of targets\n${list(p.problems)}`,
        () => 'Correct them all and run again; nothing was sent.',
    ),
    ACCOUNTS_INVALID: defineError<{ problems: readonly FileProblem[] }>(
        2,
        (p) => `${counting(p.problems.length, 'problem')} in the accounts\n${list(p.problems)}`,
        () => 'Correct the accounts file and run again; nothing was metered.',
    ),
    RULES_INVALID: defineError<{ problems: readonly FileProblem[] }>(
        2,
        (p) => `${counting(p.problems.length, 'problem')} in the rate card\n${list(p.problems)}`,
        () =>
            'Correct them all and run `tieout rules check`; no run starts with a rate card like this.',
    ),
    CONTRACTS_INVALID: defineError<{ problems: readonly FileProblem[] }>(
        2,
        (p) =>
            `${counting(p.problems.length, 'problem')} in the contracts and what they name\n${list(p.problems)}`,
        () => 'Correct them all and run `tieout rules check`; nothing was metered.',
    ),
    SPECS_INVALID: defineError<{ problems: readonly FileProblem[] }>(
        2,
        (p) =>
            `${counting(p.problems.length, 'problem')} in the worked examples\n${list(p.problems)}`,
        () => 'Correct the examples and run `tieout rules test` again; the card itself is read.',
    ),
    RULES_SPEC_FAILED: defineError<{ problems: readonly FileProblem[] }>(
        1,
        (p) =>
            `${counting(p.problems.length, 'worked example does', 'worked examples do')} not come out\n${list(p.problems)}`,
        () => 'Either the card or the example is wrong: decide which, and change that one.',
    ),
    STATE_UNUSABLE: defineError<{ folder: string; detail: string }>(
        2,
        (p) => `${p.folder} cannot be made or written: ${p.detail}`,
        () => 'Check `state` in tieout.yaml, and who may write there.',
    ),
    PERIOD_INVALID: defineError<{ period: string; detail: string }>(
        2,
        (p) => `--period ${p.period}: ${p.detail}`,
        () => 'Name a month that has begun, written as 2026-10.',
    ),
};
