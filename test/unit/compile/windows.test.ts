import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Commitment, type Payer, promisedBy } from '../../../src/compile/commitments.ts';
import { type Every, windowsOf } from '../../../src/compile/windows.ts';
import { parseAmount } from '../../../src/money/amount.ts';
import { formatInstant, parseInstant } from '../../../src/time/instant.ts';
import { isMonthStart } from '../../../src/time/period.ts';

const zones = ['UTC', 'America/New_York', 'Asia/Kathmandu', 'Africa/Casablanca'] as const;
const start = parseInstant('2025-01-01T00:00:00Z');
const minute = 60_000_000n;
const instant = fc
    .integer({ min: 0, max: 2 * 365 * 24 * 60 })
    .map((of) => start + BigInt(of) * minute);
const span = fc
    .tuple(instant, instant)
    .filter(([one, other]) => one !== other)
    .map(([one, other]) => (one < other ? { from: one, to: other } : { from: other, to: one }));
const every = fc.constantFrom<Every>('month', 'quarter', 'year');

describe('windows', () => {
    test.each<[Every | 'term', readonly string[]]>([
        ['month', ['2026-01-31 2026-01-31', '2026-02-01 2026-02', '2026-03-01 2026-03']],
        ['quarter', ['2026-01-31 2026-01-31']],
        ['term', ['2026-01-31 2026-01-31']],
    ])('by the %s begin where the contract does, then with months', (by, expected) => {
        const contract = {
            from: parseInstant('2026-01-31T12:00:00Z'),
            to: parseInstant('2026-03-09T00:00:00Z'),
        };
        const windows = windowsOf(by, contract, {
            zone: 'UTC',
            until: parseInstant('2026-12-01T00:00:00Z'),
        });
        expect(
            windows.map(
                ({ date, from }) =>
                    `${date} ${formatInstant(from).slice(0, date.endsWith('-01') ? 7 : 10)}`,
            ),
        ).toEqual(expected);
    });

    test('tile the contract: each begins with a month of the zone where the one before ends', () => {
        fc.assert(
            fc.property(every, span, fc.constantFrom(...zones), (by, contract, zone) => {
                const windows = windowsOf(by, contract, { zone, until: contract.to });
                expect(windows[0]?.from).toBe(contract.from);
                expect(windows.at(-1)?.to).toBe(contract.to);
                for (const [at, { to }] of windows.slice(0, -1).entries()) {
                    expect(windows[at + 1]?.from).toBe(to);
                    expect(isMonthStart(to, zone)).toBe(true);
                }
            }),
            { numRuns: 60 },
        );
    });

    test('that one contract ends and the next begins are promised once, by their days', () => {
        const commitment: Commitment = {
            commitment: 'c',
            kind: 'postpaid',
            measure: 'quantity',
            size: '31',
            meter: 'm',
            fee: null,
            shortfall_price: '1',
            overage_factor: null,
            overage_unit_price: null,
            every: 'month',
            true_up: 'window',
            is_prorated: true,
            products: [],
            rollover: null,
            product: 'commitment',
            description: '',
            line: 1,
        };
        const month = {
            from: parseInstant('2026-10-01T00:00:00Z'),
            to: parseInstant('2026-11-01T00:00:00Z'),
        };
        const payer: Payer = {
            ...{ payer_id: 'org', currency: 'USD', time_zone: 'UTC', depth: 1n },
            ...{ period: month, spans: [month] },
        };
        const sizeOf = (from: bigint, to: bigint) =>
            promisedBy(commitment, { from, to }, payer).map(({ size }) => parseAmount(size).units);
        fc.assert(
            fc.property(fc.integer({ min: 1, max: 31 * 24 * 60 - 1 }), (minutes) => {
                const cut = month.from + BigInt(minutes) * minute;
                const [before = 0n] = sizeOf(month.from, cut);
                const [after = 0n] = sizeOf(cut, month.to);
                expect(before + after).toBe(31n);
            }),
        );
    });
});
