import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatInstant, parseInstant } from '../../../src/time/instant.ts';
import {
    daysOf,
    isMonthStart,
    isPeriod,
    monthAfter,
    monthOf,
    monthStart,
    parsePeriod,
} from '../../../src/time/period.ts';
import { isZone } from '../../../src/time/zone.ts';

const hours = (text: string, zone: string) => {
    const { start, end } = parsePeriod(text, zone);
    return (end - start) / 3_600_000_000n;
};

describe('a month as it runs in a zone', () => {
    test.each([
        ['2026-10', 'UTC', '2026-10-01T00:00:00Z', '2026-11-01T00:00:00Z'],
        ['2026-12', 'UTC', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
        ['2024-02', 'UTC', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'],
        // Clocks go forward on 8 March and back on 1 November 2026.
        ['2026-03', 'America/New_York', '2026-03-01T05:00:00Z', '2026-04-01T04:00:00Z'],
        ['2026-10', 'America/New_York', '2026-10-01T04:00:00Z', '2026-11-01T04:00:00Z'],
        ['2026-11', 'America/New_York', '2026-11-01T04:00:00Z', '2026-12-01T05:00:00Z'],
        // The first place of the earth to see a day: UTC+14.
        ['2026-10', 'Pacific/Kiritimati', '2026-09-30T10:00:00Z', '2026-10-31T10:00:00Z'],
        ['2027-01', 'Pacific/Kiritimati', '2026-12-31T10:00:00Z', '2027-01-31T10:00:00Z'],
        // The last: UTC-12.
        ['2026-10', 'Etc/GMT+12', '2026-10-01T12:00:00Z', '2026-11-01T12:00:00Z'],
        // UTC+1, but UTC during Ramadan (15 February to 22 March 2026).
        ['2026-02', 'Africa/Casablanca', '2026-01-31T23:00:00Z', '2026-03-01T00:00:00Z'],
        ['2026-03', 'Africa/Casablanca', '2026-03-01T00:00:00Z', '2026-03-31T23:00:00Z'],
        ['2026-10', 'Asia/Kathmandu', '2026-09-30T18:15:00Z', '2026-10-31T18:15:00Z'],
    ])('%s in %s', (text, zone, start, end) => {
        const period = parsePeriod(text, zone);
        expect(formatInstant(period.start)).toBe(start);
        expect(formatInstant(period.end)).toBe(end);
    });

    test('has an hour less or more where clocks change', () => {
        expect(hours('2026-03', 'America/New_York')).toBe(31n * 24n - 1n);
        expect(hours('2026-11', 'America/New_York')).toBe(30n * 24n + 1n);
        expect(hours('2026-02', 'Africa/Casablanca')).toBe(28n * 24n + 1n);
        expect(hours('2026-03', 'Africa/Casablanca')).toBe(31n * 24n - 1n);
        // Samoa had no 30 December 2011.
        expect(hours('2011-12', 'Pacific/Apia')).toBe(30n * 24n);
    });

    // Known defect of parsePeriod: the end is a month after the start, not the start of the next
    // month. Midnight of 1 October 2023 did not exist in Paraguay, the month began at 01:00, and so
    // its end comes out an hour late: that hour is in two periods.
    test('ends where the next one starts, when its own first midnight does not exist', () => {
        const { start, end } = parsePeriod('2023-10', 'America/Asuncion');
        expect(formatInstant(start)).toBe('2023-10-01T04:00:00Z');
        expect(formatInstant(end)).toBe('2023-11-01T03:00:00Z');
    });

    test('months leave no gap and do not overlap, in any zone', () => {
        const zones = [
            ...['UTC', 'America/New_York', 'Pacific/Kiritimati', 'Africa/Casablanca'],
            ...['Australia/Lord_Howe', 'Asia/Tehran', 'America/St_Johns', 'Europe/Dublin'],
        ];
        const month = (index: number) =>
            `${2024 + Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`;
        fc.assert(
            fc.property(fc.nat(190), fc.constantFrom(...zones), (index, zone) => {
                const { start, end } = parsePeriod(month(index), zone);
                expect(start < end).toBe(true);
                expect(parsePeriod(month(index + 1), zone).start).toBe(end);
            }),
        );
    });

    test.each(['2026-13', '2026-00', '2026-1', '26-01', '2026-10-01', '2026/10', '', '2026-10 '])(
        '%j is not a period',
        (text) => {
            expect(isPeriod(text)).toBe(false);
            expect(() => parsePeriod(text, 'UTC')).toThrow(RangeError);
        },
    );
});

describe('the UTC days in which data of a period may be stored', () => {
    test('from the day before it to the day of `until`', () => {
        const days = daysOf('2026-03', new Date('2026-04-02T03:00:00Z'));
        expect(days[0]).toBe('2026-02-28');
        expect(days.at(-1)).toBe('2026-04-02');
        expect(days).toHaveLength(1 + 31 + 2);
        expect(new Set(days).size).toBe(days.length);
    });

    test('the first instant of `until` counts as its day', () => {
        expect(daysOf('2026-03', new Date('2026-03-01T00:00:00Z'))).toEqual([
            '2026-02-28',
            '2026-03-01',
        ]);
        expect(daysOf('2026-03', new Date('2026-02-27T23:59:59Z'))).toEqual([]);
    });

    test('they cover the period in every zone there is', () => {
        for (const zone of ['Pacific/Kiritimati', 'Etc/GMT+12', 'America/New_York']) {
            const { start, end } = parsePeriod('2026-01', zone);
            const days = daysOf('2026-01', new Date(formatInstant(end)));
            expect(days[0]! <= formatInstant(start).slice(0, 10)).toBe(true);
            expect(days.at(-1)! >= formatInstant(end - 1n).slice(0, 10)).toBe(true);
        }
    });

    test('a day is not lost where the machine changes its clocks', () => {
        const days = daysOf('2026-01', new Date('2026-12-31T00:00:00Z'));
        const gaps = days.slice(1).filter((day, index) => {
            const before = parseInstant(`${days[index]}T00:00:00Z`);
            return parseInstant(`${day}T00:00:00Z`) - before !== 86_400_000_000n;
        });
        expect(gaps).toEqual([]);
    });
});

describe('zones', () => {
    test.each(['UTC', 'America/New_York', 'Pacific/Kiritimati', 'Africa/Casablanca'])(
        '%s',
        (zone) => expect(isZone(zone)).toBe(true),
    );
    test.each(['Mars/Olympus', '', '+02:00', 'New York', 'Europe/'])('not %j', (zone) =>
        expect(isZone(zone)).toBe(false),
    );
});

describe('months after each other', () => {
    test.each([
        ['2026-10', 1, '2026-11'],
        ['2026-10', 3, '2027-01'],
        ['2026-12', 12, '2027-12'],
        ['2026-01', -1, '2025-12'],
        ['2026-03', -15, '2024-12'],
        ['2026-05', 0, '2026-05'],
        ['0999-12', 1, '1000-01'],
    ])('%s and %i is %s', (text, count, expected) => {
        expect(monthAfter(text, count)).toBe(expected);
    });

    test('begin where the zone has it, and at no other instant', () => {
        const zone = 'America/New_York';
        const start = monthStart('2026-11', zone);
        expect(formatInstant(start)).toBe('2026-11-01T04:00:00Z');
        expect(monthStart('2026-11', zone)).toBe(start);
        expect(monthStart('2026-11', 'UTC')).toBe(parseInstant('2026-11-01T00:00:00Z'));
        expect(monthOf(start, zone)).toBe('2026-11');
        expect(monthOf(start - 1n, zone)).toBe('2026-10');
        expect(isMonthStart(start, zone)).toBe(true);
        expect(isMonthStart(start + 1n, zone)).toBe(false);
        expect(isMonthStart(start, 'UTC')).toBe(false);
    });
});
