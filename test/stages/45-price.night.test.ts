import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { priceUsage } from '../../pipelines/45-price/stage.ts';
import * as tables from '../../pipelines/45-price/tables.ts';
import { Engine } from '../../src/duck/engine.ts';
import { stripComments } from '../../src/duck/sql.ts';
import { allocate } from '../../src/money/allocate.ts';
import { loadMacros, replaceTable } from '../../src/run/prepare.ts';
import { readStageSql } from '../../src/stage/run.ts';
import { check } from '../support/table.ts';
import { withDefaults } from './defaults.ts';
import { nightDefaults as defaults } from './night-defaults.ts';

const oneBook = `
    given rules.book_cards book_id | card
                           one     | list`;
const run = (text: string) => check(priceUsage, withDefaults(`${oneBook}${text}`, defaults));

/** Ten at 5 cents with a fee of 2.00, then one cent each; two accounts of one payer. */
const tiered = (scope: string, more = '') => `
    given accounts.paths     account_id | payer_id
                             a          | org
                             b          | org
    given rules.rates        rate_id
                             r
    given rules.terms        rate_id | tier_scope
                             r       | ${scope}
    given rules.charges      rate_id
                             r
    given rules.charge_tiers rate_id | tier_no | from_quantity | to_quantity | unit_price | flat_fee
                             r       | 1       | 0             | 10          | 5          | 200
                             r       | 2       | 10            | _           | 1          | 0
    ${more}`;

describe('usage of a night', () => {
    const usage = `
        given rated.usage account_id | payer_id | attributes | rate_id | quantity | event_count | amount | event_on
                          a          | org      | {"x":"1"}  | r       | 6        | 2           | 0.06   | 2026-10-01
                          a          | org      | {"x":"1"}  | r       | 1        | 1           | 0.01   | 2026-10-02
                          a          | org      | {"x":"2"}  | r       | 5        | 1           | 0.05   | 2026-10-01
                          b          | org      | {"x":"1"}  | r       | 12       | 3           | 0.12   | 2026-10-01`;

    test('scope line: days add up, each combination fills the tiers from zero', () =>
        run(`${tiered('line', usage)}
            then pricing.shares account_id | attributes | quantity | event_count | amount | rounded | repriced
                                a          | {"x":"1"}  | 7        | 3           | 2.35   | 2.35    | 2.28
                                a          | {"x":"2"}  | 5        | 1           | 2.25   | 2.25    | 2.2
                                b          | {"x":"1"}  | 12       | 3           | 2.52   | 2.52    | 2.4`));

    test('scope account: all of an account fills them together, and is shared by quantity', () =>
        // 12 units come to 2.52: 7/12 is 1.47, 5/12 is 1.05.
        run(`${tiered('account', usage)}
            then pricing.line_amounts payer_id | amount
                                      org      | 2.52
                                      org      | 2.52
            then pricing.shares account_id | attributes | amount | rounded
                                a          | {"x":"1"}  | 1.47   | 1.47
                                a          | {"x":"2"}  | 1.05   | 1.05
                                b          | {"x":"1"}  | 2.52   | 2.52`));

    test('scope pool: all of a payer do; what is left of a cent goes to the largest remainder', () =>
        // 24 units come to 2.64: 7/24 is 0.77, 5/24 is 0.55, 12/24 is 1.32.
        run(`${tiered('pool', usage)}
            then pricing.lines  account_id | quantity
                                _          | 24
            then pricing.shares account_id | attributes | amount | rounded
                                a          | {"x":"1"}  | 0.77   | 0.77
                                a          | {"x":"2"}  | 0.55   | 0.55
                                b          | {"x":"1"}  | 1.32   | 1.32`));

    test('scope pool: an account that begins a pool of its own counts apart from its payer', () =>
        run(`${tiered('pool', usage)}
            given rated.usage    account_id | payer_id | pool_id | attributes | rate_id | quantity | event_count
                                 a          | org      | org     | {"x":"1"}  | r       | 7        | 1
                                 a          | org      | org     | {"x":"2"}  | r       | 5        | 1
                                 b          | org      | b       | {"x":"1"}  | r       | 12       | 1
            then pricing.shares  account_id | attributes | amount
                                 a          | {"x":"1"}  | 1.47
                                 a          | {"x":"2"}  | 1.05
                                 b          | {"x":"1"}  | 2.52`));

    test('scope pool: an account that changes its pool counts in each with the usage of its time', () =>
        run(`${tiered('pool')}
            given rated.usage    account_id | payer_id | pool_id | attributes | rate_id | quantity | event_on
                                 a          | org      | org     | {}         | r       | 12       | 2026-10-01
                                 a          | org      | unit    | {}         | r       | 10       | 2026-10-20
            then pricing.shares  account_id | pool_id | quantity | amount
                                 a          | org     | 12       | 2.52
                                 a          | unit    | 10       | 2.5`));

    test('a bound hit exactly stays below it, and a fraction above it enters the next tier', () =>
        run(`${tiered('account')}
            given rules.charges      rate_id | quantity_scale | tier_scale | amount_scale | rounding_divisor
                                     r       | 6              | 6          | 8            | 1000000
            given rules.charge_tiers rate_id | quantity_scale | tier_no | from_quantity | to_quantity | unit_price | flat_fee
                                     r       | 6              | 1       | 0             | 10000000    | 5          | 0
                                     r       | 6              | 2       | 10000000      | _           | 1          | 100000000
            given rated.usage account_id | payer_id | attributes | rate_id | quantity
                              a          | org      | {}         | r       | 10
                              b          | org      | {}         | r       | 10.5
            then pricing.shares account_id | amount | rounded
                                a          | 0.5    | 0.5
                                b          | 1.505  | 1.51`));

    test('a rate that changes in mid-period counts its tiers from zero again', () =>
        run(`${tiered('account')}
            given rules.rates        rate_id | effective_from | effective_to
                                     r       | 2026-01-01     | 2026-10-16
                                     s       | 2026-10-16     | _
            given rules.terms        rate_id | tier_scope
                                     r       | account
                                     s       | account
            given rules.charges      rate_id
                                     r
                                     s
            given rules.charge_tiers rate_id | tier_no | from_quantity | to_quantity | unit_price
                                     r       | 1       | 0             | _           | 5
                                     s       | 1       | 0             | _           | 7
            given rated.usage account_id | payer_id | attributes | rate_id | quantity
                              a          | org      | {}         | r       | 1
                              a          | org      | {}         | s       | 1
            then pricing.lines  rate_id | service_start | service_end
                                r       | 2026-10-01    | 2026-10-16
                                s       | 2026-10-16    | 2026-11-01
            then pricing.shares rate_id | amount
                                r       | 0.05
                                s       | 0.07`));
});

/** A fee of 31.00. */
const fee = (terms: string, values: string, more = '') => `
    given accounts.paths     account_id | payer_id
                             a          | org
                             b          | org
                             org        | org
    given rules.rates        rate_id
                             f
    given rules.terms        rate_id | model | is_for_accounts | tier_scope ${terms}
                             f       | flat  | true            | ${values}
    given rules.charges      rate_id | kind
                             f       | flat
    given rules.charge_tiers rate_id | unit_price | flat_fee
                             f       | 0          | 3100
    ${more}`;
const used = `
    given metered.usage meter | account_id | payer_id | attributes
                        m     | a          | org      | {"x":"1"}
                        m     | a          | org      | {"x":"2"}
    given rated.usage   account_id | payer_id | attributes | rate_id | quantity | event_count
                        a          | org      | {"x":"1"}  | f       | 5        | 3
                        a          | org      | {"x":"2"}  | f       | 2        | 1`;

describe('fees of a night', () => {
    test('are once for an account with usage, with the events behind it', () =>
        run(`${fee('', 'account', used)}
            then pricing.shares account_id | attributes | quantity | event_count | amount
                                a          | {}         | 1        | 4           | 31`));

    test('or for every active account', () =>
        run(`${fee('| is_for_all', 'account | true', used)}
            then pricing.shares account_id | attributes | event_count | amount
                                a          | {}         | 4           | 31
                                b          | {}         | 0           | 31
                                org        | {}         | 0           | 31`));

    test('or once for a payer', () =>
        run(`${fee('', 'pool', used)}
            then pricing.shares account_id | event_count | amount
                                org        | 4           | 31`));

    test('not in another currency than the payer is billed in', () =>
        run(`${fee('| is_for_all', 'account | true')}
            given accounts.paths account_id | payer_id | currency
                                 a          | org      | EUR
            then pricing.shares  account_id`));

    test('in advance are those of the next period, in the zone of the payer', () =>
        run(`${fee('| is_for_all | is_in_advance', 'account | true | true')}
            given accounts.paths account_id | payer_id | time_zone        | period_start        | period_end
                                 a          | org      | America/New_York | 2026-10-01 04:00:00 | 2026-11-01 04:00:00
            then pricing.lines   service_start       | service_end
                                 2026-11-01 04:00:00 | 2026-12-01 05:00:00`));

    test('prorated are for the days of a stay, and parts of a month add up', () =>
        run(`${fee('| is_for_all | proration_unit', 'account | true | day')}
            given accounts.paths account_id | payer_id | valid_from          | valid_to
                                 a          | org      | 2026-10-22          | 9999-12-31
                                 b          | old      | 2026-01-01          | 2026-10-11 15:00:00
                                 b          | org      | 2026-10-11 15:00:00 | 9999-12-31
            then pricing.lines   payer_id | account_id | numerator | denominator
                                 org      | a          | 10        | 31
                                 old      | b          | 10        | 31
                                 org      | b          | 21        | 31
            then pricing.shares  payer_id | account_id | amount
                                 org      | a          | 10
                                 old      | b          | 10
                                 org      | b          | 21`));

    test('who comes and goes pays for both stays', () =>
        run(`${fee('| is_for_all | proration_unit', 'account | true | second')}
            given accounts.paths account_id | payer_id | valid_from | valid_to
                                 a          | org      | 2026-10-01 | 2026-10-03
                                 a          | org      | 2026-10-31 | 9999-12-31
            then pricing.lines   account_id | numerator | denominator | service_start | service_end
                                 a          | 3         | 31          | 2026-10-01    | 2026-11-01`));

    const contract = `
            given rules.book_cards book_id | card
                                   one     | other
                                   deal    | list
            given accounts.paths   account_id | payer_id | book_id | valid_from | valid_to
                                   a          | org      | one     | 2026-01-01 | 2026-10-22
                                   a          | org      | deal    | 2026-10-22 | 9999-12-31
                                   b          | org      | one     | 2026-01-01 | 9999-12-31`;

    test('of a card are charged to whom a contract gives it, and for its time', () =>
        run(`${fee('| is_for_all | proration_unit', 'account | true | day')}
            ${contract}
            then pricing.lines   account_id | numerator | denominator | service_start | service_end
                                 a          | 10        | 31          | 2026-10-22    | 2026-11-01
            then pricing.shares  account_id | amount
                                 a          | 10`));

    test('of a pool are for the time of the contract too', () =>
        run(`${fee('| is_for_all | proration_unit', 'pool | true | day')}
            ${contract}
            then pricing.lines   payer_id | numerator | denominator | service_start | service_end
                                 org      | 10        | 31          | 2026-10-22    | 2026-11-01`));

    test('in another currency than the payer pays are in suspense, and are not charged', () => {
        const foreign = `given rules.rates      rate_id | currency
                                 f       | EUR
            given rules.book_cards book_id | card | currency
                                   one     | list | EUR
            given rules.missing_conversions from_currency | to_currency | evidence
                                            EUR           | USD         | too old
            given accounts.paths   account_id | payer_id
                                   a          | org
                                   b          | org`;
        const suspended = `then suspense.unpriced_fees rate_id | payer_id | account_id | currency | code | evidence`;
        const row = (account: string) =>
            `f | org | ${account} | EUR | CONVERSION_MISSING | too old`;
        return Promise.all([
            run(`${fee('| is_for_all', 'account | true')}
                ${foreign}
                then pricing.shares account_id
                ${suspended}
                ${row('a')}
                ${row('b')}`),
            run(`${fee('| is_for_all', 'account | false')}
                ${foreign}
                given metered.usage account_id | payer_id | meter
                                    b          | org      | m
                then pricing.shares account_id
                ${suspended}
                ${row('b')}`),
        ]);
    });

    test('are not for usage under another card', () => {
        const usage = (book: string) => `
            given metered.usage account_id | payer_id | meter | book_id
                                a          | org      | m     | ${book}`;
        return Promise.all([
            run(`${fee('', 'account')}${contract}${usage('one')}
                then pricing.shares account_id`),
            run(`${fee('', 'account')}${contract}${usage('deal')}
                then pricing.shares account_id | amount
                                    a          | 31`),
        ]);
    });
});

test('charged without usage: only who used nothing has a line of its own for it', () =>
    run(`${tiered('account')}
        given rules.terms   rate_id | is_for_accounts | is_for_all | tier_scope
                            r       | true            | true       | account
        given rules.charges rate_id | is_zero_charged
                            r       | true
        given rated.usage   account_id | payer_id | attributes | rate_id | quantity
                            a          | org      | {"x":"1"}  | r       | 1
        then pricing.shares account_id | attributes | quantity | amount
                            a          | {"x":"1"}  | 1        | 2.05
                            b          | {}         | 0        | 2`));

test('events are priced one by one, in the order of time', () =>
    // 10 percent and 30 cents; the first event is free.
    run(`
        given accounts.paths     account_id | payer_id
                                 a          | org
        given rules.rates        rate_id
                                 r
        given rules.terms        rate_id | model      | is_by_event
                                 r       | percentage | true
        given rules.charges      rate_id | quantity_scale | tier_scale | kind   | fixed_fee      | free_events | amount_scale | rounding_divisor
                                 r       | 12             | 12         | events | 30000000000000 | 1           | 14           | 1000000000000
        given rules.charge_tiers rate_id | quantity_scale | unit_price
                                 r       | 12             | 10
        given rated.usage        account_id | payer_id | attributes | rate_id | quantity
                                 a          | org      | {}         | r       | 7
        given rated.rate_choices meter | attributes | segment_at | rate_id | currency
                                 m     | {}         | 2026-01-01 | r       | USD
        given compiled.priced_events meter | source | event_id | event_at            | account_id | payer_id | currency | attributes | segment_at | value
                                     m     | s      | late     | 2026-10-02 10:00:00 | a          | org      | USD      | {}         | 2026-01-01 | 4
                                     m     | s      | early    | 2026-10-01 10:00:00 | a          | org      | USD      | {}         | 2026-01-01 | 2
                                     m     | s      | last     | 2026-10-03 10:00:00 | a          | org      | USD      | {}         | 2026-01-01 | 1
        then pricing.events event_no | value
                            1        | 2000000000000
                            2        | 4000000000000
                            3        | 1000000000000
        then pricing.shares amount
                            1.1`));

test('an event of an account that changes its pool is of the pool of its time', () =>
    run(`
        given accounts.paths     account_id | payer_id | pool_id
                                 a          | org      | org
        given rules.rates        rate_id
                                 r
        given rules.terms        rate_id | model      | is_by_event | tier_scope
                                 r       | percentage | true        | pool
        given rules.charges      rate_id | quantity_scale | tier_scale | kind   | fixed_fee      | amount_scale | rounding_divisor
                                 r       | 12             | 12         | events | 30000000000000 | 14           | 1000000000000
        given rules.charge_tiers rate_id | quantity_scale | unit_price
                                 r       | 12             | 10
        given rated.usage        account_id | payer_id | pool_id | attributes | rate_id | quantity | event_on
                                 a          | org      | org     | {}         | r       | 2        | 2026-10-01
                                 a          | org      | unit    | {}         | r       | 4        | 2026-10-02
        given rated.rate_choices meter | attributes | segment_at | rate_id | currency
                                 m     | {}         | 2026-01-01 | r       | USD
        given compiled.priced_events meter | source | event_id | event_at            | account_id | payer_id | pool_id | currency | attributes | segment_at | value
                                     m     | s      | one      | 2026-10-01 10:00:00 | a          | org      | org     | USD      | {}         | 2026-01-01 | 2
                                     m     | s      | two      | 2026-10-02 10:00:00 | a          | org      | unit    | USD      | {}         | 2026-01-01 | 4
        then pricing.shares pool_id | amount
                            org     | 0.5
                            unit    | 0.7`));

test('a quantity that may need more than 38 digits stops with its name', () =>
    expect(
        run(`${tiered('account')}
            given rules.charges rate_id | quantity_limit
                                r       | 9
            given rated.usage   account_id | payer_id | attributes | rate_id | quantity
                                a          | org      | {}         | r       | 10
            then pricing.shares amount`),
    ).rejects.toMatchObject({
        code: 'AMOUNT_OVERFLOW',
        message: expect.stringContaining('10 of org at rate r may take more than 38 digits'),
    }));

describe('shares', () => {
    let engine: Engine;
    beforeAll(async () => {
        engine = await Engine.open({
            file: ':memory:',
            memory: '512MB',
            threads: 1,
            spill: tmpdir(),
        });
        await loadMacros(engine);
    });
    afterAll(() => engine.close());

    const line = fc.record({
        units: fc.bigInt({ min: -(10n ** 36n), max: 10n ** 36n }),
        rounded: fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }),
        weights: fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 9 }),
    });

    test('add up exactly, and minor units are those of the largest remainders', async () => {
        const sql = stripComments(readStageSql(priceUsage).selects['pricing.shares'] ?? '');
        await fc.assert(
            fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 8 }), async (lines) => {
                const names = { rate_id: 'r', payer_id: 'p', pool_id: '', attributes: '{}' };
                await replaceTable(
                    engine,
                    tables.members,
                    lines.flatMap(({ weights }, at) =>
                        weights.map((weight, of) => ({
                            ...{ ...names, line_id: `${at}`, account_id: `${of}`, event_count: 1n },
                            ...{ quantity: `${weight}`, listed: '0' },
                        })),
                    ),
                );
                await replaceTable(
                    engine,
                    tables.lineAmounts,
                    lines.map(({ units, rounded }, at) => ({
                        ...{ line_id: `${at}`, payer_id: 'p', currency: 'USD', amount: '0', units },
                        ...{ rounded_units: rounded, decimals: 2n },
                    })),
                );
                const rows = await engine.rows(
                    `select line_id, account_id, rounded_units,
                        cast(amount * 1 as varchar) as amount
                     from (${sql}) order by line_id, account_id`,
                );
                lines.forEach(({ units, rounded, weights }, at) => {
                    const own = rows.filter(({ line_id }) => line_id === `${at}`);
                    const isEmpty = weights.every((weight) => weight === 0n);
                    const parts = own.map(({ rounded_units }) => rounded_units);
                    expect(parts).toEqual(
                        allocate(rounded, isEmpty ? weights.map(() => 1n) : weights),
                    );
                    const sum = own.reduce(
                        (total, { amount }) => total + BigInt(String(amount).replace('.', '')),
                        0n,
                    );
                    expect(sum).toBe(units);
                });
            }),
            { numRuns: 40 },
        );
    });
});
