import { describe, expect, test } from 'vitest';
import { ageBucket, daysBetween } from '../../../src/items/age.ts';
import { needsSecond } from '../../../src/items/approval.ts';
import { standingOf } from '../../../src/items/standing.ts';
import type { PayerTotal } from '../../../src/schema/break.ts';
import type { Decision, Release } from '../../../src/schema/decision.ts';
import type { Item } from '../../../src/schema/item.ts';
import { breakItem, payerTotal } from '../../support/documents.ts';

const id = (letter: string) => letter.repeat(64);

function item(letter: string, over: Partial<Item> = {}): Item {
    const { code, break_key, payer_id, account_id, asset, first_at } = breakItem();
    return {
        ...{ break_id: id(letter), code, break_key, payer_id, account_id, asset, first_at },
        ...{ amount: '-20', money_amount: '-20', currency: 'USD' },
        period: '2026-10',
        first_seen_at: '2026-10-10T00:00:00Z',
        first_seen_run: 'first',
        last_seen_at: '2026-10-31T00:00:00Z',
        cleared_at: null,
        cleared_by: null,
        accepted_by: '',
        ...over,
    };
}

function decision(over: Partial<Decision>, letters = 'a', then = '-20'): Decision {
    return {
        ...{ number: 2, previous: '', kind: 'decide', period: '2026-10', run_id: 'first' },
        ...{ act: 'resolve', value: 'accepted', by: 'ada', reason: 'fine' },
        at: '2026-10-20T00:00:00Z',
        items: [...letters].map((of) => ({
            ...{ break_id: id(of), amount: then, money_amount: then },
        })),
        ...over,
    };
}

const held = (over: Partial<PayerTotal> = {}) =>
    payerTotal({ recon_status: 'held', break_money: '20', hold_limit: '10', ...over });

function stand(
    items: readonly Item[],
    {
        decisions = [],
        releases = [],
        payer = held(),
    }: {
        readonly decisions?: readonly Decision[];
        readonly releases?: readonly Release[];
        readonly payer?: PayerTotal;
    } = {},
) {
    const about = { period: '2026-10', run_id: 'last', as_of: '2026-10-31T00:00:00Z' };
    return standingOf({ ...about, items, payers: [payer], decisions, releases });
}

describe('an item', () => {
    test.each<[string, readonly Decision[], string]>([
        ['open while nobody said anything', [], 'open'],
        ['as it was resolved', [decision({ value: 'written_off' })], 'written_off'],
        ['the last word counts', [decision({}), decision({ value: 'explained' })], 'explained'],
        ['opened again', [decision({}), decision({ act: 'reopen', value: '' })], 'open'],
        ['a comment resolves nothing', [decision({ act: 'comment', value: '' })], 'open'],
        [
            'what was said of another month is not of this',
            [decision({ period: '2026-09' })],
            'open',
        ],
    ])('%s', (_, decisions, status) => {
        expect(stand([item('a')], { decisions }).items[0]?.status).toBe(status);
    });

    test('resolved at another amount it is open again, and says why', () => {
        const [one] = stand([item('a')], { decisions: [decision({}, 'a', '-19')] }).items;
        expect(one).toMatchObject({
            status: 'open',
            reopened_because: 'it was resolved at -19 and is -20 now',
        });
    });

    test('cleared is cleared, whatever was said', () => {
        const cleared = { cleared_at: '2026-10-25T00:00:00Z', cleared_by: 'gone' } as const;
        const [one] = stand([item('a', cleared)], { decisions: [decision({})] }).items;
        expect(one).toMatchObject({ status: 'cleared', age_days: 15, age_bucket: '8-30' });
    });

    test('accepted by a rule it is accepted, until a person opens it again', () => {
        const accepted = item('a', { accepted_by: 'cents' });
        expect(stand([accepted]).items[0]?.status).toBe('accepted');
        const decisions = [decision({ act: 'reopen', value: '' })];
        expect(stand([accepted], { decisions }).items[0]?.status).toBe('open');
    });

    test('keeps its owner and everything that was said, in order', () => {
        const decisions = [
            decision({ act: 'assign', value: 'bob', reason: '' }),
            decision({ act: 'comment', value: '', by: 'bob', reason: 'asked the gateway' }),
        ];
        const [one] = stand([item('a')], { decisions }).items;
        expect(one?.owner).toBe('bob');
        expect(one?.notes.map(({ act, by }) => `${by} ${act}`)).toEqual([
            'ada assign',
            'bob comment',
        ]);
    });

    describe('above the limit of one person', () => {
        const proposed = decision({ waits: true, value: 'written_off' });
        const approval = (over: Partial<Decision> = {}) =>
            decision({ number: 3, act: 'approve', value: '', by: 'bob', approves: 2, ...over });
        test.each<[string, readonly Decision[], string, boolean]>([
            ['a resolution waits, and nothing changes', [proposed], 'open', true],
            ['somebody else approves it', [proposed, approval()], 'written_off', false],
            ['nobody approves their own', [proposed, approval({ by: 'ADA ' })], 'open', true],
            [
                'an approval of another entry is none',
                [proposed, approval({ approves: 9 })],
                'open',
                true,
            ],
            [
                'what was resolved before stays so',
                [decision({ number: 1, value: 'explained' }), proposed],
                'explained',
                true,
            ],
            [
                'opened again, nothing waits any more',
                [proposed, decision({ act: 'reopen', value: '' })],
                'open',
                false,
            ],
        ])('%s', (_what, decisions, status, waits) => {
            const [one] = stand([item('a')], { decisions }).items;
            expect([one?.status, one?.proposed !== null]).toEqual([status, waits]);
        });

        test('at another amount it can be approved no more', () => {
            const decisions = [decision({ waits: true }, 'a', '-19')];
            const [one] = stand([item('a')], { decisions }).items;
            expect(one?.proposed?.changed).toBe('it was proposed at -19 and is -20 now');
        });

        test.each<
            [
                string,
                readonly Pick<Item, 'money_amount' | 'currency'>[],
                string | undefined,
                boolean,
            ]
        >([
            ['no limit', [{ money_amount: '9', currency: 'USD' }], undefined, false],
            ['up to it', [{ money_amount: '-10', currency: 'USD' }], '10', false],
            ['above it', [{ money_amount: '-10.01', currency: 'USD' }], '10', true],
            ['nobody knows the worth', [{ money_amount: null, currency: null }], '10', true],
            [
                'many that are above it together, without their signs',
                [
                    { money_amount: '6', currency: 'USD' },
                    { money_amount: '-6', currency: 'USD' },
                ],
                '10',
                true,
            ],
            [
                'each currency by itself',
                [
                    { money_amount: '6', currency: 'USD' },
                    { money_amount: '6', currency: 'EUR' },
                ],
                '10',
                false,
            ],
        ])('%s', (_what, items, limit, waits) => {
            expect(needsSecond(items, limit)).toBe(waits);
        });
    });

    test('open ones come first, the oldest of them first', () => {
        const old = item('c', { first_at: '2026-08-01T00:00:00Z' });
        const decisions = [decision({}, 'b')];
        const { items } = stand([item('a'), item('b'), old], { decisions });
        expect(items.map(({ break_id }) => break_id[0])).toEqual(['c', 'a', 'b']);
    });
});

describe('a payer', () => {
    const standing = (...of: Parameters<typeof stand>) => stand(...of).payers[0];

    test.each<[string, readonly Item[], PayerTotal, string]>([
        ['over its limit', [item('a')], held(), 'held'],
        ['not by what is resolved', [item('b')], held(), 'resolved'],
        ['up to its limit', [item('a', { money_amount: '-10' })], held(), 'resolved'],
        ['by one without a price', [item('a', { money_amount: null })], held(), 'held'],
        ['by one in another currency', [item('a', { currency: 'EUR' })], held(), 'held'],
        ['by usage without a price', [], held({ unrated_count: 1 }), 'held'],
        ['by a fee without a price', [], held({ unpriced_fee_count: 1 }), 'held'],
        [
            'not by what is carried from before',
            [item('a', { period: '2026-09' })],
            held(),
            'resolved',
        ],
        [
            'not by what is cleared',
            [item('a', { cleared_at: '2026-10-30T00:00:00Z' })],
            held(),
            'resolved',
        ],
        ['never where the run lets it go', [item('a')], payerTotal(), 'clear'],
    ])('is held %s', (_, items, payer, expected) => {
        expect(standing(items, { payer, decisions: [decision({}, 'b')] })?.standing).toBe(expected);
    });

    const now = standing([item('a')]);
    const released = (over: Partial<Release> = {}): Release => ({
        ...{ number: 3, previous: '', kind: 'release', period: '2026-10', run_id: 'first' },
        ...{ payer_id: 'acme', open_sha256: now?.open_sha256 ?? '', open_count: 1 },
        ...{ open_money: '20', currency: 'USD', unrated_count: 0 },
        ...{ by: 'ada', reason: 'agreed', at: '2026-10-21T00:00:00Z' },
        ...over,
    });

    test('is held where a run has breaks but no items of them: nobody can have resolved those', () => {
        const { payers } = stand([], { payer: held({ break_count: 3 }) });
        expect(payers.map(({ standing }) => standing)).toEqual(['held']);
    });

    test.each<[string, readonly Item[], readonly Release[], string]>([
        ['is released for what held it', [item('a')], [released()], 'released'],
        ['is held for anything more', [item('a'), item('b')], [released()], 'held'],
        ['is held when it comes to more', [item('a', { amount: '-21' })], [released()], 'held'],
        [
            'is held again when it is withdrawn',
            [item('a')],
            [released(), released({ kind: 'withdraw' })],
            'held',
        ],
        ['is not released with another', [item('a')], [released({ payer_id: 'other' })], 'held'],
        [
            'is not released for another month',
            [item('a')],
            [released({ period: '2026-09' })],
            'held',
        ],
    ])('%s', (_, items, releases, expected) => {
        expect(standing(items, { releases })?.standing).toBe(expected);
    });
});

test.each([
    ['2026-10-01T00:00:00Z', '2026-10-01T23:00:00Z', 0, '0-1'],
    ['2026-10-01T00:00:00Z', '2026-10-03T00:00:00Z', 2, '2-7'],
    ['2026-10-01T00:00:00Z', '2026-10-31T00:00:00Z', 30, '8-30'],
    ['2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z', 31, '31-60'],
    ['2026-10-01T00:00:00Z', '2026-12-30T00:00:00Z', 90, '61-90'],
    ['2026-10-01T00:00:00Z', '2026-12-31T00:00:00Z', 91, '90+'],
    ['2026-10-02T00:00:00Z', '2026-10-01T00:00:00Z', 0, '0-1'],
])('from %s to %s it is %i days: %s', (from, to, days, bucket) => {
    expect(daysBetween(from, to)).toBe(days);
    expect(ageBucket(days)).toBe(bucket);
});
