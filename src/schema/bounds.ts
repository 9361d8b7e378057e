import { compare, parseAmount } from '../money/amount.ts';

/** What is wrong with the bounds of tiers or steps, and at which of them, from 0. */
export interface BoundProblem {
    readonly index: number;
    readonly code: 'TIERS_EMPTY' | 'TIERS_BOUNDED' | 'TIERS_ORDER';
    readonly message: string;
    readonly remedy: string;
}

/**
 * The law of bounds, in the same words wherever tiers are written. Where each one begins is where
 * the one before it ends: so there is no gap between bounds that rise.
 */
export function boundProblems(
    what: 'tiers' | 'steps',
    bounds: readonly (string | null | undefined)[],
): readonly BoundProblem[] {
    const one = what.slice(0, -1);
    if (bounds.length === 0) {
        const remedy = `Write at least one ${one}, without up_to.`;
        return [{ index: 0, code: 'TIERS_EMPTY', message: `there are no ${what}`, remedy }];
    }
    const problems: BoundProblem[] = [];
    const last = bounds.at(-1);
    if (last != null) problems.push(boundedLast(what, bounds.length - 1, last));
    let floor = '0';
    bounds.slice(0, -1).forEach((up_to, index) => {
        const wrong = (message: string, remedy: string) =>
            problems.push({ index, code: 'TIERS_ORDER', message, remedy });
        if (up_to == null) {
            wrong(
                `${one} ${index + 1} is open, and is not the last`,
                'Give it an up_to, or move it to the end.',
            );
        } else if (compare(parseAmount(up_to), parseAmount(floor)) <= 0) {
            wrong(
                `${one} ${index + 1} ends at ${up_to}, which is not above ${floor}, where it begins`,
                `Write the ${what} in the order of their bounds; up_to counts from zero.`,
            );
        } else {
            floor = up_to;
        }
    });
    return problems;
}

/** A last tier or step that ends. */
export function boundedLast(what: 'tiers' | 'steps', index: number, up_to: string): BoundProblem {
    const one = what.slice(0, -1);
    return {
        ...{ index, code: 'TIERS_BOUNDED' },
        message: `the last ${one} ends at ${up_to}, and nothing prices what is above it`,
        remedy: `Leave up_to out of the last ${one}, or add one without it.`,
    };
}
