import { type Amount, absolute, add, compare, parseAmount } from '../money/amount.ts';

/** What is known of a line by whoever cuts an invoice. */
export interface Cutting<T> {
    /** Lines that one invoice of the target takes. */
    readonly limit: number;
    readonly accountOf: (line: T) => string;
    readonly amountOf: (line: T) => Amount;
}

/**
 * Cuts the lines of an invoice into parts that are invoices of their own, of which none is below zero, unless
 * the whole is (then none is above). Else what a wallet or grant has paid would be billed by one part, and
 * given back by another later. In order where that does, else account by account, else with all that is
 * taken off beside the largest charges.
 * @returns null where none of these does: the invoice can't be cut
 */
export function cutLines<T>(
    lines: readonly T[],
    { limit, accountOf, amountOf }: Cutting<T>,
): readonly (readonly T[])[] | null {
    const zero = parseAmount('0');
    const sumOf = (of: readonly T[]) => of.map(amountOf).reduce(add, zero);
    const isBelow = compare(sumOf(lines), zero) < 0;
    const isFair = (parts: readonly (readonly T[])[]) =>
        parts.every((part) => {
            const sign = compare(sumOf(part), zero);
            return isBelow ? sign <= 0 : sign >= 0;
        });
    const isAgainst = (line: T) => {
        const sign = compare(amountOf(line), zero);
        return isBelow ? sign > 0 : sign < 0;
    };
    const ways = [
        () => chunks(lines, limit),
        () => filled([...Map.groupBy(lines, accountOf).values()], limit),
        () => {
            const against = lines.filter(isAgainst);
            const room = Math.max(limit - against.length, 0);
            const large = lines
                .filter((line) => !isAgainst(line))
                .sort((a, b) => compare(absolute(amountOf(b)), absolute(amountOf(a))))
                .slice(0, room);
            const first = new Set([...against, ...large]);
            const rest = lines.filter((line) => !first.has(line));
            return [lines.filter((line) => first.has(line)), ...chunks(rest, limit)];
        },
    ];
    for (const way of ways) {
        const parts = way();
        if (isFair(parts) && parts.every(({ length }) => length <= limit)) return parts;
    }
    return null;
}

/** Lines in their order, so many at a time. */
export const chunks = <T>(lines: readonly T[], limit: number): readonly (readonly T[])[] =>
    Array.from({ length: Math.ceil(lines.length / limit) }, (_, at) =>
        lines.slice(at * limit, (at + 1) * limit),
    );

/** Groups one after the other, a new part where one does not fit any more. */
function filled<T>(groups: readonly (readonly T[])[], limit: number): readonly (readonly T[])[] {
    const parts: T[][] = [];
    for (const group of groups) {
        const last = parts.at(-1);
        if (last && last.length + group.length <= limit) last.push(...group);
        else parts.push([...group]);
    }
    return parts;
}

/** Why an invoice that can't be cut stays here. */
export const uncutText = (count: number, limit: number) =>
    `its ${count} lines need several invoices of at most ${limit}, and whichever way they are cut, one bills what another gives back`;
