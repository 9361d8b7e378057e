import { describe, expect, test } from 'vitest';
import { bill } from '../../pipelines/72-bill/stage.ts';
import { auditRows } from '../support/table.ts';
import { billed, check } from './72-bill.world.ts';

const found = (audit: string, text: string) => auditRows(bill, audit, billed(text));

/** One charge of a team: 100 tokens of 1 USD. */
const charge = (amount: string, more = '', value = '') => `
    given rolled.charges account_id | product | rate_id | quantity | amount ${more && `| ${more}`}
                         a          | llm     | r       | 100      | ${amount} ${value && `| ${value}`}`;

describe('72-bill: lines', () => {
    test.each([
        // exact, line, minor units
        ['1.005', '1.01', '101'],
        ['1.004999999999999999999999', '1', '100'],
        ['-1.005', '-1.01', '-101'],
    ])('%s rounds once to %s', (exact, line, minor) =>
        check(`${charge(exact)}
            then billed.lines amount | amount_minor | amount_exact
                              ${line} | ${minor}    | ${exact}`),
    );

    test.each([
        ['JPY', '0', '0.5', '1'],
        ['JPY', '0', '0.499999', '0'],
        ['BHD', '3', '2.0005', '2001'],
        ['CLF', '4', '1.00005', '10001'],
    ])('%s: %s decimals make of %s %s minor units', (currency, exponent, exact, minor) =>
        check(`${charge(exact, 'currency', currency)}
            given rules.currencies currency    | exponent
                                   ${currency} | ${exponent}
            then billed.lines amount_minor
                              ${minor}`),
    );

    test('what was priced together is not rounded again', () =>
        check(`${charge('1.005', 'rounded', '1')}
            then billed.lines amount | amount_exact
                              1      | 1.005`));

    test('accounts that are summed up are one line, rounded once; others stand by themselves', () =>
        check(`
            given accounts.paths account_id | account_name | line_account_id
                                 unit       | The unit     | unit
                                 a          | A            | unit
                                 b          | B            | unit
                                 c          | C            | c
            given rolled.charges account_id | product | rate_id | quantity | amount
                                 a          | llm     | r       | 1        | 1.004
                                 b          | llm     | r       | 2        | 1.004
                                 c          | llm     | r       | 4        | 1.004
            then billed.lines account_id | quantity | amount_exact | amount
                              c          | 4        | 1.004        | 1
                              unit       | 3        | 2.008        | 2.01
            then billed.parts account_id | quantity | amount_minor
                              a          | 1        | 67
                              b          | 2        | 134
                              c          | 4        | 100`));

    test('usage of two pools under one rate is two lines with keys of their own', () =>
        check(`
            given rolled.charges account_id | product | pool_id | rate_id | quantity | amount | rounded
                                 a          | llm     | org     | r       | 1        | 1      | 1
                                 a          | llm     | unit    | r       | 1        | 2      | 2
            then billed.lines account_id | pool_id | amount
                              a          | org     | 1
                              a          | unit    | 2`));

    test('a line at a flat rate is a fee', () =>
        check(`${charge('5')}
            given rules.rates rate_id | product | model
                              r       | llm     | flat
            then billed.lines line_type | amount
                              fee       | 5`));
});

/** A grant from the 11th to the 21st cuts the period in three; lines have usage in all of them. */
const cut = `
    given rules.grants          grant_id | granted | starts_at  | expires_at
                                c/g      | 0       | 2026-10-11 | 2026-10-21
    given rules.holder_accounts holder_id | account_id
                                c/g       | a
    given rated.usage           account_id | product | rate_id | segment_at | event_on   | quantity
                                a          | llm     | r       | 2026-01-01 | 2026-10-01 | 10
                                a          | llm     | r       | 2026-10-11 | 2026-10-12 | 20
                                a          | llm     | r       | 2026-10-11 | 2026-10-13 | 10
                                a          | llm     | r       | 2026-10-15 | 2026-10-20 | 30
                                a          | llm     | r       | 2026-10-21 | 2026-10-31 | 30`;

describe('72-bill: parts', () => {
    test('a line is cut where a grant begins or ends, by quantity, to the cent', () =>
        check(`${cut}${charge('10.01')}
            then billed.spans span_start | span_end
                              2026-10-01 | 2026-10-11
                              2026-10-11 | 2026-10-21
                              2026-10-21 | 2026-11-01
            then billed.parts charge_no | span_start | span_end   | quantity | amount_minor
                              1         | 2026-10-01 | 2026-10-11 | 10       | 100
                              2         | 2026-10-11 | 2026-10-21 | 60       | 601
                              3         | 2026-10-21 | 2026-11-01 | 30       | 300`));

    test('a negative line has negative parts', () =>
        check(`${cut}${charge('-10.01')}
            then billed.parts span_start | amount_minor
                              2026-10-01 | -100
                              2026-10-11 | -601
                              2026-10-21 | -300`));

    test('usage priced by terms finds its line by pool', () =>
        check(`${cut}
            given rules.rates    rate_id | product | terms
                                 r       | llm     | {}
            given rules.terms    rate_id | tier_scope
                                 r       | pool
            given rated.usage    account_id | product | pool_id | rate_id | segment_at | event_on   | quantity
                                 a          | llm     | org     | r       | 2026-01-01 | 2026-10-01 | 1
                                 a          | llm     | unit    | r       | 2026-10-11 | 2026-10-12 | 1
                                 a          | llm     | unit    | r       | 2026-10-21 | 2026-10-22 | 2
            given rolled.charges account_id | product | pool_id | rate_id | quantity | amount | rounded | line_id
                                 a          | llm     | org     | r       | 1        | 1      | 1       | 1
                                 a          | llm     | unit    | r       | 3        | 2      | 2       | 2
            then billed.parts span_start | quantity | amount_minor
                              2026-10-01 | 1        | 100
                              2026-10-11 | 1        | 67
                              2026-10-21 | 2        | 133`));

    test.each([
        ['a fee', 'given rules.rates rate_id | product | model\n r | llm | flat'],
        ['a meter that does not add up', 'given rules.whole_meters meter\n tokens'],
        ['usage of nothing', 'given rated.usage account_id'],
    ])('%s is one part over the whole period', (_what, text) =>
        check(`${cut}${charge('10.01')}
            ${text}
            then billed.parts span_start | span_end   | amount_minor
                              2026-10-01 | 2026-11-01 | 1001`),
    );

    test('charges count by span, product, line and account', () =>
        check(`
            given rolled.charges account_id | product | rate_id | quantity | amount
                                 b          | llm     | r       | 1        | 1
                                 b          | gpu     | s       | 1        | 2
            then billed.parts charge_no | product | amount_minor
                              1         | gpu     | 200
                              2         | llm     | 100`));
});

const teams = (a: string, b: string) => `
    given rolled.charges account_id | product | rate_id | quantity | amount
                         a          | llm     | r       | 1        | ${a}
                         b          | llm     | r       | 1        | ${b}`;

const promised = (rows: string, products = '') => `
    given rules.commitments     commitment_id | depth | measure | meter | committed | window_start | window_end | shortfall_price
                                ${rows}
    given rules.holder_accounts holder_id | account_id
                                c/deep    | a
                                c/top     | a
                                c/top     | b
                                c/wide    | a
                                c/wide    | b
    ${products && `given rules.holder_products holder_id | product\n${products}`}`;
const window = '2026-10-01 | 2026-11-01 | 0.01';

describe('72-bill: what counts towards which commitment', () => {
    test('that of the deepest account', () =>
        check(`${teams('10', '10')}
            ${promised(`c/top | 0 | amount | _ | 100 | ${window}\nc/deep | 1 | amount | _ | 100 | ${window}`)}
            then drawing.charges size | commitment_id
                                 1000 | c/deep
                                 1000 | c/top`));

    test('then that of the fewest products, then by id', () =>
        check(`${teams('10', '10')}
            ${promised(`c/wide | 0 | amount | _ | 100 | ${window}\nc/top | 0 | amount | _ | 100 | ${window}`, 'c/wide | llm\nc/wide | gpu')}
            then drawing.charges size | commitment_id
                                 1000 | c/wide
                                 1000 | c/wide`));

    test('one of other products counts nothing', () =>
        check(`${teams('10', '10')}
            ${promised(`c/top | 0 | amount | _ | 100 | ${window}`, 'c/top | gpu')}
            then drawing.charges size | commitment_id
                                 1000 | _
                                 1000 | _`));

    test('units count beside money, under an owner of their own', () =>
        check(`${teams('10', '10')}
            ${promised(`c/top | 0 | amount | _ | 100 | ${window}\nc/deep | 1 | quantity | tokens | 7 | ${window}`)}
            then drawing.charges     owner_id        | size          | commitment_id
                                     ["units","org"] | 1000000000000 | c/deep
                                     org             | 1000          | c/top
                                     org             | 1000          | c/top
            then drawing.commitments owner_id        | committed     | true_up | within_factor
                                     ["units","org"] | 7000000000000 | due     | 10000000000
                                     org             | 10000         | due     | 1`));

    test('a part must lie within the window whole', () =>
        check(`${charge('10')}
            ${promised('c/deep | 1 | amount | _ | 100 | 2026-10-15 | 2026-11-01 | _')}
            given rated.usage    account_id | product | rate_id | segment_at | event_on   | quantity
                                 a          | llm     | r       | 2026-01-01 | 2026-10-01 | 60
                                 a          | llm     | r       | 2026-10-15 | 2026-10-15 | 40
            then drawing.charges first_at   | last_at             | size | commitment_id
                                 2026-10-01 | 2026-10-14 23:59:59 | 600  | _
                                 2026-10-15 | 2026-10-31 23:59:59 | 400  | c/deep`));
});

describe('72-bill: grants', () => {
    test('a grant of units has the minor units that it is worth, cut', () =>
        check(`
            given rules.grants          grant_id | asset | precision | granted | rate
                                        c/g      | TOK   | 0         | 12345   | 0.000002
            given rules.holder_accounts holder_id | account_id
                                        c/g       | org
            then drawing.grants  grant_id | opening | granted | closes_at
                                 c/g      | 0       | 2       | 2026-11-01`));

    test('one for all accounts of the payer names none', () =>
        check(`
            given rules.grants          grant_id | granted
                                        c/all    | 1
                                        c/some   | 1
            given rules.holder_accounts holder_id | account_id
                                        c/all     | org
                                        c/all     | a
                                        c/all     | b
                                        c/some    | b
            then drawing.reaches grant_id | account_id
                                 c/some   | b`));
});

describe('72-bill: audits', () => {
    test('every-charge-has-one-line fails when a charge has none', async () => {
        const lost = `${charge('1')}
            given billed.lines line_key`;
        expect(await found('every-charge-has-one-line', lost)).toBe(1);
        expect(await found('every-charge-has-one-line', charge('1'))).toBe(0);
    });

    test('every-line-is-rounded-once fails when a line is off by more than half a unit', async () => {
        const given = (amount: string) => `
            given rules.rates    rate_id | product | terms
                                 r       | llm     | _
            given billed.lines   line_key | rate_id | amount_exact | amount    | currency
                                 1        | r       | 1.004        | ${amount} | USD`;
        expect(await found('every-line-is-rounded-once', given('1.01'))).toBe(1);
        expect(await found('every-line-is-rounded-once', given('1'))).toBe(0);
    });

    test('every-line-is-rounded-once fails when what was priced together is not', async () => {
        // A third each of 1.00: priced together, one of them has the cent that is left.
        const shared = (last: string, total: string) => `
            given rules.rates    rate_id | product | terms
                                 r       | llm     | {}
            given rolled.charges account_id | rate_id | line_id | amount      | rounded
                                 a          | r       | l       | 0.333333334 | 0.34
                                 b          | r       | l       | 0.333333333 | 0.33
                                 c          | r       | l       | 0.333333333 | ${last}
            given billed.lines   line_key | rate_id | amount_exact | amount   | currency
                                 1        | r       | 1            | ${total} | USD`;
        const rows = (last: string, total: string) =>
            found('every-line-is-rounded-once', shared(last, total));
        expect(await rows('0.33', '1')).toBe(0);
        expect(await rows('0.34', '1.01')).toBe(1);
        expect(await rows('0.33', '1.01')).toBe(1);
    });

    test('over a term two totals are rounded: their difference is within a whole minor unit', async () => {
        // 0.005 came to 0.01 and 0.0149 comes to 0.01: the 0.0099 between them are nothing.
        const given = (scope: string, rounded: string) => `
            given rules.rates    rate_id | product | terms
                                 r       | llm     | {"tier_scope":"${scope}"}
            given rolled.charges account_id | rate_id | line_id | amount | rounded
                                 a          | r       | l       | 0.0099 | ${rounded}
            given billed.lines   line_key | rate_id | amount_exact | amount     | currency
                                 1        | r       | 0.0099       | ${rounded} | USD`;
        const rows = (scope: string, rounded: string) =>
            found('every-line-is-rounded-once', given(scope, rounded));
        expect(await rows('contract_term', '0')).toBe(0);
        expect(await rows('contract_term', '0.02')).toBe(1);
        expect(await rows('pool', '0')).toBe(1);
    });

    test('every-promise-is-for-someone fails when a grant names no account', async () => {
        const text = (holder: string) => `
            given rules.grants          grant_id
                                        c/g
            given rules.holder_accounts holder_id | account_id
                                        ${holder} | a`;
        expect(await found('every-promise-is-for-someone', text('c/g'))).toBe(0);
        expect(await found('every-promise-is-for-someone', text('c/h'))).toBe(1);
    });

    test('no-part-counts-beyond-its-commitment fails when it is not for the part', async () => {
        const text = (end: string, account: string, product: string) => `
            given billed.parts         payer_id | charge_no | account_id | product | meter | span_start | span_end
                                       org      | 1         | a          | llm     | m     | 2026-10-01 | 2026-11-01
            given billed.counted_parts payer_id | charge_no | measure | commitment_id
                                       org      | 1         | amount  | c/x
            given rules.commitments    commitment_id | window_end
                                       c/x           | ${end}
            given rules.holder_accounts holder_id | account_id
                                        c/x       | ${account}
            given rules.holder_products holder_id | product
                                        c/x       | ${product}`;
        const rows = (end: string, account: string, product: string) =>
            found('no-part-counts-beyond-its-commitment', text(end, account, product));
        expect(await rows('2026-11-01', 'a', 'llm')).toBe(0);
        expect(await rows('2026-10-31', 'a', 'llm')).toBe(1);
        expect(await rows('2026-11-01', 'b', 'llm')).toBe(1);
        expect(await rows('2026-11-01', 'a', 'gpu')).toBe(1);
    });
});
