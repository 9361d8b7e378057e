import type { Progress } from '../effects.ts';

/** A part of a command, as its progress was shown. Milliseconds since 1970. */
export interface Part {
    readonly name: string;
    readonly began: number;
    /** Null when the command ended within it. */
    ended: number | null;
}

/** A progress that also notes when each part began and ended. Telemetry is made of that, at the end. */
export function notingParts(
    progress: Progress,
    clock: () => number,
): { readonly progress: Progress; readonly parts: readonly Part[] } {
    const parts: Part[] = [];
    return {
        parts,
        progress: {
            begin(name, total) {
                parts.push({ name, began: clock(), ended: null });
                progress.begin(name, total);
            },
            advance: (amount, detail) => progress.advance(amount, detail),
            end(detail) {
                const part = parts.at(-1);
                if (part) part.ended = clock();
                progress.end(detail);
            },
        },
    };
}
