import { describe, expect, test } from 'vitest';
import type { Commit } from '../../../src/schema/commit.ts';
import { commitSchema } from '../../../src/schema/commit.ts';
import { closedBy, spokenFor } from '../../../src/state/commit-log.ts';
import {
    billedIn,
    correctionsIn,
    correctionsOf,
    openAfter,
    standing,
} from '../../../src/state/corrections.ts';
import { monthAfter } from '../../../src/time/period.ts';

const hashes = { run_digest: 'd'.repeat(64), certificate_sha256: 'c'.repeat(64) };
const idOf = (name: string) => name.repeat(12).slice(0, 12);

/** `backfill a 10 in 11`, `revert a 10 in 12`, `close 10`: entries of a log, months of 2026. */
function log(...texts: readonly string[]): { commits: readonly Commit[]; head: string } {
    const commits = texts.map((text, at) => {
        const words = text.split(' ');
        const [kind = ''] = words;
        const isPlain = words.length === 2;
        const period = `2026-${words[isPlain ? 1 : 2]}`;
        const backfill = {
            ...{ id: idOf(words[1] ?? ''), diff_sha256: 'e'.repeat(64) },
            bills_in: `2026-${words[4]}`,
        };
        return commitSchema.parse({
            ...{ number: at + 1, previous: at ? 'f'.repeat(64) : '', kind, pipeline: 'nightly' },
            ...{ period, run_id: 'r', by: 'ada', reason: 'why', at: '2026-11-05T00:00:00Z' },
            ...hashes,
            ...(isPlain ? {} : { backfill }),
        });
    });
    return { commits, head: '' };
}
const said = (of: ReturnType<typeof correctionsIn>) =>
    of.map(
        ({ kind, backfill_id, bills_in }) => `${kind} ${backfill_id[0]} in ${bills_in.slice(5)}`,
    );

describe('corrections', () => {
    test.each([
        ['none', [], []],
        ['one', ['backfill a 10 in 11'], ['backfill a in 11']],
        [
            'two',
            ['backfill a 10 in 11', 'backfill b 10 in 12'],
            ['backfill a in 11', 'backfill b in 12'],
        ],
        ['taken out where it is billed', ['backfill a 10 in 11', 'revert a 10 in 11'], []],
        [
            'taken out, and put back',
            ['backfill a 10 in 11', 'revert a 10 in 11', 'backfill a 10 in 11'],
            ['backfill a in 11'],
        ],
        [
            'inverted later',
            ['backfill a 10 in 11', 'revert a 10 in 12'],
            ['backfill a in 11', 'revert a in 12'],
        ],
        [
            'of another period',
            ['backfill a 09 in 11', 'revert a 10 in 11'],
            ['backfill a in 11', 'revert a in 11'],
        ],
    ])('%s', (_what, entries, expected) => {
        expect(said(correctionsIn(log(...entries)))).toEqual(expected);
    });

    test('by what bills them, and by what they correct', () => {
        const of = log('backfill a 09 in 11', 'backfill a 10 in 11', 'backfill b 10 in 12');
        expect(said(billedIn(of, '2026-11'))).toEqual(['backfill a in 11', 'backfill a in 11']);
        expect(said(correctionsOf(of, '2026-10'))).toEqual([
            'backfill a in 11',
            'backfill b in 12',
        ]);
    });

    test('those that stand: not the ones whose inverse is billed', () => {
        const of = log('backfill a 10 in 11', 'backfill b 10 in 11', 'revert a 10 in 12');
        expect(said(standing(of, '2026-10'))).toEqual(['backfill b in 11']);
    });

    test('the earliest later period that is not closed bills', () => {
        const next = (period: string) => monthAfter(period, 1);
        expect(openAfter(log('close 10'), '2026-10', next)).toBe('2026-11');
        expect(openAfter(log('close 10', 'close 11', 'close 12'), '2026-10', next)).toBe('2027-01');
        expect(openAfter(log('close 11', 'reopen 11'), '2026-10', next)).toBe('2026-11');
    });

    test('an entry of them neither opens a period nor speaks for it', () => {
        const of = log('run 10', 'close 10', 'backfill a 10 in 11', 'revert a 10 in 11');
        expect(closedBy(of, '2026-10')?.number).toBe(2);
        expect(spokenFor(of, '2026-10')?.number).toBe(1);
        expect(spokenFor(of, '2026-11')).toBeNull();
    });

    test('an entry of before there were backfills is the same text', () => {
        const [entry] = log('run 10').commits;
        expect(Object.keys(entry ?? {})).not.toContain('backfill');
    });
});
