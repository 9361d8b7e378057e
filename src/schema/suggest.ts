/**
 * Edits between two words: insert, delete, replace, or swap of neighbours. Stops caring beyond what
 * a typo can be, so a long list of names stays cheap.
 */
function distance(one: string, other: string): number {
    let before: number[] = [];
    let last = Array.from({ length: other.length + 1 }, (_, index) => index);
    for (let i = 1; i <= one.length; i += 1) {
        const row = [i];
        for (let j = 1; j <= other.length; j += 1) {
            const isSame = one[i - 1] === other[j - 1];
            let best = Math.min(
                (last[j] ?? 0) + 1,
                (row[j - 1] ?? 0) + 1,
                (last[j - 1] ?? 0) + (isSame ? 0 : 1),
            );
            const isSwap = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
            if (i > 1 && j > 1 && isSwap) best = Math.min(best, (before[j - 2] ?? 0) + 1);
            row.push(best);
        }
        before = last;
        last = row;
    }
    return last[other.length] ?? 0;
}

/** The known word that `word` was most likely meant to be; undefined when none is near. */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
    const allowed = word.length < 4 ? 1 : word.length < 8 ? 2 : 3;
    const lower = word.toLowerCase();
    let nearest: { readonly name: string; readonly edits: number } | undefined;
    for (const name of known) {
        if (Math.abs(name.length - word.length) > allowed) continue;
        const edits = distance(lower, name.toLowerCase());
        if (edits <= allowed && edits < (nearest?.edits ?? allowed + 1)) nearest = { name, edits };
    }
    return nearest?.name;
}

/** How many words a person looks through, and how many of more than that are named. */
const shown = { all: 10, likest: 5 } as const;

/** `Did you mean "x"?`, or what is known when nothing is near: of many words those most like it. */
export function didYouMean(word: string, known: readonly string[]): string {
    const name = nearestWord(word, known);
    if (name !== undefined) return `Did you mean "${name}"?`;
    if (known.length === 0) return 'None is known here.';
    if (known.length <= shown.all) return `Known here: ${known.join(', ')}.`;
    const unlike = (of: string) => distance(word, of) / Math.max(word.length, of.length);
    const likest = [...known].sort((one, other) => unlike(one) - unlike(other));
    return `Known here, among others: ${likest.slice(0, shown.likest).join(', ')}.`;
}
