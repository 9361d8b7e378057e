import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantText, worlds } from '../support/arbitraries.ts';
import {
    bandOf,
    compare,
    decimalText,
    fraction,
    instant,
    minus,
    one,
    parseDecimal,
    plus,
    roundedUnits,
    sum,
} from '../support/exact.ts';
import { bookOf, projectFiles, walletsOf } from '../support/world.ts';
import {
    type Account,
    type Book,
    bestRate,
    pathOf,
    payerOf,
    quantityOf,
    type Rate,
    rateUsage,
    type UsageEvent,
} from './slow-rater.ts';
import { type DebitEntry, tieOuts, type Wallets } from './slow-reconciler.ts';

/*
 * The oracle against examples worked on paper from design/product.md. A number here was never
 * copied from what a program gave.
 */

const account = (account_id: string, changes: Partial<Account> = {}): Account => ({
    account_id,
    parent: null,
    bill_to: 'top',
    from: '2024-01-01T00:00:00Z',
    to: null,
    ...changes,
});

const rate = (when: Rate['when'], price: string, changes: Partial<Rate> = {}): Rate => ({
    meter: 'tokens',
    when,
    priority: 0,
    from: '2025-01-01T00:00:00Z',
    to: null,
    price,
    price_per: '1000000',
    currency: 'USD',
    ...changes,
});

const march = { start: '2025-03-01T00:00:00Z', end: '2025-04-01T00:00:00Z' };

const book = (changes: Partial<Book> = {}): Book => ({
    meters: [
        {
            meter: 'tokens',
            wants: ({ event_type }) => event_type === 'llm.request',
            attributes: ['model', 'band'],
            classes: [
                {
                    token_class: 'input',
                    quantity: (of) => minus(quantityOf(of, 'input'), quantityOf(of, 'cached')),
                },
                { token_class: 'cached', quantity: (of) => quantityOf(of, 'cached') },
            ],
        },
    ],
    derived: {
        band: (of) =>
            bandOf(quantityOf(of, 'input'), [{ up_to: '200', is: 'short' }, { is: 'long' }]),
    },
    rates: [rate({ model: 'opus' }, '15'), rate({ token_class: 'cached' }, '1.5', { priority: 1 })],
    accounts: [account('acme'), account('lab', { parent: 'acme' })],
    payers: { acme: { currency: 'USD', ...march }, lab: { currency: 'USD', ...march } },
    exponents: { USD: 2, JPY: 0 },
    ...changes,
});

let lines = 0;
const event = (
    event_id: string,
    quantities: UsageEvent['quantities'],
    changes: Partial<UsageEvent> = {},
): UsageEvent => {
    lines += 1;
    return {
        object: 'a',
        line: lines,
        source: 's',
        event_id,
        event_type: 'llm.request',
        account_id: 'acme',
        at: '2025-03-10T12:00:00Z',
        attributes: { model: 'opus' },
        quantities,
        ...changes,
    };
};

describe('exact', () => {
    test('decimals are fractions, and come back shortest', () => {
        expect(parseDecimal('0.30')).toEqual({ top: 3n, bottom: 10n });
        expect(parseDecimal('-12.5')).toEqual({ top: -25n, bottom: 2n });
        const pennies = ['0.1', '0.2'].map(parseDecimal);
        expect(decimalText(sum(pennies))).toBe('0.3');
        expect(decimalText(parseDecimal('1500.000'))).toBe('1500');
        expect(decimalText(fraction(-1n, 8n))).toBe('-0.125');
        expect(() => decimalText(fraction(1n, 3n))).toThrow(RangeError);
        expect(() => parseDecimal('1e3')).toThrow(RangeError);
    });

    test.each([
        ['0.005', 2, 1n],
        ['-0.005', 2, -1n],
        ['0.0049999999999', 2, 0n],
        ['2.675', 2, 268n],
        ['2.5', 0, 3n],
        ['-2.5', 0, -3n],
        ['1.0005', 3, 1001n],
        ['0', 2, 0n],
    ])('%s to %i decimals is %s units: halves go away from zero', (text, decimals, units) => {
        expect(roundedUnits(parseDecimal(text), decimals)).toBe(units);
    });

    test('instants keep their microsecond in any offset', () => {
        const expected = 1_741_608_000_123_456n; // 20,158 days after 1970, noon
        expect(instant('2025-03-10T12:00:00.123456Z')).toBe(expected);
        expect(instant('2025-03-10T17:30:00.123456+05:30')).toBe(expected);
        expect(instant('2025-03-10T07:00:00.123456-05:00')).toBe(expected);
        expect(instant('2025-03-10T12:00:00.5Z') - instant('2025-03-10T12:00:00Z')).toBe(500_000n);
        expect(() => instant('2025-03-10T12:00:00')).toThrow(RangeError);
        expect(instantText(expected, 330)).toBe('2025-03-10T17:30:00.123456+05:30');
        expect(instantText(expected, -300)).toBe('2025-03-10T07:00:00.123456-05:00');
    });

    test('the bound of a band belongs to it', () => {
        const steps = [{ up_to: '200', is: 'short' }, { is: 'long' }];
        const band = (text: string) => bandOf(parseDecimal(text), steps);
        expect([band('0'), band('200'), band('200.000000000001'), band('201')]).toEqual([
            'short',
            'short',
            'long',
            'long',
        ]);
    });
});

describe('rating', () => {
    test('one event, two classes, each at its own rate', () => {
        // 1,000 input of which 400 cached: 600 x 15/10^6 = 0.009; 400 x 1.5/10^6 = 0.0006.
        const bill = rateUsage([event('e1', { input: '1000', cached: '400' })], book());
        expect(bill.lines.map((of) => [of.attributes, of.quantity, of.amount_exact])).toEqual([
            ['{"band":"long","model":"opus","token_class":"cached"}', '400', '0.0006'],
            ['{"band":"long","model":"opus","token_class":"input"}', '600', '0.009'],
        ]);
        // Rounded once for the line: 0.0006 -> 0 cents, 0.009 -> 1 cent.
        expect(bill.lines.map(({ amount_minor }) => amount_minor)).toEqual([0n, 1n]);
    });

    test('events are added before the one rounding', () => {
        // 334 tokens cost 0.00501 each; three cost 0.01503. One by one it would be 3 cents.
        const three = ['a', 'b', 'c'].map((id) => event(id, { input: '334' }));
        expect(rateUsage(three, book()).lines).toMatchObject([
            { quantity: '1002', amount_exact: '0.01503', amount_minor: 2n, event_count: 3 },
        ]);
    });

    test('an amount of exactly half a cent is a cent, and of half a yen a yen', () => {
        // 1,000 x 5/10^6 = 0.005; 1,000 x 500/10^6 = 0.5.
        const used = [event('e1', { input: '1000' })];
        const cents = rateUsage(used, book({ rates: [rate({}, '5')] }));
        expect(cents.lines).toMatchObject([{ amount_exact: '0.005', amount_minor: 1n }]);
        const yen = book({
            rates: [rate({}, '500', { currency: 'JPY' })],
            payers: { acme: { currency: 'JPY', ...march } },
        });
        expect(rateUsage(used, yen).lines).toMatchObject([
            { amount_exact: '0.5', amount_minor: 1n },
        ]);
    });

    test('a price_per that is no power of ten is divided exactly', () => {
        // 7 x 1/8 = 0.875: a price that needs three decimals a unit.
        const bill = rateUsage(
            [event('e1', { input: '7' })],
            book({ rates: [rate({}, '1', { price_per: '8' })] }),
        );
        expect(bill.lines).toMatchObject([{ amount_exact: '0.875', amount_minor: 88n }]);
    });

    test('what no rate matches is unrated, not free', () => {
        const bill = rateUsage(
            [event('e1', { input: '100', cached: '0' }, { attributes: { model: 'haiku' } })],
            book(),
        );
        expect(bill.lines).toEqual([]);
        expect(bill.unrated).toMatchObject([{ rate: 'UNRATED', quantity: '100', event_count: 1 }]);
    });

    test('a missing attribute matches only a wildcard and shows as null', () => {
        const used = [event('e1', { input: '100' }, { attributes: { model: null } })];
        expect(rateUsage(used, book()).unrated).toHaveLength(1);
        const bill = rateUsage(used, book({ rates: [rate({ model: '*' }, '1')] }));
        expect(bill.lines).toMatchObject([
            { attributes: '{"band":"short","model":null,"token_class":"input"}' },
        ]);
    });

    test('a rate in another currency than the payer prices nothing', () => {
        const bill = rateUsage(
            [event('e1', { input: '100' })],
            book({ payers: { acme: { currency: 'JPY', ...march } } }),
        );
        expect(bill).toMatchObject({ lines: [], unrated: [{ rate: 'RATE_CURRENCY' }] });
    });

    test('zero usage makes no line, and a missing quantity is zero', () => {
        expect(rateUsage([event('e1', { input: '0' })], book())).toMatchObject({
            lines: [],
            unrated: [],
        });
    });

    test('a change of price splits usage at its very microsecond', () => {
        const change = '2025-03-15T00:00:00Z';
        const rates = [rate({}, '10', { to: change }), rate({}, '20', { from: change })];
        const bill = rateUsage(
            [
                event('e1', { input: '1' }, { at: '2025-03-14T23:59:59.999999Z' }),
                event('e2', { input: '10' }, { at: change }),
            ],
            book({ rates }),
        );
        // 1 x 10/10^6 and 10 x 20/10^6.
        expect(bill.lines.map(({ amount_exact }) => amount_exact).sort()).toEqual([
            '0.00001',
            '0.0002',
        ]);
    });

    test('the period holds its first microsecond and not its end, in the zone of the payer', () => {
        const newYork = { start: '2025-03-01T05:00:00Z', end: '2025-04-01T04:00:00Z' };
        const at = (id: string, text: string) => event(id, { input: '1' }, { at: text });
        const bill = rateUsage(
            [
                at('before', '2025-03-01T04:59:59.999999Z'),
                at('first', '2025-03-01T05:00:00Z'),
                at('last', '2025-03-31T23:59:59.999999-04:00'),
                at('after', '2025-04-01T00:00:00-04:00'),
            ],
            book({ payers: { acme: { currency: 'USD', ...newYork } } }),
        );
        expect(bill.lines).toMatchObject([{ event_count: 2, quantity: '2' }]);
        expect(bill.kept).toHaveLength(4);
    });
});

describe('the choice of a rate', () => {
    const at = instant('2025-03-10T00:00:00Z');
    const best = (rates: readonly Rate[]) =>
        bestRate(rates, 'tokens', { model: 'opus', band: 'long' }, at)?.price;
    const any = rate({ model: '*' }, '1', { priority: 9 });
    const model = rate({ model: 'opus' }, '2');
    const band = rate({ band: 'long', model: '*' }, '3', { priority: 1 });
    const both = rate({ band: 'long', model: 'opus' }, '4', { priority: -1 });
    const late = rate({ band: 'long' }, '5', { priority: 1, from: '2025-02-01T00:00:00Z' });

    test('more attributes win over priority, priority over start, the later start at last', () => {
        expect(best([any])).toBe('1');
        expect(best([any, model])).toBe('2');
        expect(best([any, model, band])).toBe('3');
        expect(best([late, band, model])).toBe('5');
        expect(best([any, model, both, band, late])).toBe('4');
    });

    test('what nothing decides is an error, not a choice', () => {
        const rival = rate({ band: 'long' }, '6');
        expect(() => best([model, rival])).toThrow(/tie/);
        expect(best([model, rival, both])).toBe('4');
    });

    test('another meter, another value, another time: none', () => {
        expect(best([rate({}, '1', { meter: 'requests' })])).toBeUndefined();
        expect(best([rate({ model: 'haiku' }, '1')])).toBeUndefined();
        expect(best([rate({}, '1', { to: '2025-03-10T00:00:00Z' })])).toBeUndefined();
        expect(best([rate({}, '1', { from: '2025-03-10T00:00:00.000001Z' })])).toBeUndefined();
    });
});

describe('accounts', () => {
    const moved = '2025-03-15T00:00:00Z';
    const accounts = [
        account('acme'),
        account('eu', { parent: 'acme' }),
        account('beta'),
        account('lab', { parent: 'eu', bill_to: 'parent', to: moved }),
        account('lab', { parent: 'beta', from: moved }),
        account('own', { parent: 'eu', bill_to: 'self' }),
    ];
    const payer = (id: string, at: string) => {
        const path = pathOf(accounts, id, instant(at));
        return path && payerOf(path);
    };

    test('self, parent and top pay, and a parent changes at its instant', () => {
        expect(payer('own', moved)).toBe('own');
        expect(payer('eu', moved)).toBe('acme');
        expect(payer('lab', '2025-03-14T23:59:59.999999Z')).toBe('eu');
        expect(payer('lab', moved)).toBe('beta');
        expect(payer('lab', '2023-12-31T23:59:59Z')).toBeNull();
        expect(payer('nobody', moved)).toBeNull();
    });

    test('usage around a move is billed to two payers', () => {
        const both = [
            event('e1', { input: '1' }, { account_id: 'lab', at: '2025-03-14T23:59:59.999999Z' }),
            event('e2', { input: '2' }, { account_id: 'lab', at: moved }),
            event('e3', { input: '4' }, { account_id: 'nobody' }),
        ];
        const usd = { currency: 'USD', ...march };
        const bill = rateUsage(both, book({ accounts, payers: { eu: usd, beta: usd } }));
        expect(bill.lines.map(({ payer_id, quantity }) => [payer_id, quantity])).toEqual([
            ['beta', '2'],
            ['eu', '1'],
        ]);
        expect(bill.unknown).toBe(1);
    });
});

describe('copies', () => {
    const first = event('e1', { input: '5' }, { object: 'b', line: 2 });

    test('the earlier object counts, then the earlier line, whatever order they come in', () => {
        const earlierObject = { ...first, object: 'a', line: 9, quantities: { input: '7' } };
        const earlierLine = { ...first, line: 1, quantities: { input: '6' } };
        expect(rateUsage([first, earlierLine], book()).lines).toMatchObject([{ quantity: '6' }]);
        const bill = rateUsage([first, earlierLine, earlierObject], book());
        expect(bill).toMatchObject({ duplicates: 0, conflicts: 2, lines: [{ quantity: '7' }] });
    });

    test('the same said otherwise is a duplicate; another source is another event', () => {
        const respelled = {
            ...first,
            line: 3,
            at: '2025-03-10T13:00:00+01:00',
            quantities: { input: '5.0', cached: null },
        };
        const other = { ...first, line: 4, source: 't' };
        expect(rateUsage([first, respelled, other], book())).toMatchObject({
            duplicates: 1,
            conflicts: 0,
            lines: [{ quantity: '10', event_count: 2 }],
        });
    });

    test('a copy of an account that does not exist is set aside before it can win', () => {
        const stranger = { ...first, object: 'a', account_id: 'nobody' };
        expect(rateUsage([stranger, first], book())).toMatchObject({
            unknown: 1,
            conflicts: 0,
            lines: [{ account_id: 'acme', quantity: '5' }],
        });
    });
});

describe('the tie-out', () => {
    let no = 0;
    const entry = (
        entry_type: string,
        amount: string,
        changes: Partial<DebitEntry> = {},
    ): DebitEntry => {
        no += 1;
        return {
            object: 'debits',
            line: no,
            input: 'ledger',
            entry_id: `d${no}`,
            entry_type,
            account_id: 'acme',
            asset: 'USD',
            amount,
            booked_at: '2025-03-10T12:00:01Z',
            rest: {},
            ...changes,
        };
    };
    const wallets: Wallets = {
        of: { lab: { asset: 'TOK', shape: 'instant', funding: 'prepaid' } },
        rates: [],
        tolerances: {},
        counts: { TOK: (of: UsageEvent) => plus(quantityOf(of, 'input'), one) },
        otherwise: march,
    };

    test('captures take, reversals and refunds give back, the rest moves nothing', () => {
        // 1,000 x 15/10^6 = 0.015 rated; 0.015 + 0.02 - 0.02 - 0.001 = 0.014 debited.
        const entries = [
            entry('authorize', '0.015'),
            entry('capture', '0.015'),
            entry('capture', '0.02'),
            entry('reverse', '0.02'),
            entry('refund', '0.001'),
            entry('topup', '50'),
            entry('decline', '9'),
            entry('capture', '3', { booked_at: '2025-04-01T00:00:00Z' }),
        ];
        expect(tieOuts([event('e1', { input: '1000' })], entries, book(), wallets)).toEqual([
            {
                account_id: 'acme',
                asset: 'USD',
                rated: '0.015',
                debited: '0.014',
                difference: '0.001',
            },
        ]);
    });

    test('a wallet of units counts units, and an entry that comes twice counts once', () => {
        const debit = entry('capture', '11', { account_id: 'lab', asset: 'TOK' });
        const copy = { ...debit, line: 900, amount: '12' };
        const used = [event('e1', { input: '10' }, { account_id: 'lab' })];
        expect(tieOuts(used, [debit, copy], book(), wallets)).toEqual([
            { account_id: 'lab', asset: 'TOK', rated: '11', debited: '11', difference: '0' },
        ]);
    });

    test('usage that nothing prices is worth nothing in money; debits without usage stay', () => {
        const used = [event('e1', { input: '10' }, { attributes: { model: 'haiku' } })];
        const stranger = entry('capture', '2', { account_id: 'nobody' });
        expect(tieOuts(used, [stranger], book(), wallets)).toEqual([
            {
                account_id: 'nobody',
                asset: 'USD',
                rated: '0',
                debited: '2',
                difference: '-2',
            },
        ]);
    });
});

describe('random worlds', () => {
    test('can be rated: no tie, no orphan, and every class of every event lands once', () => {
        fc.assert(
            fc.property(worlds(), (world) => {
                const wanted = bookOf(world);
                const bill = rateUsage(world.events, wanted);
                const count = bill.kept.length + bill.duplicates + bill.conflicts + bill.unknown;
                expect(count).toBe(world.events.length);
                const quantities = [...bill.lines, ...bill.unrated].map((of) =>
                    parseDecimal(of.quantity),
                );
                expect(quantities.every((of) => compare(of, parseDecimal('0')) > 0)).toBe(true);
                tieOuts(world.events, world.debits, wanted, walletsOf(world));
                // Every record lies on its own line of its object.
                const places = [...world.events, ...world.junk, ...world.debits].map(
                    ({ object, line }) => `${object}:${line}`,
                );
                expect(new Set(places).size).toBe(places.length);
                expect(Object.keys(projectFiles(world))).toContain('tieout.yaml');
            }),
            { numRuns: 100 },
        );
    });
});
