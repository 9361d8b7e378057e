import { describe, expect, test } from 'vitest';
import { defaultOrder } from '../../pipelines/72-bill/tables.ts';
import { drawDown } from '../../pipelines/76-draw-down/stage.ts';
import { auditRows, check as checkStage } from '../support/table.ts';
import { type Defaults, withDefaults } from './defaults.ts';

const defaults: Defaults = {
    'drawing.charges': {
        owner_id: 'o',
        asset: 'USD',
        commitment_id: '_',
        account_id: '_',
        paid: '0',
        beyond: '0',
        within_factor: '1',
        above_factor: '1',
        rounding_divisor: '1',
        rounding_mode: 'half_away',
    },
    'drawing.commitments': {
        owner_id: 'o',
        counted_before: '0',
        true_up: 'due',
        within_factor: '1',
        rounding_divisor: '1',
        rounding_mode: 'half_away',
    },
    'drawing.grants': {
        owner_id: 'o',
        asset: 'USD',
        opening: '0',
        priority: '0',
        is_rollover: '0',
        cost_basis: '0',
    },
    'drawing.scopes': { owner_id: 'o' },
    'drawing.reaches': { owner_id: 'o' },
};
const ordered = (terms: readonly string[], owners = ['o']) => `
    given drawing.orders owner_id | position | term
    ${owners.flatMap((owner) => terms.map((term, at) => `${owner} | ${at + 1} | ${term}`)).join('\n')}`;
const world = (text: string) => withDefaults(`${ordered(defaultOrder)}\n${text}`, defaults);
const check = (text: string) => checkStage(drawDown, world(text));
const found = (audit: string, text: string) => auditRows(drawDown, audit, world(text));

describe('76-draw-down: grants', () => {
    test('one charge draws several grants: a row for each it touches', () =>
        check(`
        given drawing.charges  charge_no | size
                               1         | 70
                               2         | 50
        given drawing.grants   grant_id | granted | expires_at
                               g1       | 40      | 2026-11-01
                               g2       | 60      | 2026-12-01
                               g3       | 99      | 2027-01-01
        then  drawn.draw_downs charge_no | grant_id | drawn | balance
                               1         | g1       | 40    | 0
                               1         | g2       | 30    | 30
                               2         | g2       | 30    | 0
                               2         | g3       | 20    | 79
        then  drawn.balances   grant_id | granted | drawn | expired | closing
                               g1       | 40      | 40    | 0       | 0
                               g2       | 60      | 60    | 0       | 0
                               g3       | 99      | 20    | 0       | 79
        then  drawn.remainders charge_no | charged | drawn | remaining
                               1         | 70      | 70    | 0
                               2         | 50      | 50    | 0
    `));

    test.each([
        ['priority', 'priority', ['2', '1']],
        ['rollover before fresh', 'is_rollover', ['0', '1']],
        ['promotional before paid', 'cost_basis', ['1', '0']],
        ['the earliest expiry', 'expires_at', ['2026-12-02', '2026-12-01']],
        ['an expiry before none', 'expires_at', ['_', '2026-12-01']],
        ['the earliest start', 'starts_at', ['2026-01-02', '2026-01-01']],
        ['no start before one', 'starts_at', ['2026-01-02', '_']],
    ])('what draws first: %s', (_what, column, [later, sooner]) =>
        check(`
        given drawing.charges  charge_no | size
                               1         | 1
        given drawing.grants   grant_id | granted | ${column}
                               a        | 5       | ${later}
                               b        | 5       | ${sooner}
        then  drawn.draw_downs grant_id | drawn
                               b        | 1
    `),
    );

    test('then the narrowest scope, and ids where all is equal', () =>
        check(`
        given drawing.charges  charge_no | size | product
                               1         | 12   | gpu
        given drawing.grants   grant_id | granted
                               all      | 5
                               two      | 5
                               one      | 1
                               eins     | 1
        given drawing.scopes   grant_id | product
                               two      | gpu
                               two      | cpu
                               one      | gpu
                               eins     | gpu
        then  drawn.grants     turn | grant_id | products
                               1    | eins     | [gpu]
                               2    | one      | [gpu]
                               3    | two      | [cpu, gpu]
                               4    | all      | []
        then  drawn.draw_downs grant_id | drawn
                               eins     | 1
                               one      | 1
                               two      | 5
                               all      | 5
    `));

    test('the order is data: an owner may have another', () =>
        checkStage(
            drawDown,
            withDefaults(
                `${ordered(['expires_at', 'priority'])}
        given drawing.charges  charge_no | size
                               1         | 5
        given drawing.grants   grant_id | granted | priority | expires_at
                               a        | 5       | 1        | 2026-12-02
                               b        | 5       | 2        | 2026-12-01
        then  drawn.draw_downs grant_id | drawn
                               b        | 5`,
                defaults,
            ),
        ));

    test('what an earlier charge could not take is there for a later one', () =>
        check(`
        given drawing.charges  charge_no | size | product
                               1         | 10   | cpu
                               2         | 10   | gpu
                               3         | 10   | cpu
        given drawing.grants   grant_id | granted | priority
                               g        | 6       | 1
                               all      | 12      | 2
        given drawing.scopes   grant_id | product
                               g        | gpu
        then  drawn.draw_downs charge_no | grant_id | drawn | balance
                               1         | all      | 10    | 2
                               2         | g        | 6     | 0
                               2         | all      | 2     | 0
        then  drawn.remainders charge_no | remaining
                               1         | 0
                               2         | 2
                               3         | 10
    `));

    test('a grant pays for its accounts, and one of fewer accounts draws first', () =>
        check(`
        given drawing.charges  charge_no | size | account_id
                               1         | 10   | a
                               2         | 10   | b
                               3         | 10   | _
        given drawing.grants   grant_id | granted
                               all      | 9
                               ab       | 8
                               b        | 7
        given drawing.reaches  grant_id | account_id
                               ab       | a
                               ab       | b
                               b        | b
        then  drawn.grants     turn | grant_id | accounts
                               1    | b        | [b]
                               2    | ab       | [a, b]
                               3    | all      | []
        then  drawn.draw_downs charge_no | grant_id | drawn
                               1         | ab       | 8
                               1         | all      | 2
                               2         | b        | 7
                               2         | all      | 3
                               3         | all      | 4
    `));

    test('products weigh more than accounts', () =>
        check(`
        given drawing.charges  charge_no | size | account_id | product
                               1         | 1    | a          | gpu
        given drawing.grants   grant_id | granted
                               account  | 9
                               product  | 9
        given drawing.reaches  grant_id | account_id
                               account  | a
        given drawing.scopes   grant_id | product
                               product  | gpu
        then  drawn.draw_downs grant_id | drawn
                               product  | 1
    `));

    test('what was paid before is not drawn again, and does not remain', () =>
        check(`
        given drawing.charges  charge_no | size | paid
                               1         | 10   | 4
                               2         | 10   | 10
                               3         | 10   | 0
        given drawing.grants   grant_id | granted
                               g        | 9
        then  drawn.draw_downs charge_no | drawn | balance
                               1         | 6     | 3
                               3         | 3     | 0
        then  drawn.remainders charge_no | charged | paid | drawn | remaining
                               1         | 10      | 4    | 6     | 0
                               2         | 10      | 10   | 0     | 0
                               3         | 10      | 0    | 3     | 7
    `));

    test('a window is half-open, and all of a service period must lie in it', () =>
        check(`
        given drawing.charges  charge_no | size | first_at            | last_at
                               1         | 1    | 2026-10-01          | 2026-10-01
                               2         | 1    | 2026-10-31 23:59:59 | 2026-10-31 23:59:59
                               3         | 1    | 2026-11-01          | 2026-11-01
                               4         | 1    | 2026-09-30 23:59:59 | 2026-10-02
                               5         | 1    | _                   | _
        given drawing.grants   grant_id | granted | starts_at  | expires_at
                               g        | 9       | 2026-10-01 | 2026-11-01
        then  drawn.draw_downs charge_no
                               1
                               2
                               5
    `));

    test('what is left of a grant that ends by the close is expired', () =>
        check(`
        given drawing.charges  charge_no | size
                               1         | 3
        given drawing.grants   grant_id | opening | granted | expires_at | closes_at
                               a        | 5       | 0       | 2026-11-01 | 2026-11-01
                               b        | 2       | 7       | 2026-11-02 | 2026-11-01
        then  drawn.balances   grant_id | opening | granted | drawn | expired | closing
                               a        | 5       | 0       | 3     | 2       | 0
                               b        | 2       | 7       | 0     | 0       | 9
    `));

    test('owners and assets never meet, and a charge below zero draws nothing', () =>
        checkStage(
            drawDown,
            withDefaults(
                `${ordered(defaultOrder, ['o', 'p'])}
        given drawing.charges  owner_id | charge_no | asset | size
                               o        | 1         | USD   | 5
                               o        | 2         | EUR   | 5
                               o        | 3         | USD   | -5
                               p        | 1         | USD   | 5
        given drawing.grants   owner_id | grant_id | asset | granted
                               o        | g        | USD   | 9
                               p        | g        | EUR   | 9
        then  drawn.draw_downs owner_id | charge_no | grant_id | drawn
                               o        | 1         | g        | 5
        then  drawn.remainders owner_id | charge_no | remaining
                               o        | 1         | 0
                               o        | 2         | 5
                               o        | 3         | -5
                               p        | 1         | 5`,
                defaults,
            ),
        ));
});

describe('76-draw-down: commitments', () => {
    test('up to the commitment at its price, above it at that of overage', () =>
        check(`
        given drawing.charges     charge_no | commitment_id | size | within_factor | above_factor | rounding_divisor
                                  1         | c             | 60   | 10            | 15           | 100
                                  2         | c             | 60   | 10            | 15           | 100
                                  3         | _             | 60   | 10            | 15           | 100
        given drawing.commitments commitment_id | committed | within_factor | rounding_divisor
                                  c             | 101       | 10            | 100
        then  drawn.parts         charge_no | within | above
                                  1         | 60     | 0
                                  2         | 41     | 19
                                  3         | 60     | 0
        then  drawn.charges       charge_no | exact | overage | rounded | rounded_overage
                                  1         | 600   | 0       | 6       | 0
                                  2         | 695   | 285     | 7       | 3
                                  3         | 600   | 0       | 6       | 0
        then  drawn.true_ups      counted | shortfall | exact | rounded
                                  120     | 0         | 0     | 0
    `));

    test('the shortfall is billed when it is due, and what was billed before counts', () =>
        check(`
        given drawing.charges     charge_no | commitment_id | size
                                  1         | due           | 60
                                  2         | later         | 60
        given drawing.commitments commitment_id | committed | counted_before | true_up | rounding_divisor
                                  due           | 105       | 10             | due     | 10
                                  later         | 105       | 10             | none    | 10
                                  unused        | 25        | 0              | due     | 10
        then  drawn.true_ups      commitment_id | counted | shortfall | exact | rounded
                                  due           | 70      | 35        | 35    | 4
                                  later         | 70      | 35        | 0     | 0
                                  unused        | 0       | 25        | 25    | 3
    `));

    test('a charge below zero takes back overage first', () =>
        check(`
        given drawing.charges     charge_no | commitment_id | size
                                  1         | c             | 120
                                  2         | c             | -30
                                  3         | c             | 15
        given drawing.commitments commitment_id | committed
                                  c             | 100
        then  drawn.parts         charge_no | within | above
                                  1         | 100    | 20
                                  2         | -10    | -20
                                  3         | 10     | 5
    `));

    test('overage is drawn from grants too, a true-up is not', () =>
        check(`
        given drawing.charges     charge_no | commitment_id | size | above_factor
                                  1         | c             | 6    | 2
        given drawing.commitments commitment_id | committed
                                  c             | 5
                                  d             | 5
        given drawing.grants      grant_id | granted
                                  g        | 50
        then  drawn.draw_downs    drawn | balance
                                  7     | 43
    `));
});

/** A charge of 10 that drew 4 of a grant of 6, as it must be. */
const drawn = (more: string) => `
    given drawing.charges  charge_no | size | product | first_at            | last_at
                           1         | 10   | gpu     | 2026-10-10 00:00:00 | 2026-10-10 00:00:00
    given drawn.charges    owner_id | charge_no | asset | rounded
                           o        | 1         | USD   | 10
    ${more}`;
const grant = (more = '', value = '') => `
    given drawing.grants   grant_id | granted ${more && `| ${more}`}
                           g        | 6       ${value && `| ${value}`}`;
const draws = (size: string) => `
    given drawn.draw_downs owner_id | charge_no | grant_id | drawn
                           o        | 1         | g        | ${size}`;

describe('76-draw-down: audits', () => {
    test('every-grant-rolls-forward fails when a draw is not in the balance', async () => {
        const text = (size: string, closing: string) =>
            drawn(`${grant()}${draws(size)}
            given drawn.balances owner_id | grant_id | opening | granted | drawn | expired | closing
                                 o        | g        | 0       | 6       | 4     | 0       | ${closing}`);
        expect(await found('every-grant-rolls-forward', text('4', '2'))).toBe(0);
        expect(await found('every-grant-rolls-forward', text('5', '2'))).toBe(1);
        expect(await found('every-grant-rolls-forward', text('7', '-1'))).toBe(1);
    });

    test('no-charge-is-drawn-beyond-its-size fails when grants pay more than it is', async () => {
        const audit = 'no-charge-is-drawn-beyond-its-size';
        expect(await found(audit, drawn(grant() + draws('10')))).toBe(0);
        expect(await found(audit, drawn(grant() + draws('11')))).toBe(1);
        expect(await found(audit, drawn(grant() + draws('-1')))).toBe(1);
        const paid = (size: string) => `
            given drawing.charges  charge_no | size | paid
                                   1         | 10   | ${size}`;
        expect(await found(audit, drawn(grant() + paid('4') + draws('6')))).toBe(0);
        expect(await found(audit, drawn(grant() + paid('5') + draws('6')))).toBe(1);
        expect(await found(audit, drawn(grant() + paid('-1') + draws('6')))).toBe(1);
        // Overage at half its price: 10 were paid for what comes to 5.
        const cheaper = (size: string) => `
            given drawn.charges  owner_id | charge_no | asset | rounded
                                 o        | 1         | USD   | 5
            ${paid(size)}`;
        expect(await found(audit, drawn(grant() + cheaper('10')))).toBe(0);
        expect(await found(audit, drawn(grant() + cheaper('11')))).toBe(1);
        expect(await found(audit, drawn(grant() + cheaper('10') + draws('1')))).toBe(1);
    });

    test('every-draw-is-in-its-window-and-scope fails when a grant pays for what it is not for', async () => {
        const audit = 'every-draw-is-in-its-window-and-scope';
        const scope = (product: string) => `
            given drawing.scopes grant_id | product
                                 g        | ${product}`;
        const rows = (text: string) => found(audit, drawn(`${text}${draws('4')}`));
        expect(await rows(grant('expires_at', '2026-10-11') + scope('gpu'))).toBe(0);
        expect(await rows(grant('expires_at', '2026-10-10'))).toBe(1);
        expect(await rows(grant('starts_at', '2026-10-11'))).toBe(1);
        expect(await rows(grant('asset', 'EUR'))).toBe(1);
        expect(await rows(grant() + scope('cpu'))).toBe(1);
        const reach = (account: string) => `
            given drawing.charges  charge_no | size | account_id
                                   1         | 10   | a
            given drawing.reaches  grant_id | account_id
                                   g        | ${account}`;
        expect(await rows(grant() + reach('a'))).toBe(0);
        expect(await rows(grant() + reach('b'))).toBe(1);
    });

    test('no-grant-holds-back fails when a charge is left to pay beside a grant for it', async () => {
        const audit = 'no-grant-holds-back';
        const rows = (size: string, of = grant()) => found(audit, drawn(`${of}${draws(size)}`));
        expect(await rows('6')).toBe(0);
        expect(await rows('4')).toBe(1);
        expect(await rows('4', grant('expires_at', '2026-10-10'))).toBe(0);
        expect(await rows('4', grant('asset', 'EUR'))).toBe(0);
        const reach = `${grant()}
            given drawing.charges  charge_no | size | account_id
                                   1         | 10   | a
            given drawing.reaches  grant_id | account_id
                                   g        | b`;
        expect(await rows('4', reach)).toBe(0);
    });

    test('every-commitment-is-used-or-trued-up fails when a shortfall is lost or billed early', async () => {
        const text = (counted: string, shortfall: string, exact: string, true_up = 'due') => `
            given drawing.charges     charge_no | commitment_id | size
                                      1         | c             | 6
            given drawing.commitments commitment_id | committed | within_factor | true_up
                                      c             | 10        | 3             | ${true_up}
            given drawn.true_ups      owner_id | commitment_id | counted | shortfall | exact
                                      o        | c             | ${counted} | ${shortfall} | ${exact}`;
        const audit = 'every-commitment-is-used-or-trued-up';
        expect(await found(audit, text('6', '4', '12'))).toBe(0);
        expect(await found(audit, text('6', '4', '0', 'none'))).toBe(0);
        expect(await found(audit, text('6', '0', '0'))).toBe(1);
        expect(await found(audit, text('10', '0', '0'))).toBe(1);
        expect(await found(audit, text('6', '4', '12', 'none'))).toBe(1);
    });

    test('every-charge-counts-towards-a-commitment-there-is fails when nobody knows it', async () => {
        const text = (commitment: string) => `
            given drawing.charges     charge_no | commitment_id
                                      1         | ${commitment}
            given drawing.commitments commitment_id
                                      c`;
        const audit = 'every-charge-counts-towards-a-commitment-there-is';
        expect(await found(audit, text('c'))).toBe(0);
        expect(await found(audit, text('_'))).toBe(0);
        // The cut of a charge by a commitment that is not there is null, which no table takes.
        const parts = `
            given drawn.parts owner_id | charge_no
                              o        | 1`;
        expect(await found(audit, text('d') + parts)).toBe(1);
    });

    test('every-grant-has-its-turn fails when an owner has no order', async () => {
        const text = (owner: string) =>
            withDefaults(`${ordered(defaultOrder, [owner])}${grant()}`, defaults);
        const rows = (owner: string) =>
            auditRows(drawDown, 'every-grant-has-its-turn', text(owner));
        expect(await rows('o')).toBe(0);
        expect(await rows('p')).toBe(1);
    });
});
