import { describe, expect, test } from 'vitest';
import { cutLines } from '../../../src/export/parts.ts';
import { formatAmount, parseAmount } from '../../../src/money/amount.ts';

/** `a 10` is a line of account a; at most three lines are one invoice. */
const cut = (lines: string) => {
    const all = lines.split(', ');
    const amountOf = (line: string) => parseAmount(line.split(' ')[1] ?? '');
    const accountOf = (line: string) => line.split(' ')[0] ?? '';
    const parts = cutLines(all, { limit: 3, accountOf, amountOf });
    // Whatever the way, each line is in one part, and none is too long.
    if (parts) expect(parts.flat().sort()).toEqual(all.toSorted());
    for (const part of parts ?? []) expect(part.length).toBeLessThanOrEqual(3);
    return parts?.map((part) => part.join(', ')) ?? null;
};

describe('an invoice with more lines than one takes', () => {
    test.each<[string, string, readonly string[] | null]>([
        ['fits', 'a 1, a 2, a -3', ['a 1, a 2, a -3']],
        ['nothing at all', 'a 0', ['a 0']],
        [
            'in order, where no part is below zero',
            'a 1, a 2, b 3, b -1, c 5',
            ['a 1, a 2, b 3', 'b -1, c 5'],
        ],
        [
            'by account: what was paid stays with what it paid for',
            'a 5, a -5, b 5, b -5, c 1',
            ['a 5, a -5', 'b 5, b -5, c 1'],
        ],
        [
            'all that is taken off beside the largest charges',
            'a 1, a 9, a 8, a 2, a -16',
            ['a 9, a 8, a -16', 'a 1, a 2'],
        ],
        ['what was paid is larger than any part of it: not at all', 'a 5, a 5, a 5, a -15', null],
        ['more is taken off than fits beside it', 'a 9, a -2, a -2, a -2, a -2', null],
        [
            'below zero in all: no part is above',
            'a -1, a -2, a -4, a 4, a -3',
            ['a -4, a 4, a -3', 'a -1, a -2'],
        ],
    ])('%s', (_, lines, parts) => {
        expect(cut(lines)).toEqual(parts);
    });

    test('whatever is cut, what is billed is never more than the whole', () => {
        // A fixed walk through many signs and sizes.
        let seed = 7;
        const next = (below: number) => {
            seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
            return seed % below;
        };
        let count = 0;
        for (let round = 0; round < 300; round += 1) {
            const lines = Array.from({ length: 1 + next(12) }, () => {
                const amount = (next(40) - 12) / 4;
                return { account: `${next(3)}`, amount: parseAmount(String(amount)) };
            });
            const sum = (of: typeof lines) =>
                of.reduce((all, { amount }) => all + Number(formatAmount(amount)), 0);
            const parts = cutLines(lines, {
                ...{ limit: 4, accountOf: ({ account }) => account },
                amountOf: ({ amount }) => amount,
            });
            if (parts === null) continue;
            count += 1;
            const whole = sum(lines);
            const billed = parts.map((of) => sum(of as typeof lines));
            expect(billed.reduce((all, of) => all + Math.abs(of), 0)).toBe(Math.abs(whole));
            expect(new Set(parts.flat())).toEqual(new Set(lines));
        }
        expect(count).toBeGreaterThan(200);
    });
});
