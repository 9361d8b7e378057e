import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatInstant, fromDate, parseInstant } from '../../../src/time/instant.ts';

describe('reading', () => {
    test.each([
        ['1970-01-01T00:00:00Z', 0n],
        ['1970-01-01T00:00:00.000001Z', 1n],
        ['1969-12-31T23:59:59.999999Z', -1n],
        ['2026-10-25T01:30:00.5Z', 1_792_891_800_500_000n],
        ['2026-10-25T01:30:00.5000000000Z', 1_792_891_800_500_000n],
        ['2026-10-25 01:30:00z', 1_792_891_800_000_000n],
        ['2026-10-25t01:30:00+00:00', 1_792_891_800_000_000n],
        ['2026-10-25T01:30:00-00:00', 1_792_891_800_000_000n],
    ])('%s', (text, micros) => expect(parseInstant(text)).toBe(micros));

    test.each([
        ['2026-10-25T14:00:00+14:00', '2026-10-25T00:00:00Z'],
        ['2026-10-24T19:00:00-05:00', '2026-10-25T00:00:00Z'],
        ['2026-10-25T05:45:00.000001+05:45', '2026-10-25T00:00:00.000001Z'],
        ['2027-01-01T00:30:00+01:00', '2026-12-31T23:30:00Z'],
        ['2024-02-28T23:00:00-02:00', '2024-02-29T01:00:00Z'],
    ])('%s is %s', (text, utc) => expect(formatInstant(parseInstant(text))).toBe(utc));

    test.each([
        '2026-02-29T00:00:00Z',
        '2026-02-30T00:00:00Z',
        '2026-04-31T00:00:00Z',
        '2026-00-10T00:00:00Z',
        '2026-13-01T00:00:00Z',
        '2026-10-32T00:00:00Z',
        '2026-10-25T24:00:00Z',
        '2026-10-25T23:60:00Z',
        '2026-12-31T23:59:60Z',
        '2100-02-29T00:00:00Z',
    ])('%s does not exist', (text) => expect(() => parseInstant(text)).toThrow('no such instant'));

    test.each([
        '2026-10-25T01:30:00',
        '2026-10-25',
        '2026-10-25T01:30Z',
        '2026-10-25T01:30:00.0000001Z',
        '2026-10-25T01:30:00.Z',
        '2026-10-25T01:30:00+15:00',
        '2026-10-25T01:30:00+1:00',
        '2026-10-25T01:30:00+0100',
        '2026-10-25T01:30:00 UTC',
        ' 2026-10-25T01:30:00Z',
        '2026-10-25T01:30:00Z\n',
        '1792891800',
        '',
    ])('%j is not an instant with a zone', (text) =>
        expect(() => parseInstant(text)).toThrow('not an instant with a zone'),
    );
});

describe('writing', () => {
    test('has as many decimals as are needed', () => {
        expect(formatInstant(0n)).toBe('1970-01-01T00:00:00Z');
        expect(formatInstant(1_500_000n)).toBe('1970-01-01T00:00:01.5Z');
        expect(formatInstant(-1n)).toBe('1969-12-31T23:59:59.999999Z');
        expect(formatInstant(10n)).toBe('1970-01-01T00:00:00.00001Z');
    });

    const years1to9999 = fc.bigInt({
        min: -62_135_596_800_000_000n,
        max: 253_402_300_799_999_999n,
    });
    test('reads back to the microsecond', () => {
        fc.assert(
            fc.property(years1to9999, (instant) => {
                expect(parseInstant(formatInstant(instant))).toBe(instant);
            }),
        );
    });

    test('a Date is exact to its millisecond', () => {
        expect(fromDate(new Date('2026-10-25T01:30:00.123Z'))).toBe(1_792_891_800_123_000n);
    });
});
