import { describe, expect, test } from 'vitest';
import { mediate } from '../../pipelines/20-mediate/stage.ts';
import { auditRows, check } from '../support/table.ts';
import { withDefaults } from './defaults.ts';

const stage = mediate({ attributes: [], quantities: [{ name: 'tokens', type: 'integer' }] });

const defaults = {
    'raw.usage_rows': { event_type: 'llm', event_at: '2026-10-10' },
    'raw.debit_rows': { booked_at: '2026-10-10', entry_no: '1' },
};
const mediates = (text: string) => check(stage, `${world}${withDefaults(text, defaults)}`);

/** Account a from the beginning, account b from the 15th until the 20th. */
const world = `
    given accounts.spans account_id | valid_from | valid_to
                         a          | 2000-01-01 | 9999-12-31
                         b          | 2026-10-15 | 2026-10-20
    given rules.assets   asset | kind     | precision | tolerance | tolerance_percent
                         USD   | currency | 6         | 0         | 0
                         TOK   | unit     | 0         | 0         | 0`;

describe('20-mediate: usage', () => {
    test('the copy in the earlier object counts, whatever the order of the rows', () =>
        mediates(
            `
            given raw.usage_rows object_no | line_no | source | event_id | account_id | tokens | content
                                 2         | 1       | s      | e        | a          | 1      | same
                                 1         | 9       | s      | e        | a          | 1      | same
                                 3         | 1       | s      | e        | a          | 1      | same
            then mediated.usage_events  event_id | object_no | line_no
                                        e        | 1         | 9
            then mediated.usage_repeats object_no | line_no | kind      | first_object_no | first_line_no
                                        2         | 1       | duplicate | 1               | 9
                                        3         | 1       | duplicate | 1               | 9
        `,
        ));

    test('within an object the earlier line counts, by number and not as text', () =>
        mediates(
            `
            given raw.usage_rows object_no | line_no | source | event_id | account_id | content
                                 1         | 10      | s      | e        | a          | same
                                 1         | 9       | s      | e        | a          | same
            then mediated.usage_events  line_no
                                        9
        `,
        ));

    test('another content under the same identity is a conflict with the first copy', () =>
        mediates(
            `
            given raw.usage_rows object_no | line_no | source | event_id | account_id | tokens | content
                                 1         | 1       | s      | e        | a          | 1      | one
                                 1         | 2       | s      | e        | a          | 2      | two
                                 1         | 3       | s      | e        | a          | 2      | two
                                 1         | 4       | s      | e        | a          | 1      | one
            then mediated.usage_events  event_id | tokens
                                        e        | 1
            then mediated.usage_repeats line_no | kind      | source | record_id | content
                                        2       | conflict  | s      | e         | "two"
                                        3       | conflict  | s      | e         | "two"
                                        4       | duplicate | s      | e         | "one"
        `,
        ));

    test('the same id from two sources are two events, and the id is ambiguous', () =>
        mediates(
            `
            given raw.usage_rows object_no | line_no | source | event_id | account_id | content
                                 1         | 1       | eu     | e        | a          | one
                                 1         | 2       | us     | e        | a          | two
                                 1         | 3       | us     | f        | a          | one
            then mediated.usage_events     source | event_id
                                           eu     | e
                                           us     | e
                                           us     | f
            then mediated.usage_repeats    kind
            then mediated.shared_event_ids event_id
                                           e
        `,
        ));

    test('a suspended row is never the first copy, nor a repeat, nor a second source', () =>
        mediates(
            `
            given raw.usage_rows object_no | line_no | source | event_id | account_id | suspense               | content
                                 1         | 1       | s      | e        | a          | NOT_A_NUMBER:tokens    | bad
                                 1         | 2       | s      | e        | a          | _                      | one
                                 1         | 3       | s      | e        | a          | TOO_FINE:tokens        | one
                                 1         | 4       | t      | e        | a          | BAD_ENVELOPE           | one
                                 1         | 5       | _      | _        | _          | MALFORMED_JSON         |
            then mediated.usage_events     line_no
                                           2
            then mediated.usage_repeats    kind
            then mediated.shared_event_ids event_id
            then suspense.usage_rows       line_no | code           | field  | record_id
                                           1       | NOT_A_NUMBER   | tokens | e
                                           3       | TOO_FINE       | tokens | e
                                           4       | BAD_ENVELOPE   | _      | e
                                           5       | MALFORMED_JSON | _      | _
        `,
        ));

    test('an account is known from its first instant to the instant before its end', () =>
        mediates(
            `
            given raw.usage_rows object_no | line_no | source | event_id | account_id | event_at            | raw_text
                                 1         | 1       | s      | before   | b          | 2026-10-14 23:59:59 | {before}
                                 1         | 2       | s      | first    | b          | 2026-10-15 00:00:00 | {first}
                                 1         | 3       | s      | last     | b          | 2026-10-19 23:59:59 | {last}
                                 1         | 4       | s      | after    | b          | 2026-10-20 00:00:00 | {after}
                                 1         | 5       | s      | never    | nobody     | 2026-10-20 00:00:00 | {never}
            then mediated.usage_events event_id | event_on
                                       first    | 2026-10-15
                                       last     | 2026-10-19
            then suspense.usage_rows   record_id | code            | field      | raw_text
                                       before    | UNKNOWN_ACCOUNT | account_id | {before}
                                       after     | UNKNOWN_ACCOUNT | account_id | {after}
                                       never     | UNKNOWN_ACCOUNT | account_id | {never}
        `,
        ));

    test('a first copy of an unknown account leaves its place to the second', () =>
        mediates(
            `
            given raw.usage_rows object_no | line_no | source | event_id | account_id | event_at   | content
                                 1         | 1       | s      | e        | b          | 2026-10-01 | early
                                 2         | 1       | s      | e        | b          | 2026-10-16 | later
            then mediated.usage_events  object_no
                                        2
            then mediated.usage_repeats kind
        `,
        ));
});

describe('20-mediate: debits', () => {
    test('a debit of an unknown type, of an unknown asset, or below zero can not be used', () =>
        mediates(
            `
            given raw.debit_rows object_no | line_no | input | entry_id | entry_type | account_id | asset | amount | suspense
                                 1         | 1       | w     | d1       | capture    | a          | USD   | 1      | _
                                 1         | 2       | w     | d2       | hold       | a          | USD   | 1      | _
                                 1         | 3       | w     | d3       | Capture    | a          | USD   | 1      | _
                                 1         | 4       | w     | d4       | capture    | a          | XAU   | 1      | _
                                 1         | 5       | w     | d5       | capture    | a          | USD   | -1     | _
                                 1         | 6       | w     | d6       | adjust     | a          | USD   | -1     | _
                                 1         | 7       | w     | d7       | hold       | a          | XAU   | 1      | BAD_TIME:booked_at
            then mediated.debit_entries entry_id | amount
                                        d1       | 1
                                        d6       | -1
            then suspense.debit_rows    record_id | code               | field
                                        d2        | UNKNOWN_ENTRY_TYPE | entry_type
                                        d3        | UNKNOWN_ENTRY_TYPE | entry_type
                                        d4        | UNKNOWN_ASSET      | asset
                                        d5        | NEGATIVE_QUANTITY  | amount
                                        d7        | BAD_TIME           | booked_at
        `,
        ));

    test('a debit of an account that nobody knows is kept: it becomes a break', () =>
        mediates(
            `
            given raw.debit_rows object_no | line_no | input | entry_id | entry_type | account_id | asset | amount | booked_at
                                 1         | 1       | w     | d        | capture    | nobody     | TOK   | 1      | 2026-10-31 23:59:59
            then mediated.debit_entries entry_id | account_id | booked_on
                                        d        | nobody     | 2026-10-31
        `,
        ));

    test('the same entry twice is a duplicate, changed it is a conflict, in another log another entry', () =>
        mediates(
            `
            given raw.debit_rows object_no | line_no | input | entry_id | entry_type | account_id | asset | amount | content
                                 2         | 1       | one   | d        | capture    | a          | USD   | 1      | x
                                 1         | 1       | one   | d        | capture    | a          | USD   | 1      | x
                                 2         | 2       | one   | d        | capture    | a          | USD   | 2      | y
                                 3         | 1       | two   | d        | capture    | a          | USD   | 2      | y
            then mediated.debit_entries input | entry_id | object_no | amount
                                        one   | d        | 1         | 1
                                        two   | d        | 3         | 2
            then mediated.debit_repeats source | record_id | object_no | line_no | kind
                                        one    | d         | 2         | 1       | duplicate
                                        one    | d         | 2         | 2       | conflict
        `,
        ));

    test('a suspended entry is never the first copy', () =>
        mediates(
            `
            given raw.debit_rows object_no | line_no | input | entry_id | entry_type | account_id | asset | amount | content
                                 1         | 1       | w     | d        | capture    | a          | XAU   | 1      | x
                                 1         | 2       | w     | d        | capture    | a          | USD   | 1      | y
            then mediated.debit_entries line_no
                                        2
            then mediated.debit_repeats kind
        `,
        ));

    test('entries of one line have fates of their own; a line counts once', () =>
        mediates(
            `
            given raw.objects    object_no | role   | key | format | line_count
                                 1         | debits | d1  | ndjson | 4
            given raw.debit_rows object_no | line_no | entry_no | input | entry_id | entry_type | account_id | asset | amount | suspense               | content
                                 1         | 1       | 1        | w     | e:1      | capture    | a          | USD   | 1      | _                      | x
                                 1         | 1       | 2        | w     | e:2      | capture    | a          | XAU   | 1      | _                      | x
                                 1         | 1       | 3        | w     | e:3      | capture    | a          | USD   | 2      | _                      | x
                                 1         | 2       | 1        | w     | e:1      | capture    | a          | USD   | 1      | _                      | x
                                 1         | 2       | 2        | w     | e:3      | capture    | a          | USD   | 3      | _                      | y
                                 1         | 3       | 1        | w     | f:1      | capture    | a          | USD   | 1      | _                      | x
                                 1         | 3       | 2        | w     | f:1      | capture    | a          | USD   | 1      | _                      | x
                                 1         | 4       | 1        | w     | _        | _          | a          | _     | _      | NO_ENTRIES:fees        |
            then mediated.debit_entries entry_id | line_no | amount
                                        e:1      | 1       | 1
                                        e:3      | 1       | 2
                                        f:1      | 3       | 1
            then mediated.debit_repeats line_no | entry_no | kind
                                        2       | 1        | duplicate
                                        2       | 2        | conflict
                                        3       | 2        | duplicate
            then suspense.debit_rows    line_no | entry_no | code          | field
                                        1       | 2        | UNKNOWN_ASSET | asset
                                        4       | 1        | NO_ENTRIES    | fees
            then mediated.object_lines  spooled_count | line_count | row_count | record_count | duplicate_count | conflict_count | suspended_count
                                        4             | 4          | 8         | 3            | 2               | 1              | 2
        `,
        ));
});

describe('20-mediate: no line is lost', () => {
    const lines = `
            given raw.objects    object_no | role   | key | format  | line_count
                                 1         | usage  | u1  | ndjson  | 5
                                 2         | usage  | u2  | csv     | 2
                                 3         | debits | d1  | parquet | _
                                 4         | debits | d2  | ndjson  | 0
            given raw.usage_rows object_no | line_no | source | event_id | account_id | suspense | content
                                 1         | 1       | s      | e1       | a          | _        | x
                                 1         | 2       | s      | e1       | a          | _        | x
                                 1         | 3       | s      | e1       | a          | _        | y
                                 1         | 4       | s      | e2       | a          | _        | x
                                 1         | 5       | s      | e3       | nobody     | _        | x
                                 2         | 2       | s      | e1       | a          | _        | x
            given raw.debit_rows object_no | line_no | input | entry_id | entry_type | account_id | asset | amount
                                 3         | 1       | w     | d        | capture    | a          | USD   | 1
                                 3         | 2       | w     | d        | capture    | a          | USD   | 1
                                 3         | 3       | w     | e        | hold       | a          | USD   | 1`;

    test('every line of every object went somewhere; the header of a CSV is no line', () =>
        mediates(
            `${lines}
            then mediated.object_lines object_no | spooled_count | line_count | record_count | duplicate_count | conflict_count | suspended_count
                                       1         | 5             | 5          | 2            | 1               | 1              | 1
                                       2         | 1             | 1          | 0            | 1               | 0              | 0
                                       3         | _             | 3          | 1            | 1               | 0              | 1
                                       4         | 0             | 0          | 0            | 0               | 0              | 0
        `,
        ));

    test('every-line-is-accounted-for fails when a line has no fate, two fates, or was not read', async () => {
        const audit = 'every-line-is-accounted-for';
        const given = (spooled: string, lines: string, records: string, rows = lines) => `
            given raw.objects           object_no | key
                                        1         | u1
            given mediated.object_lines object_no | spooled_count | line_count | row_count | record_count | duplicate_count | conflict_count | suspended_count
                                        1         | ${spooled}    | ${lines}   | ${rows}   | ${records}   | 1               | 1              | 1`;
        expect(await auditRows(stage, audit, given('10', '10', '7'))).toBe(0);
        expect(await auditRows(stage, audit, given('_', '10', '7'))).toBe(0);
        expect(await auditRows(stage, audit, given('10', '10', '6'))).toBe(1);
        expect(await auditRows(stage, audit, given('10', '10', '8'))).toBe(1);
        expect(await auditRows(stage, audit, given('11', '10', '7'))).toBe(1);
        // A line may hold several entries, and never none.
        expect(await auditRows(stage, audit, given('10', '10', '9', '12'))).toBe(0);
        expect(await auditRows(stage, audit, given('10', '10', '8', '12'))).toBe(1);
        expect(await auditRows(stage, audit, given('10', '10', '6', '9'))).toBe(1);
        expect(await auditRows(stage, audit, `${world}${withDefaults(lines, defaults)}`)).toBe(0);
    });

    test('suspense-is-within-its-limit fails when the share of a role passes the limit', async () => {
        const audit = 'suspense-is-within-its-limit';
        const given = (percent: string, suspended: string) => `
            given run.parameters        run_id | suspense_percent
                                        run    | ${percent}
            given raw.objects           object_no | role   | key
                                        1         | usage  | u1
                                        2         | usage  | u2
                                        3         | debits | d1
            given suspense.usage_rows   object_no | line_no | code
                                        1         | 1       | BAD_TIME
            given suspense.debit_rows   object_no | line_no | code
            given mediated.object_lines object_no | line_count | suspended_count
                                        1         | 40         | ${suspended}
                                        2         | 160        | 0
                                        3         | 1000       | 0`;
        // Of 200 lines of usage two are one percent; the debits do not dilute it.
        expect(await auditRows(stage, audit, given('1', '2'))).toBe(0);
        expect(await auditRows(stage, audit, given('1', '3'))).toBe(1);
        expect(await auditRows(stage, audit, given('0', '0'))).toBe(0);
        expect(await auditRows(stage, audit, given('0', '1'))).toBe(1);
        expect(await auditRows(stage, audit, given('1.5', '3'))).toBe(0);
        // What moved nothing is told beside the rest, and is no fault.
        const idle = (suspended: string, code: string) => `
            given run.parameters        run_id | suspense_percent
                                        run    | 1
            given raw.objects           object_no | role   | key
                                        1         | debits | d1
            given suspense.usage_rows   object_no | line_no | code
            given suspense.debit_rows   object_no | line_no | entry_no | code
                                        1         | 1       | 1        | NOT_BOOKED
                                        1         | 2       | 1        | NO_ENTRIES
                                        1         | 3       | 1        | ${code}
            given mediated.object_lines object_no | line_count | suspended_count
                                        1         | 100        | ${suspended}`;
        expect(await auditRows(stage, audit, idle('3', 'BAD_TIME'))).toBe(0);
        expect(await auditRows(stage, audit, idle('4', 'BAD_TIME'))).toBe(1);
        expect(await auditRows(stage, audit, idle('4', 'NOT_BOOKED'))).toBe(0);
    });
});
