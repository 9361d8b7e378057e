import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { priceLines } from '../../src/quote/price.ts';
import { readLine } from '../../src/quote/read.ts';
import { exponents, type QuoteLine } from '../support/charges.ts';
import { settledLines } from '../support/settlements.ts';
import { settledQuote } from './slow-draw-down.ts';

/** Random commitments and grants through the stages and through the oracle, which share nothing. */
const runs = Number(process.env.TIEOUT_ORACLE_LINES ?? '500');
let engine: Engine;

beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 2, spill: '/tmp' });
});
afterAll(() => engine.close());

function comparable(answer: object): unknown {
    if (!('error' in answer)) return answer;
    return { ...answer, error: (answer.error as { code: string }).code };
}

async function differences(lines: readonly QuoteLine[]): Promise<readonly unknown[]> {
    const answers = await priceLines(
        engine,
        lines.map((line) => readLine(JSON.stringify(line))),
    );
    return lines.flatMap((line, index) => {
        const expected = comparable(settledQuote(line, exponents));
        const actual = comparable(answers[index] ?? {});
        try {
            expect(actual).toEqual(expected);
            return [];
        } catch {
            return [{ line, expected, actual }];
        }
    });
}

describe('commitments and grants of a quote are what the oracle says', () => {
    test.each([1, 2, 3])('random lines, seed %i', async (seed) => {
        const lines = fc.sample(settledLines, { numRuns: Math.ceil(runs / 3), seed });
        expect((await differences(lines)).slice(0, 3)).toEqual([]);
    });

    test('the answer does not depend on the lines around it', async () => {
        const lines = fc.sample(settledLines, { numRuns: 40, seed: 4 });
        const read = lines.map((line) => readLine(JSON.stringify(line)));
        const together = await priceLines(engine, read);
        const backwards = await priceLines(engine, [...read].reverse());
        expect([...backwards].reverse()).toEqual(together);
        expect(await priceLines(engine, read.slice(7, 8))).toEqual(together.slice(7, 8));
    });
});
