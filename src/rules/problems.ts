import type { FileProblem } from '../errors/index.ts';
import type { Place } from './card.ts';

/** Collects problems, so that a person sees all of them at once. */
export class Problems {
    readonly list: FileProblem[] = [];

    /** Notes a problem at a place. */
    add(
        at: Place,
        code: string,
        message: string,
        more: { path?: string; remedy?: string } = {},
    ): void {
        this.list.push({ code, file: at.file, line: at.line, message, ...more });
    }
}

/** In the order in which a person goes through files: by file, line, code. */
export function inFileOrder(problems: readonly FileProblem[]): readonly FileProblem[] {
    const text = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
    return [...problems].sort(
        (one, other) =>
            text(one.file, other.file) || one.line - other.line || text(one.code, other.code),
    );
}
