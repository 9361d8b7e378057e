import { describe, expect, test } from 'vitest';
import { type Told, untoldDebits } from '../../../src/run/late-debits.ts';
import type { LateDebit } from '../../../src/run/line-differences.ts';
import type { BackfillPeriod } from '../../../src/schema/backfill.ts';

/** `a 5 -> 7`: of account a the log said 5 when the month was billed, and says 7. */
const late = (text: string): LateDebit => {
    const [account_id = '', old = '', , now = '', delta = ''] = text.split(' ');
    return { payer_id: 'org', account_id, asset: 'USD', old, new: now, delta };
};
const told = (sign: Told['sign'], debits: readonly string[], refused = false): Told => ({
    sign,
    period: {
        refused: refused ? [{ payer_id: 'org', why: 'held', detail: '' }] : [],
        late_debits: debits.map(late),
    } as unknown as BackfillPeriod,
});
const text = ({ account_id, old, new: now, delta }: LateDebit) =>
    `${account_id} ${old} -> ${now} ${delta}`;

describe('late debits that no backfill has told', () => {
    test.each<[string, readonly string[], readonly Told[], readonly string[]]>([
        ['nobody told anything', ['a 5 -> 7 2'], [], ['a 5 -> 7 2']],
        ['all of it was told', ['a 5 -> 7 2'], [told(1, ['a 5 -> 7 2'])], []],
        ['more came since', ['a 5 -> 8 3'], [told(1, ['a 5 -> 7 2'])], ['a 7 -> 8 1']],
        [
            'told in two steps',
            ['a 5 -> 8 3'],
            [told(1, ['a 5 -> 7 2']), told(1, ['a 7 -> 8 1'])],
            [],
        ],
        [
            'told, and taken back',
            ['a 5 -> 7 2'],
            [told(1, ['a 5 -> 7 2']), told(-1, ['a 5 -> 7 2'])],
            ['a 5 -> 7 2'],
        ],
        [
            'the log says again what it said at first',
            [],
            [told(1, ['a 5 -> 7 2'])],
            ['a 7 -> 5 -2'],
        ],
        [
            'a payer whose differences were refused was not billed',
            ['a 5 -> 7 2'],
            [told(1, ['a 5 -> 7 2'], true)],
            ['a 5 -> 7 2'],
        ],
        [
            'another account',
            ['a 5 -> 7 2', 'b 1 -> 2 1'],
            [told(1, ['a 5 -> 7 2'])],
            ['b 1 -> 2 1'],
        ],
    ])('%s', (_what, found, before, left) => {
        expect(untoldDebits(found.map(late), before).map(text)).toEqual(left);
    });
});
