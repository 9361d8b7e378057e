import { describe, test } from 'vitest';
import { off, ties } from './70-reconcile.world.ts';

/*
 * Four ways in which programs that match two lists are known to go wrong: a row that is matched
 * stays in the pool, a tie goes to whichever worker came first, amounts are binary fractions, and
 * only one side hears what was left over.
 */
describe('70-reconcile: a row that is matched leaves the pool', () => {
    test('the same debit twice never matches one event twice', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
            given mediated.debit_entries event_id | entry_id | amount
                                         e        | d1       | 5
                                         e        | d2       | 5
                                         e        | d3       | 5
            then recon.matches rule | usage_count | entry_count
                               R1   | 1           | 1
            then recon.breaks  code           | amount | entry_ids
                               DUP_DEBIT_SAME | -10    | d2 d3
        `));

    test('two events never share one debit that names the authorization of both', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount | authorization_id
                                         e        | 5            | A
                                         f        | 5            | A
            given mediated.debit_entries entry_id | amount | authorization_id
                                         d        | 5      | A
            then recon.matches rule
            then recon.breaks  code                | break_key | amount
                               METERED_NOT_DEBITED | e         | 5
                               METERED_NOT_DEBITED | f         | 5
                               DEBITED_NOT_METERED | A         | -5
        `));
});

describe('70-reconcile: a tie is left to a person, in whatever order rows come', () => {
    const usage = ['e | 5 | 2026-10-10 12:00:00', 'f | 5 | 2026-10-10 12:00:00'];
    const debits = ['x | d1 | 5 | 2026-10-10 12:00:00', 'y | d2 | 5 | 2026-10-10 12:00:00'];
    const orders = [usage, usage.toReversed()].flatMap((one) =>
        [debits, debits.toReversed()].map((other) => [one, other] as const),
    );
    test.each(orders)('%j, %j', (used, debited) =>
        ties(`
            given rules.suggest_rules window_minutes | is_tolerant
                                      60             | true
            given compiled.event_values  event_id | rated_amount | event_at
${used.join('\n')}
            given mediated.debit_entries event_id | entry_id | amount | booked_at
${debited.join('\n')}
            then recon.matches     rule
            then recon.suggestions break_key
            then recon.breaks      code                | break_key | amount
                                   METERED_NOT_DEBITED | e         | 5
                                   METERED_NOT_DEBITED | f         | 5
                                   DEBITED_NOT_METERED | x         | -5
                                   DEBITED_NOT_METERED | y         | -5
        `),
    );
});

describe('70-reconcile: amounts are decimals, whatever binary fractions make of them', () => {
    test('0.1 and 0.2 are 0.3: as doubles they are more', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 0.3
            given mediated.debit_entries event_id | entry_id | amount | grant_id
                                         e        | d1       | 0.1    | g1
                                         e        | d2       | 0.2    | g2
            ${off('R2')}
            then recon.matches rule | difference
                               R5   | 0
        `));

    test('two amounts of one double differ by what they differ', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 12345678901234.000001
            given mediated.debit_entries event_id | entry_id | amount
                                         e        | d        | 12345678901234.000002
            then recon.breaks code         | amount
                              AMOUNT_PRICE | -0.000001
        `));
});

describe('70-reconcile: what is left over is said of both sides', () => {
    test('usage without a debit, and a debit without usage', () =>
        ties(`
            given compiled.event_values  event_id | rated_amount
                                         e        | 5
                                         same     | 1
            given mediated.debit_entries event_id | entry_id | amount
                                         x        | d        | 3
                                         same     | s        | 1
            then recon.matches  rule | usage_count | entry_count
                                R1   | 1           | 1
            then recon.breaks   code                | break_key | amount
                                METERED_NOT_DEBITED | e         | 5
                                DEBITED_NOT_METERED | x         | -3
            then recon.tie_outs difference | broken
                                2          | 2
        `));
});
