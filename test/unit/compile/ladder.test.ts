import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { acceptRules, offRules } from '../../../src/compile/ladder.ts';
import { breakCodes } from '../../../src/report/break-codes.ts';
import { breakCodeNames } from '../../../src/schema/break-codes.ts';
import { ladder } from '../../../src/schema/ladder.ts';

const problems = (of: unknown) =>
    ladder
        .safeParse(of)
        .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('reconcile of tieout.yaml', () => {
    test('left out: every rule is on, nothing is suggested, nothing accepted', () => {
        const reconcile = ladder.parse(undefined);
        expect(reconcile).toEqual({ rules: [], accept: [] });
        expect(offRules({ reconcile }, ['USD', 'TOK'])).toEqual([]);
        expect(acceptRules({ reconcile })).toEqual([]);
    });

    test('as docs/reconciliation.md writes it', () => {
        const text = readFileSync(
            join(import.meta.dirname, '../../../docs/reconciliation.md'),
            'utf8',
        );
        const [, block = ''] = /```yaml\n(reconcile:[\s\S]*?)```/.exec(text) ?? [];
        const reconcile = ladder.parse(parse(block).reconcile);
        // All assets, then one of them not: the last entry decides.
        expect(offRules({ reconcile }, ['USD', 'TOK'])).toEqual([{ asset: 'TOK', rule: 'R5' }]);
        expect(reconcile.suggest).toEqual({ window_minutes: 30, amount: 'exact' });
        const rule = { rule_no: 1n, rule: 'cents', currency: null, up_to: '0.01', total: '5.00' };
        expect(acceptRules({ reconcile })).toEqual([
            { ...rule, code: 'AMOUNT_PRICE', is_by_payer: true },
            { ...rule, code: 'AMOUNT_ROUNDING', is_by_payer: true },
        ]);
    });

    const rule = { rule: 'cents', codes: ['AMOUNT_PRICE'], up_to: '0.01', total: '5' };
    test.each<[string, unknown, string]>([
        [
            'a rule without which nothing matches',
            { rules: [{ rule: 'R1', enabled: false }] },
            'rules.0.rule: R1 can not be off: an event and a debit that name each other and are equal are a match',
        ],
        [
            'a rule that does not exist',
            { rules: [{ rule: 'R7', enabled: false }] },
            'rules.0.rule: "R7" is no rule that can be off: write one of R2, R3, R4, R5',
        ],
        [
            'a code that does not exist',
            { accept: [{ ...rule, codes: ['AMOUNT_PRIZE'] }] },
            'accept.0.codes.0: "AMOUNT_PRIZE" is no code of a break. Did you mean "AMOUNT_PRICE"?',
        ],
        [
            'two rules of one name',
            { accept: [rule, rule] },
            'accept.1.rule: rule cents is there twice',
        ],
        [
            'money as a number',
            { accept: [{ ...rule, up_to: 0.01 }] },
            'accept.0.up_to: a bare number loses digits: write it in quotes, "0.01"',
        ],
    ])('refuses %s', (_what, of, message) => {
        expect(problems(of)).toEqual([message]);
    });

    test('knows every code of the catalogue', () => {
        expect([...breakCodeNames].sort()).toEqual(Object.keys(breakCodes).sort());
    });
});
