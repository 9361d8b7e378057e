import type { Grant } from '../compile/grants.ts';
import { isEnded, type TimeSpan } from '../compile/windows.ts';
import type { GrantText } from '../schema/contract.ts';
import { forever, formatInstant } from '../time/instant.ts';
import type { PlaceOf, Within } from './commitments.ts';
import type { Problems } from './problems.ts';
import { readInstant } from './rate.ts';

/** Reads a grant; null when anything of it cannot be meant. */
export function readGrant(
    text: GrantText,
    within: Within,
    placeOf: PlaceOf,
    problems: Problems,
): Grant | null {
    const before = problems.list.length;
    const wrong: Wrong = (key, code, what, remedy) =>
        problems.add(placeOf([key]), code, `grant ${text.grant}: ${what}`, { remedy });
    const span = text.every === 'once' ? readSpan(text, within, placeOf, problems, wrong) : within;
    lintEvery(text, wrong);
    const { grant, amount, every, months, priority, cost_basis, products, rollover } = text;
    if (every === 'once' && rollover !== undefined && span && !isEnded(span)) {
        const remedy = 'Give it a `to`, or take rollover out.';
        wrong('rollover', 'GRANT_SPAN', 'it never ends, so nothing of it rolls over', remedy);
    }
    if (!span || problems.list.length > before) return null;
    return {
        ...{ grant, amount, every, from: span.from, to: span.to, priority, cost_basis, products },
        asset: text.asset ?? null,
        months: months ?? null,
        rollover: rollover ?? null,
        product: text.product,
        description: text.description ?? `Grant ${grant} of contract ${within.contract}`,
        line: placeOf([]).line,
    };
}

type Wrong = (key: keyof GrantText, code: string, what: string, remedy: string) => void;

/** A grant is given within its contract; it may say that it lasts longer. */
function readSpan(
    { from, to }: GrantText,
    within: Within,
    placeOf: PlaceOf,
    problems: Problems,
    wrong: Wrong,
): TimeSpan | null {
    const start =
        from === undefined ? within.from : readInstant('from', from, placeOf(['from']), problems);
    const end = to === undefined ? within.to : readInstant('to', to, placeOf(['to']), problems);
    if (start === null || end === null) return null;
    if (start < within.from || start >= within.to) {
        wrong(
            'from',
            'GRANT_SPAN',
            `it begins at ${formatInstant(start)}, and contract ${within.contract} is from ${formatInstant(within.from)}${within.to === forever ? '' : ` to ${formatInstant(within.to)}`}`,
            'Let it begin while the contract is in force.',
        );
    } else if (start >= end) {
        const said = `it ends at ${formatInstant(end)}, and begins at ${formatInstant(start)}`;
        wrong(to === undefined ? 'from' : 'to', 'EMPTY_SPAN', said, 'Let it end after it begins.');
    }
    return { from: start, to: end };
}

/** Keys that only one of the two ways to give has. */
function lintEvery({ every, from, to, months }: GrantText, wrong: Wrong): void {
    if (every === 'once') {
        if (months === undefined) return;
        const remedy = 'Write its `to`, or let it be given anew by `every`.';
        wrong('months', 'GRANT_EVERY', 'months are of a grant that is given anew', remedy);
        return;
    }
    const key = from === undefined ? 'to' : 'from';
    if (from === undefined && to === undefined) return;
    wrong(
        key,
        'GRANT_EVERY',
        `it is given anew every ${every}, for its window`,
        `Take ${key} out: it is given while the contract is in force, and lasts so many months.`,
    );
}
