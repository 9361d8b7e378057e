import { expect, test } from 'vitest';
import {
    type Answer,
    answerOf,
    answerText,
    differences,
    parseAnswer,
    type SqlRow,
    tenMillionths,
} from '../../scripts/bench/answer.ts';

test.each([
    ['0.000001', 'dollars', 10n],
    ['12.5', 'dollars', 125_000_000n],
    ['-3', 'dollars', -30_000_000n],
    ['61.873103700000000000000000', 'dollars', 618_731_037n],
    ['61873103.70', 'millionths', 618_731_037n],
] as const)('%s %s are %s ten-millionths of a dollar', (text, of, expected) => {
    expect(tenMillionths(text, of)).toBe(expected);
});

test('an amount that has more digits is refused, not cut', () => {
    expect(() => tenMillionths('0.00000001', 'dollars')).toThrow(/no whole ten-millionths/);
});

const row = (account: string, rated: string, of: Partial<SqlRow> = {}): SqlRow => ({
    ...{ account, rated, debited: '0.000001', events: 1n, metered: 1, fresh: '7', cached: null },
    ...{ output: 0, entries: '1', agreed: 0, undebited: 0, undebited_amount: null, unused: 0 },
    unused_amount: null,
    ...of,
});

test('rows of any engine become one answer, ordered by account', () => {
    const [first, second] = answerOf([row('b', '1.5'), row('a', '0.1')]);
    expect(first).toMatchObject({ account: 'a', rated: 1n, debited: 10n, difference: -9n });
    expect(second).toMatchObject({ account: 'b', rated: 15n, fresh: 7n, cached: 0n });
});

test('an answer is the same after it was written and read', () => {
    const answer = answerOf([row('a', '0.1')]);
    expect(parseAnswer(answerText(answer))).toEqual(answer);
});

test('a last digit that differs, and an account of one side only, are told', () => {
    const [here, there] = [answerOf([row('a', '0.1')]), answerOf([row('a', '0.2'), row('b', '1')])];
    expect(differences(here, there)).toEqual([
        'a: rated is 2 instead of 1',
        'a: difference is -8 instead of -9',
        'b is in one answer only',
    ]);
    expect(differences(here, here)).toEqual([]);
});

test('of what only one of two says nothing is compared', () => {
    const full = answerOf([row('a', '0.1')]);
    const night: Answer = [{ account: 'a', rated: 1n, debited: 10n, difference: -9n }];
    expect(differences(night, full)).toEqual([]);
    expect(differences(full, night)).toEqual([]);
});
