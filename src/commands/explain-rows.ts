import { counted } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import type { RowsFound } from '../run/moved-rows.ts';

/** Objects of a run whose rows are kept no more, or that something was erased from since. */
export type NotAsRead = Partial<RowsFound>;

/** Nothing is said of rows that are as the run read them. */
export const notAsRead = ({ lost, erased }: RowsFound): NotAsRead => ({
    ...(lost.length ? { lost } : {}),
    ...(erased.length ? { erased } : {}),
});

/** Why events may be missing, or have other names than those that were billed. */
export function notAsReadText({ lost = [], erased = [] }: NotAsRead): readonly string[] {
    const of = (keys: readonly string[]) => {
        const more = keys.length > 3 ? ', ...' : '';
        return `${counted(keys.length, 'object')} (${keys.slice(0, 3).map(visible).join(', ')}${more})`;
    };
    return [
        ...(lost.length ? [`           rows of ${of(lost)} are kept no more`] : []),
        ...(erased.length ? [`           identifiers were erased from ${of(erased)} since`] : []),
    ];
}
