import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lintCard } from '../../../src/rules/lint.ts';
import { loadCard } from '../../../src/rules/load.ts';
import { loadSpecs } from '../../../src/rules/specs.ts';
import { runSpecs, specProblems } from '../../../src/run/rule-specs.ts';
import { cardOf, known, loaded, printed } from './support.ts';

const jan = '2026-01-01T00:00:00Z';
const card = loaded({
    'rules/card.yaml': cardOf([
        `when: { model: opus, region: "*" }, price: "5", from: ${jan}, to: 2026-02-01T00:00:00Z`,
        `when: { model: opus, region: "*" }, price: "4", from: 2026-02-01T00:00:00Z`,
    ]),
});
const file = 'rules/card.specs.yaml';
const spec = (text: string) => `      - { name: n, ${text} }`.replace('      ', '  ');
const base = `at: 2026-01-05T00:00:00Z, meter: tokens, attributes: { model: opus, region: eu }`;

async function outcome(...specs: readonly string[]) {
    const ran = await runSpecs(
        file,
        `specs:\n${specs.map((of) => `  - { ${of} }`).join('\n')}\n`,
        card,
    );
    if ('problems' in ran) throw new Error(printed(ran.problems).join('\n'));
    return ran.results;
}

function problemsOf(text: string, meters = known) {
    const read = loadSpecs(file, text, card, meters);
    return 'problems' in read ? printed(read.problems) : read.specs;
}

describe('worked examples that are run', () => {
    test('come out', async () => {
        const results = await outcome(
            `name: a, ${base}, quantity: "1000", expect: { amount: "5.00" }`,
            `name: b, ${base}, quantity: "0.5", expect: { amount: "0.0025", unit_price: "0.005" }`,
            `name: c, at: 2026-02-01T00:00:00Z, meter: tokens, attributes: { model: opus, region: null }, quantity: "1", expect: { amount: "0.004", rate: "list/tokens/model=opus@2026-02-01T00:00:00Z" }`,
            `name: d, at: 2025-12-31T23:59:59Z, meter: tokens, attributes: { model: opus, region: eu }, quantity: "1", expect: { unrated: true }`,
            `name: e, at: ${jan}, meter: requests, attributes: {}, quantity: "1", expect: { unrated: true }`,
        );
        expect(results.filter(({ ok }) => !ok)).toEqual([]);
        expect(results[0]).toEqual({
            name: 'a',
            file,
            line: 2,
            ok: true,
            expected: '5',
            actual: '5 at 0.005 by list/tokens/model=opus@2026-01-01T00:00:00Z, rules/card.yaml:11',
        });
        expect(specProblems(results)).toEqual([]);
    });

    test('do not come out: the amount, the unit price, the rate, rated or not', async () => {
        const results = await outcome(
            `name: amount, ${base}, quantity: "1000", expect: { amount: "5.000000000001" }`,
            `name: price, ${base}, quantity: "0", expect: { amount: "0", unit_price: "5" }`,
            `name: rate, ${base}, quantity: "1", expect: { amount: "0.005", rate: other }`,
            `name: unrated, ${base}, quantity: "1", expect: { unrated: true }`,
            `name: rated, at: 2020-01-01T00:00:00Z, meter: tokens, attributes: { model: opus, region: eu }, quantity: "1", expect: { amount: "0" }`,
        );
        const by = 'by list/tokens/model=opus@2026-01-01T00:00:00Z, rules/card.yaml:11';
        expect(printed(specProblems(results))).toEqual([
            `${file}:2: SPEC_FAILED "amount": expected 5.000000000001; it comes out as 5 at 0.005 ${by}`,
            `${file}:3: SPEC_FAILED "price": expected 0 at 5; it comes out as 0 at 0.005 ${by}`,
            `${file}:4: SPEC_FAILED "rate": expected 0.005 by other; it comes out as 0.005 at 0.005 ${by}`,
            `${file}:5: SPEC_FAILED "unrated": expected unrated; it comes out as 0.005 at 0.005 ${by}`,
            `${file}:6: SPEC_FAILED "rated": expected 0; it comes out as unrated: no rate matches`,
        ]);
    });
});

describe('worked examples that cannot be run', () => {
    test('SPECS_INVALID', () => {
        expect(
            problemsOf(
                `specs:\n${spec(`${base}, quantity: 5, expect: { amount: "1" }`)}\n${spec(`${base}, quantity: "5", expect: { unrated: false }, when: 1`)}\n`,
            ),
        ).toEqual([
            `${file}:2: SPECS_INVALID quantity is a bare number, which loses digits: write it in quotes, like "0.5" (specs.0.quantity)`,
            `${file}:3: SPECS_INVALID unrated can only be true (specs.1.expect.unrated)`,
            expect.stringMatching(/^rules\/card\.specs\.yaml:3: SPECS_INVALID unknown key "when"/),
        ]);
        expect(problemsOf('specs: []')).toEqual([
            `${file}:1: SPECS_INVALID write at least one worked example (specs)`,
        ]);
    });

    test('what the texts mean, names and places', () => {
        const text = `card: other
specs:
  - { name: n, at: 2026-13-01T00:00:00Z, meter: tokens, attributes: { model: opus, region: eu }, quantity: "1", expect: { amount: "1" } }
  - { name: n, ${base}, quantity: "-1", expect: { amount: "$1" } }
  - { name: n, ${base}, quantity: "1e3", expect: { unrated: true } }
  - { name: o, at: ${jan}, meter: tokens, attributes: { model: opus, regoin: eu }, quantity: "1", expect: { unrated: true } }
  - { name: p, at: ${jan}, meter: token, quantity: "1", expect: { unrated: true } }
`;
        expect(problemsOf(text)).toEqual([
            `${file}:1: SPEC_CARD these are examples of other, and the card beside them is list\n    Correct the name, or move the examples to their card.`,
            `${file}:3: BAD_INSTANT at "2026-13-01T00:00:00Z" is not an instant\n    Write day, time and zone: 2026-03-01T00:00:00Z.`,
            `${file}:4: BAD_AMOUNT "$1" is not a plain decimal\n    Write digits and one point, like "0.5": no currency sign, no thousands.`,
            `${file}:4: BAD_QUANTITY quantity "-1" is not a quantity\n    Write a decimal of at most 12 places that is not negative, like "1500".`,
            `${file}:5: BAD_QUANTITY quantity "1e3" is not a quantity\n    Write a decimal of at most 12 places that is not negative, like "1500".`,
            `${file}:5: DUPLICATE_SPEC "n" is also the example at line 4`,
            `${file}:6: MISSING_ATTRIBUTE "o" does not say what region is\n    Write its value, or \`region: null\` for usage that does not carry it.`,
            `${file}:6: UNKNOWN_ATTRIBUTE meter tokens has no attribute "regoin"\n    Did you mean "region"?`,
            `${file}:7: UNKNOWN_METER no meter is called "token"\n    Did you mean "tokens"?`,
        ]);
    });
});

describe('the card in rating-rules', () => {
    const folder = join(import.meta.dirname, '../../../rating-rules');
    const readText = (path: string) => readFileSync(join(folder, path), 'utf8');
    const meters = {
        meters: {
            tokens: ['model', 'token_class', 'context_band'],
            tool_calls: ['tool', 'plan'],
        },
    };

    test('loads, lints and comes out', async () => {
        const read = loadCard('llm-list.yaml', readText);
        if ('problems' in read) throw new Error(printed(read.problems).join('\n'));
        expect(printed(lintCard(read.card, { known: meters }))).toEqual([]);
        const specs = 'llm-list.specs.yaml';
        const ran = await runSpecs(specs, readText(specs), read.card, meters);
        if ('problems' in ran) throw new Error(printed(ran.problems).join('\n'));
        expect(printed(specProblems(ran.results))).toEqual([]);
        expect(ran.results.length).toBeGreaterThanOrEqual(10);
    });
});
