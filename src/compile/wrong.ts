/** Takes one thing that is wrong, at a path of the config. */
export type Wrong = (
    path: readonly (string | number)[],
    code: string,
    message: string,
    remedy?: string,
) => unknown;

/** Reports what `work` throws as an expression that cannot be used. */
export function attempt(
    wrong: Wrong,
    path: readonly (string | number)[],
    work: () => unknown,
): void {
    try {
        work();
    } catch (error) {
        wrong(path, 'BAD_EXPRESSION', error instanceof Error ? error.message : String(error));
    }
}
