import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { Engine } from '../../src/duck/engine.ts';
import { priceLines } from '../../src/quote/price.ts';
import { readLine } from '../../src/quote/read.ts';
import { lintCard } from '../../src/rules/lint.ts';
import { loadCard } from '../../src/rules/load.ts';
import { runSpecs, specProblems } from '../../src/run/rule-specs.ts';
import { eventParts } from '../../src/schema/terms.ts';
import { linesOf, models, type QuoteLine } from '../support/charges.ts';
import { printed } from '../unit/rules/support.ts';

/**
 * A rate card and a quote that say the same come to the same: random charges are written as a card,
 * with what a quote answers as worked examples, which go through the stages of a night.
 */
let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 1, spill: tmpdir() });
});
afterAll(() => engine.close());

/** A line that a card can say: of a quantity that is not below zero, for a whole period. */
const line = fc
    .constantFrom(...Object.keys(models))
    .chain(linesOf)
    .filter(
        ({ quantity, previously_billed, charge }) =>
            typeof quantity === 'string' &&
            !quantity.startsWith('-') &&
            previously_billed === undefined &&
            !(isEventwise(charge) && ('included' in charge || 'unit_conversion' in charge)) &&
            charge.free_events !== '0',
    )
    .map((of): QuoteLine => {
        const { proration: _, ...charge } = of.charge;
        const { rounding } = charge as { rounding?: { mode: string } };
        return {
            ...of,
            currency: 'USD',
            charge: { ...charge, ...(rounding ? { rounding: { mode: rounding.mode } } : {}) },
        };
    });

const isEventwise = (charge: object) => eventParts.some((part) => part in charge);

test('a card comes to what a quote says', async () => {
    await fc.assert(
        fc.asyncProperty(fc.array(line, { minLength: 6, maxLength: 16 }), async (lines) => {
            const answers = await priceLines(
                engine,
                lines.map((of) => readLine(JSON.stringify(of))),
            );
            // A night holds 14 digits before the point and stops beyond; a quote goes further.
            fc.pre(answers.every((of) => !('amount' in of) || !/\d{14}/.test(of.amount)));
            const at = '2026-01-01T00:00:00Z';
            const card = {
                ...{ card: 'random', version: '1', currency: 'USD' },
                charges: lines.map(({ charge }, index) => {
                    const { unit_price, ...terms } = charge as {
                        unit_price?: string;
                        model?: string;
                    };
                    const listed = terms.model === 'flat' ? {} : { list_price: '0' };
                    const rate = { when: {}, from: at, ...listed };
                    return {
                        ...{ product: `p${index}`, meter: `m${index}`, unit: 'u' },
                        ...terms,
                        rates: [unit_price === undefined ? rate : { ...rate, price: unit_price }],
                    };
                }),
            };
            const specs = lines.map(({ quantity }, index) => {
                const answer = answers[index];
                if (!answer || 'error' in answer) throw new Error(JSON.stringify(answer));
                const { amount_exact: amount, amount: rounded } = answer;
                return {
                    ...{ name: `${index}`, at, meter: `m${index}`, quantity },
                    expect: { amount, rounded },
                };
            });
            const read = loadCard('card.yaml', () => stringify(card));
            if ('problems' in read) throw new Error(printed(read.problems).join('\n'));
            const meters = Object.fromEntries(lines.map((_, index) => [`m${index}`, []]));
            expect(printed(lintCard(read.card, { known: { meters } }))).toEqual([]);
            const ran = await runSpecs('card.specs.yaml', stringify({ specs }), read.card);
            if ('problems' in ran) throw new Error(printed(ran.problems).join('\n'));
            const wrong = lines.filter((_, index) => !ran.results[index]?.ok);
            expect([printed(specProblems(ran.results)), wrong]).toEqual([[], []]);
        }),
        { numRuns: 12, endOnFailure: true },
    );
}, 120_000);
