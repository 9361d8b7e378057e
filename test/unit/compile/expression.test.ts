import { describe, expect, test } from 'vitest';
import { compileExpression } from '../../../src/compile/expression.ts';

const columns = new Set(['model', 'input_tokens', 'output_tokens', 'event_type', 'end']);
const compile = (text: string) => compileExpression(text, columns).sql;

describe('expressions over an event', () => {
    test.each([
        ['input_tokens + output_tokens', '("input_tokens" + "output_tokens")'],
        ['  1  ', '(1)'],
        ['input_tokens * 0.5', '("input_tokens" * 0.5)'],
        ["event_type <> 'it''s'", `("event_type" <> 'it''s')`],
        ["model || '-' || event_type", `("model" || '-' || "event_type")`],
        ['GREATEST(input_tokens, 0)', '(greatest("input_tokens", 0))'],
        ["model IN ('a', 'b')", `("model" in ('a', 'b'))`],
        [
            "Case When model Is Null Then 'x' Else lower(model) End",
            `(case when "model" is null then 'x' else lower("model") end)`,
        ],
        ['1 - -1', '(1 - -1)'],
        ['input_tokens between 1 and 5', '("input_tokens" between 1 and 5)'],
        // A column that is called like a word is the column, as declared.
        ['end + 1', '("end" + 1)'],
    ])('%s', (text, sql) => {
        expect(compile(text)).toBe(sql);
    });

    test('says which columns it uses, each once', () => {
        expect(
            compileExpression('output_tokens + input_tokens + output_tokens', columns).columns,
        ).toEqual(['input_tokens', 'output_tokens']);
    });

    test.each([
        // text, what the message names
        ['input_tokens / 2', 'division is not exact and not allowed; multiply instead'],
        ['input_tokens // 2', 'division is not exact and not allowed; multiply instead'],
        ['', 'an empty expression'],
        ['   ', 'an empty expression'],
        ['1; drop table usage', 'cannot read `; drop table`'],
        // To the engine a comment: it would swallow what the compiler puts behind.
        ['1 -- model', 'cannot read `--`'],
        ['1 --1', 'cannot read `--`'],
        ['1 /* model */', 'division is not exact'],
        // It would leave its parentheses, and with them the filter it stands in.
        ['1 = 2) or (1 = 1', 'a ) without its ('],
        ['(1', 'a ( without its )'],
        ['1, 2', 'a comma outside of ( )'],
        ["'open", "cannot read `'open`"],
        ['"input_tokens"', 'cannot read `"input_token`'],
        ['$$x$$', 'cannot read `$$x$$`'],
        ['input_tokens::double', 'cannot read `::double`'],
        ['{x: 1}', 'cannot read `{x: 1}`'],
        ['[1]', 'cannot read `[1]`'],
        ['input_tokens % 2', 'cannot read `% 2`'],
        ['input_tokens ^ 2', 'cannot read `^ 2`'],
        ['raw.objects', 'raw is not a column of the event'],
        ['other_column', 'other_column is not a column of the event'],
        ['INPUT_TOKENS', 'INPUT_TOKENS is not a column of the event'],
        ['(select 1)', 'select is not a column of the event'],
        ['1 union all select 1', 'union is not a column of the event'],
        ['exists(select 1)', 'exists() is not one of the allowed functions'],
        ['current_timestamp', 'current_timestamp is not a column of the event'],
        ['now()', 'now() is not one of the allowed functions'],
        ['random ()', 'random() is not one of the allowed functions'],
        ["read_text('/etc/passwd')", 'read_text() is not one of the allowed functions'],
        ["getenv('HOME')", 'getenv() is not one of the allowed functions'],
        ['cast(input_tokens as double)', 'cast() is not one of the allowed functions'],
        ['model(1)', 'model() is not one of the allowed functions'],
        ['1e10', 'e10 is not a column of the event'],
        ['x\u0000y', 'x is not a column of the event'],
    ])('refuses %s', (text, message) => {
        expect(() => compile(text)).toThrow(message);
    });
});
