import type { FileProblem } from '../errors/index.ts';
import { compare, parseAmount } from '../money/amount.ts';
import { didYouMean } from '../schema/suggest.ts';
import { formatInstant, type Instant } from '../time/instant.ts';
import type { Contract } from './contracts.ts';
import { type HolderOpening, isZero, type Openings, toCorrect, toSay } from './openings.ts';
import { isFiner, type Worth } from './worth.ts';

/** A commitment or balance of a contract, and whether it had begun before the period. */
export interface Opened {
    readonly kind: 'commitment' | 'grant';
    /** Its id within the contract. */
    readonly holder: string;
    readonly begins: Instant;
    readonly isBefore: boolean;
    /** Where it is written. */
    readonly line: number;
}

/** What the openings say of a commitment or balance; zero where it had not begun. */
export function openingOf(openings: Openings, contract: Contract, of: Opened): string {
    return of.isBefore ? (rowOf(openings, contract, of)?.quantity ?? '0') : '0';
}

/**
 * Openings that are missing: of what had begun before the period. Those that nothing opens with: of
 * what begins in it, or of a balance that is not of this period. A zero that is said is always fine.
 */
export function openingProblems(
    file: string,
    openings: Openings,
    contract: Contract,
    all: readonly Opened[],
    start: Instant,
): readonly FileProblem[] {
    const unsaid = all
        .filter((of) => of.isBefore && !rowOf(openings, contract, of))
        .map((of) => missing(file, openings, contract, of, start));
    const begun = all
        .filter(({ isBefore }) => !isBefore)
        .flatMap((of) => {
            const row = rowOf(openings, contract, of);
            return row && !isZero(row) ? [notZero(openings, contract, of, row)] : [];
        });
    // What counted towards a commitment that has no window now is nothing any more; money left is.
    const known = all.filter(({ kind }) => kind === 'grant').map(({ holder }) => holder);
    const strangers = openings.grants
        .filter((row) => row.contract === contract.contract && !isZero(row))
        .filter(({ holder }) => !known.includes(holder))
        .map((row) => stranger(openings, row, known));
    return [...unsaid, ...begun, ...strangers];
}

/** What is smaller than the last decimal of an asset can't have been left of it. */
export function fineOpening(
    openings: Openings,
    contract: Contract,
    of: Opened,
    { asset, precision }: Worth,
): readonly FileProblem[] {
    const row = of.isBefore ? rowOf(openings, contract, of) : undefined;
    if (!row || !isFiner(row.quantity, precision)) return [];
    return [
        {
            code: 'OPENING_PRECISION',
            file: openings.file,
            line: row.line,
            message: `grant ${of.holder} of contract ${contract.contract} opens with ${row.quantity} ${asset}, which has ${precision} decimals`,
            remedy: toCorrect(openings, 'Write what was left in whole last decimals.'),
        },
    ];
}

/** More than was given can't have been left: a slip of the pen would give money away. */
export function givenOpening(
    openings: Openings,
    contract: Contract,
    of: Opened,
    given: string,
): readonly FileProblem[] {
    const row = of.isBefore ? rowOf(openings, contract, of) : undefined;
    if (!row || compare(parseAmount(row.quantity), parseAmount(given)) <= 0) return [];
    return [
        {
            code: 'OPENING_ABOVE',
            file: openings.file,
            line: row.line,
            message: `grant ${of.holder} of contract ${contract.contract} opens with ${row.quantity}, and ${given} were given`,
            remedy: toCorrect(openings, 'Write what was left of it: at most what was given.'),
        },
    ];
}

function rowOf(openings: Openings, { contract }: Contract, { kind, holder }: Opened) {
    const rows = kind === 'commitment' ? openings.commitments : openings.grants;
    return rows.find((of) => of.contract === contract && of.holder === holder);
}

function missing(
    file: string,
    openings: Openings,
    { contract }: Contract,
    { kind, holder, begins, line }: Opened,
    start: Instant,
): FileProblem {
    const what =
        kind === 'commitment'
            ? `what counted towards commitment ${holder}`
            : `what is left of grant ${holder}`;
    const before = begins < start ? `: it began at ${formatInstant(begins)}` : '';
    return {
        code: 'OPENING_MISSING',
        file,
        line,
        message: `nothing says ${what} of contract ${contract} before ${formatInstant(start)}${before}`,
        remedy: toSay(
            openings,
            `a row with contract ${contract}, ${kind} ${holder} and the quantity`,
        ),
    };
}

function notZero(
    openings: Openings,
    { contract }: Contract,
    { kind, holder, begins }: Opened,
    { line, quantity }: HolderOpening,
): FileProblem {
    return {
        code: 'OPENING_NOT_ZERO',
        file: openings.file,
        line,
        message: `${kind} ${holder} of contract ${contract} opens with ${quantity}, and it begins at ${formatInstant(begins)}, not before the period`,
        remedy: toCorrect(
            openings,
            'Take the row out, say which period it opens, or correct the begin in the contract.',
        ),
    };
}

function stranger(
    openings: Openings,
    { contract, holder, line, quantity }: HolderOpening,
    known: readonly string[],
): FileProblem {
    return {
        code: 'OPENING_UNKNOWN',
        file: openings.file,
        line,
        message: `grant ${holder} of contract ${contract} opens with ${quantity}, and it has no part in this period`,
        remedy: toCorrect(
            openings,
            `${didYouMean(holder, known)} Else take the row out, or say which period it opens.`,
        ),
    };
}
