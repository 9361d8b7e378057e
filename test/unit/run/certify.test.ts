import { expect, test } from 'vitest';
import { logCompleteness } from '../../../src/run/certify.ts';

const counts = { entries: 0n, unnamed: 0n, wallets: 0n, numbered: 0n, gaps: 0n };

test.each([
    [{}, 'There is no debit log.'],
    [
        { entries: 9n, wallets: 3n, numbered: 2n, gaps: 1n },
        '2 of 3 wallets number their entries; 1 have gaps.',
    ],
    [
        { entries: 3n, unnamed: 3n },
        '3 of 3 debit entries name no wallet: that none of them is missing cannot be shown.',
    ],
    [
        { entries: 4n, unnamed: 3n, wallets: 1n, numbered: 1n },
        '1 of 1 wallets number their entries; 0 have gaps. 3 of 4 debit entries name no wallet: that none of them is missing cannot be shown.',
    ],
])('what a debit log can prove, case %#', (of, text) => {
    expect(logCompleteness({ ...counts, ...of })).toBe(text);
});
