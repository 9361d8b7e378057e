import { RunError } from '../errors/index.ts';

/**
 * Columns are those of a contract, each as `name type`, in its order.
 * @throws RunError CONTRACT_MISMATCH with what is on one side alone
 */
export function requireColumns(
    { stage, check }: { readonly stage: string; readonly check: string },
    expected: readonly string[],
    actual: readonly string[],
): void {
    if (expected.join() === actual.join()) return;
    const differs = (one: readonly string[], other: readonly string[]) =>
        one.filter((column, index) => column !== other[index]).join(', ') || 'nothing more';
    throw new RunError('CONTRACT_MISMATCH', {
        ...{ stage, check },
        expected: differs(expected, actual),
        actual: differs(actual, expected),
    });
}
