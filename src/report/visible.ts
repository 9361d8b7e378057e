/** Invisible but meaningful in writing: the joiners of Persian, Indic scripts and emoji. */
const JOINERS = new Set(['\u200c', '\u200d']);
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text with every character that a reader can't see made visible: controls (a line break is `\n`,
 * an ANSI escape starts with `\u{1B}`), bidi marks and overrides, zero-width spaces, tags, lone
 * surrogates. What is left can neither move the cursor nor reorder its neighbours.
 */
export function visible(text: string): string {
    return text.replace(UNSEEN, (found) => {
        if (JOINERS.has(found)) return found;
        return SHORT[found] ?? `\\u{${found.codePointAt(0)!.toString(16).toUpperCase()}}`;
    });
}

/** Visible text of at most `limit` characters; what was cut is said as a count. */
export function clipped(text: string, limit: number): string {
    // Cut before the escape as well, so that a huge name costs no more than a short one.
    const shown = [...visible([...text.slice(0, limit * 2)].slice(0, limit).join(''))];
    const isWhole = text.length <= limit * 2 && [...text].length <= limit;
    if (isWhole && shown.length <= limit) return shown.join('');
    return `${shown.slice(0, limit).join('')}… (${text.length} characters)`;
}
