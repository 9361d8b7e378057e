import { expect, test } from 'vitest';
import { contractsThatDiffer, restatedClosings } from '../../../src/run/closings.ts';

const header = 'contract,product,meter,commitment,grant,period,quantity\n';
const old = `${header}a,,,spend,,2026-11,1\na,,,,hello,2026-11,5\n"b, c",,,,hello,2026-11,7\nd,,,,hello,2026-11,9\n`;
const now = `${header}a,,,spend,,2026-11,2\na,,,,hello,2026-11,5\n"b, c",,,,hello,2026-11,6\ne,,,,hello,2026-11,3\n`;

test('contracts differ where one has another row, or none', () => {
    expect(contractsThatDiffer(old, now)).toEqual(['a', 'b, c', 'd', 'e']);
    expect(contractsThatDiffer(old, old)).toEqual([]);
});

test('what is not corrected stays as it was', () => {
    expect(restatedClosings(old, now, new Set())).toBe(now);
    expect(restatedClosings(old, now, new Set(['b, c', 'd', 'e']))).toBe(
        `${header}a,,,spend,,2026-11,2\na,,,,hello,2026-11,5\n"b, c",,,,hello,2026-11,7\nd,,,,hello,2026-11,9\n`,
    );
});
