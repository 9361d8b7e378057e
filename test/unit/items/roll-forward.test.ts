import { describe, expect, test } from 'vitest';
import { rollForward } from '../../../src/items/roll-forward.ts';
import type { Break } from '../../../src/schema/break.ts';
import type { Item } from '../../../src/schema/item.ts';
import { breakItem } from '../../support/documents.ts';

/** A break by the letter of its id. */
const of = (letter: string, amount: string): Break =>
    breakItem({ break_id: letter.repeat(64), amount, money_amount: amount });

interface Night {
    readonly period?: string;
    readonly on: string;
    readonly breaks: readonly Break[];
    readonly before?: readonly Item[];
    readonly carried?: readonly Item[];
    readonly tolerance?: string;
}

function follow({
    period = '2026-10',
    on,
    breaks,
    before = [],
    carried = [],
    tolerance = '0',
}: Night) {
    const as_of = `${on}T00:00:00Z`;
    const tolerances = new Map([['USD', tolerance]]);
    return rollForward({ period, run_id: `run ${on}`, as_of, breaks, before, carried, tolerances });
}

/** `2026-10 a 5 since 10-02 cleared 10-04 gone`, an item a line. */
const told = (items: readonly Item[]) =>
    items.map(({ period, break_id, amount, first_seen_at, cleared_at, cleared_by }) => {
        const cleared = cleared_at ? ` cleared ${cleared_at.slice(5, 10)} ${cleared_by}` : '';
        return `${period} ${break_id[0]} ${amount} since ${first_seen_at.slice(5, 10)}${cleared}`;
    });

describe('from night to night', () => {
    const first = follow({ on: '2026-10-02', breaks: [of('b', '2'), of('a', '5')] });

    test('what is new was first seen tonight', () => {
        expect(told(first)).toEqual(['2026-10 a 5 since 10-02', '2026-10 b 2 since 10-02']);
    });

    test('what stays keeps its first night and run, what is gone is cleared once, what comes back is open', () => {
        const second = follow({ on: '2026-10-03', breaks: [of('a', '6')], before: first });
        expect(told(second)).toEqual([
            '2026-10 a 6 since 10-02',
            '2026-10 b 2 since 10-02 cleared 10-03 gone',
        ]);
        expect(second[0]).toMatchObject({
            first_seen_run: 'run 2026-10-02',
            last_seen_at: '2026-10-03T00:00:00Z',
        });
        const third = follow({ on: '2026-10-04', breaks: [of('b', '2')], before: second });
        expect(told(third)).toEqual([
            '2026-10 a 6 since 10-02 cleared 10-04 gone',
            '2026-10 b 2 since 10-02',
        ]);
        const fourth = follow({ on: '2026-10-05', breaks: [of('b', '2')], before: third });
        expect(told(fourth)).toEqual(told(third));
    });
});

describe('from month to month', () => {
    const october = follow({ on: '2026-11-01', breaks: [of('a', '5'), of('b', '2.0004')] });
    const november = (over: Partial<Night>) =>
        follow({
            period: '2026-11',
            on: '2026-11-04',
            breaks: [],
            carried: october,
            ...over,
        });

    test('open items are carried on; cleared ones are not', () => {
        expect(told(november({}))).toEqual([
            '2026-10 a 5 since 11-01',
            '2026-10 b 2.0004 since 11-01',
        ]);
        const cleared = follow({ on: '2026-11-02', breaks: [of('a', '5')], before: october });
        expect(told(november({ carried: cleared }))).toEqual(['2026-10 a 5 since 11-01']);
    });

    test.each([
        ['the other side takes it to zero', '-5', '0', true],
        ['no further than tolerance allows', '-4.9', '0.1', true],
        ['one that leaves more stays, on both sides', '-4.9', '0.05', false],
    ])('%s', (_, amount, tolerance, isCleared) => {
        const breaks = [of('a', amount)];
        const items = november({ breaks, tolerance });
        const cleared = isCleared ? ' cleared 11-04 offset' : '';
        expect(told(items)).toEqual([
            `2026-10 a 5 since 11-01${cleared}`,
            '2026-10 b 2.0004 since 11-01',
            `2026-11 a ${amount} since 11-04${cleared}`,
        ]);
        // The night after says the same, as of the night that saw it.
        const next = november({ on: '2026-11-05', breaks, tolerance, before: items });
        expect(told(next)).toEqual(told(items));
        const december = { period: '2026-12', on: '2026-12-02', breaks: [], carried: next };
        expect(told(follow(december))).toHaveLength(isCleared ? 1 : 3);
    });

    test('two breaks of form come to nothing, and clear nothing', () => {
        const form = follow({ on: '2026-11-01', breaks: [of('c', '0')] });
        const items = november({ carried: form, breaks: [of('c', '0')] });
        expect(items.map(({ cleared_at }) => cleared_at)).toEqual([null, null]);
    });

    test('one that its own month finds no more is gone here as well', () => {
        const before = november({});
        const carried = follow({ on: '2026-11-05', breaks: [of('a', '5')], before: october });
        expect(told(november({ on: '2026-11-05', before, carried }))).toEqual([
            '2026-10 a 5 since 11-01',
            '2026-10 b 2.0004 since 11-01 cleared 11-05 gone',
        ]);
    });
});
