import { describe, expect, test } from 'vitest';
import { cut } from '../../pipelines/31-cut/stage.ts';
import { auditRows, check } from '../support/table.ts';
import { withDefaults } from './defaults.ts';

/*
 * An account x of two days and a bit, from the 14th at 18:00 to the 17th; one partial a day, unless a
 * test says more.
 */
const path = {
    ...{ account_id: 'x', payer_id: 'x', pool_id: 'x', wallet_asset: 'USD', currency: 'USD' },
    ...{ channel_id: '', valid_from: '2026-01-01', valid_to: '9999-12-31' },
    ...{ period_start: '2026-10-14 18:00', period_end: '2026-10-17' },
};
const usage = {
    ...{ account_id: 'x', payer_id: 'x', pool_id: 'x', wallet_asset: 'USD', currency: 'USD' },
    ...{ channel_id: '', meter: 'm', attributes: '{}', unit: 'u', event_count: '1' },
};
const given = (text: string) =>
    withDefaults(text, { 'accounts.paths': path, 'kept.paths': path, 'kept.usage': usage });

const partials = `
    given kept.usage book_id | segment_at | event_on   | quantity
                     list    | 2026-01-01 | 2026-10-14 | 14
                     list    | 2026-01-01 | 2026-10-15 | 15
                     list    | 2026-01-01 | 2026-10-16 | 16`;
const kept = `
    given kept.paths      book_id
                          list
    given kept.boundaries meter | boundary_at
                          | 2026-01-01
    ${partials}`;

describe('31-cut', () => {
    test('days that nothing cuts are kept, in the segment and book of today', () =>
        check(
            cut,
            given(`${kept}
            given accounts.paths book_id
                                 best
            given run.boundaries meter | boundary_at
                                 | 2026-02-01
                                 other | 2026-10-15 06:00
            then  cut.days       account_id
            then  cut.partials   event_on   | book_id | segment_at           | quantity | event_count
                                 2026-10-14 | best    | 2026-02-01 | 14       | 1
                                 2026-10-15 | best    | 2026-02-01 | 15       | 1
                                 2026-10-16 | best    | 2026-02-01 | 16       | 1`),
        ));

    test('a day that a new boundary cuts is metered again; at midnight none is cut', () =>
        check(
            cut,
            given(`${kept}
            given accounts.paths book_id
                                 list
            given run.boundaries meter | boundary_at
                                 | 2026-10-15 06:00
                                 | 2026-10-16
            then  cut.days       account_id | event_on
                                 x          | 2026-10-15
            then  cut.partials   event_on   | segment_at           | quantity
                                 2026-10-14 | 0001-01-01 | 14
                                 2026-10-16 | 2026-10-16 | 16`),
        ));

    test('a day that was cut and no longer is, too: its partials were rounded apart', () =>
        check(
            cut,
            given(`
            given kept.paths      book_id
                                  list
            given kept.boundaries meter | boundary_at
                                  | 2026-10-15 06:00
            given kept.usage      book_id | segment_at | event_on | quantity
                                  list | 0001-01-01 | 2026-10-15 | 5
                                  list | 2026-10-15 06:00 | 2026-10-15 | 10
                                  list | 2026-10-15 06:00 | 2026-10-16 | 16
            given accounts.paths  book_id
                                  list
            given run.boundaries  meter
            then  cut.days        account_id | event_on
                                  x          | 2026-10-15
            then  cut.partials    event_on   | segment_at           | quantity
                                  2026-10-16 | 0001-01-01 | 16`),
        ));

    test('a day that is cut at the same instant by something else is kept in its pieces', () =>
        check(
            cut,
            given(`
            given kept.paths      book_id
                                  list
            given kept.boundaries meter | boundary_at
                                  | 2026-10-15 06:00
            given kept.usage      book_id | segment_at | event_on | quantity
                                  list | 0001-01-01 | 2026-10-15 | 5
                                  list | 2026-10-15 06:00 | 2026-10-15 | 10
            given accounts.paths  book_id | valid_from       | valid_to
                                  list    | 2026-01-01       | 2026-10-15 06:00
                                  north   | 2026-10-15 06:00 | 9999-12-31
            given run.boundaries  meter
            then  cut.days        account_id
            then  cut.partials    book_id | segment_at           | quantity
                                  list    | 0001-01-01 | 5
                                  north   | 0001-01-01 | 10`),
        ));

    test('a book that comes and goes within a day cuts it, though it ends as it began', () =>
        check(
            cut,
            given(`${kept}
            given accounts.paths book_id | valid_from       | valid_to
                                 list    | 2026-01-01       | 2026-10-15 06:00
                                 north   | 2026-10-15 06:00 | 2026-10-15 07:00
                                 list    | 2026-10-15 07:00 | 9999-12-31
            given run.boundaries meter
            then  cut.days       event_on
                                 2026-10-15
            then  cut.partials   event_on   | book_id
                                 2026-10-14 | list
                                 2026-10-16 | list`),
        ));

    test('every-partial-is-kept-or-metered-again fails when one is gone, doubled or another', async () => {
        const audit = 'every-partial-is-kept-or-metered-again';
        const rows = (...quantities: readonly string[]) =>
            auditRows(
                cut,
                audit,
                given(`
                given kept.usage   event_on | quantity
                                   2026-10-15 | 15
                                   2026-10-16 | 16
                given cut.days     account_id | event_on
                                   x | 2026-10-16
                given cut.partials account_id | meter | event_on | event_count | quantity
                ${quantities.map((quantity) => `x | m | 2026-10-15 | 1 | ${quantity}`).join('\n')}`),
            );
        expect(await rows('15')).toBe(0);
        expect(await rows()).toBe(1);
        expect(await rows('14')).toBe(1);
        expect(await rows('15', '15')).toBe(1);
    });
});
