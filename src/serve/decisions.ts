import { RunError } from '../errors/index.ts';
import { itemsOf, type Saying } from '../run/decide.ts';
import type { OpenItem, PayerStanding, Standing } from '../schema/item.ts';
import { seenKey, shortKey } from './keys.ts';
import { type Deed, deeds, OWNER_LIMIT, TEXT_LIMIT } from './work-form.ts';

/** What a form says of breaks. */
export interface SaidOfBreaks {
    readonly saying: Saying;
    /** How many breaks it is about. */
    readonly count: number;
    readonly deed: Deed;
}

/**
 * Reads what a form says of breaks, and whether they still are what was seen when it was filled in.
 * @throws RunError USAGE, SERVE_REFUSED, BREAK_NOT_FOUND, STANDING_CHANGED
 */
export function saidOfBreaks(form: URLSearchParams, standing: Standing, by: string): SaidOfBreaks {
    const deed = deeds.map(([of]) => of).find((of) => of === form.get('deed'));
    if (!deed) throw new RunError('SERVE_REFUSED', { why: 'form' });
    const picks = form.getAll('pick').map((pick) => pick.split('.'));
    if (picks.length === 0) {
        throw new RunError('USAGE', {
            detail: 'no break is selected',
            remedy: 'Go back and select those that it is about.',
        });
    }
    const ids = picks.map(([id = '']) => id);
    const items = itemsOf(standing, ids);
    requireAsSeen(standing, items, new Set(picks.map((pick) => pick.join('.'))));
    const [act = 'comment', value = ''] = deed.split('-') as [Saying['act'], string?];
    const owner = textOf(form, 'owner', OWNER_LIMIT);
    return {
        deed,
        count: items.length,
        saying: {
            ...{ act, ids, by, reason: textOf(form, 'reason', TEXT_LIMIT) },
            value: act === 'assign' ? owner : value,
            seen_run: form.get('run') ?? '',
        },
    };
}

function requireAsSeen(
    { period }: Standing,
    items: readonly OpenItem[],
    seen: ReadonlySet<string>,
): void {
    const other = items.filter((of) => !seen.has(`${of.break_id}.${seenKey(of)}`));
    const [first] = other;
    if (!first) return;
    const more = other.length > 1 ? ` and ${other.length - 1} more` : '';
    const detail = `${first.code} ${first.break_id.slice(0, 12)}${more} changed since`;
    throw new RunError('STANDING_CHANGED', { period, detail });
}

/** The text of a field, without space around it. @throws RunError USAGE when it is too long */
function textOf(form: URLSearchParams, field: string, limit: number): string {
    const text = (form.get(field) ?? '').trim();
    if (text.length <= limit) return text;
    throw new RunError('USAGE', {
        detail: `the ${field} has ${text.length} characters`,
        remedy: `Say it in ${limit}.`,
    });
}

/** A payer by what stands for it in an address. @throws RunError PAYER_NOT_FOUND */
export function payerBy({ payers, period }: Standing, key: string): PayerStanding {
    const payer = payers.find(({ payer_id }) => shortKey(payer_id) === key);
    if (payer) return payer;
    const known = payers.map(({ payer_id }) => payer_id);
    throw new RunError('PAYER_NOT_FOUND', { payer_id: key, period, known });
}

/** What a form says of the lines of a payer. @throws RunError USAGE, SERVE_REFUSED */
export function saidOfPayer(form: URLSearchParams): {
    readonly withdraw: boolean;
    readonly approve: boolean;
    readonly reason: string;
    readonly seenSha256: string;
} {
    const kind = form.get('kind');
    if (kind !== 'release' && kind !== 'withdraw' && kind !== 'approve') {
        throw new RunError('SERVE_REFUSED', { why: 'form' });
    }
    return {
        withdraw: kind === 'withdraw',
        approve: kind === 'approve',
        reason: textOf(form, 'reason', TEXT_LIMIT),
        seenSha256: form.get('seen') ?? '',
    };
}

/** What was done, in an address: a word and a number, never a text of strangers. */
export const doneMark = (deed: string, count: number) => `${deed}.${count}`;

const doneTexts: Readonly<Record<string, string>> = {
    assign: 'assigned',
    comment: 'commented on',
    'resolve-explained': 'resolved as explained',
    'resolve-accepted': 'resolved as accepted',
    'resolve-written_off': 'written off',
    reopen: 'opened again',
    approve: 'approved',
    propose: 'proposed: a second person has to approve it',
};

/** What was done, in words; null where an address says nothing that was. */
export function doneText(mark: string | undefined): string | null {
    const [, deed = '', count = ''] = /^([a-z_-]+)\.(\d{1,6})$/.exec(mark ?? '') ?? [];
    if (deed === 'release') return 'The lines are released. The log has it.';
    if (deed === 'propose-release') return 'The release waits for a second person. The log has it.';
    if (deed === 'withdraw') return 'The lines are held again. The log has it.';
    if (!Object.hasOwn(doneTexts, deed)) return null;
    const what = count === '1' ? '1 break was' : `${count} breaks were`;
    return `${what} ${doneTexts[deed]}. The log has it.`;
}

/** Where a form came from, of places that there are; else where it leads anyway. */
export function comeBack(form: URLSearchParams, otherwise: string): string {
    const back = form.get('back') ?? '';
    const isOwn = /^\/(periods\/\d{4}-\d\d(\/[a-z0-9]+){0,2}|log)?(\?[\w%&=.+*-]*)?$/.test(back);
    return isOwn && back !== '' ? back : otherwise;
}

/** An address that also says what was done. */
export function withMark(address: string, mark: string): string {
    return `${address}${address.includes('?') ? '&' : '?'}done=${mark}`;
}
