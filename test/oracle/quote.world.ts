import { afterAll, beforeAll, expect } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { priceLines } from '../../src/quote/price.ts';
import { readLine } from '../../src/quote/read.ts';
import { exponents, type QuoteLine } from '../support/charges.ts';

/** How many random lines an oracle is asked about. */
export const oracleLines = Number(process.env.TIEOUT_ORACLE_LINES ?? '500');

type Oracle = (line: QuoteLine, exponentsOf: typeof exponents) => object;

/** Errors agree in their code; what they say is for people. */
function comparable(answer: object): unknown {
    if (!('error' in answer)) return answer;
    return { ...answer, error: (answer.error as { code: string }).code };
}

/** Lines through the stages and through an oracle, which share nothing. Opens an engine for the file. */
export function againstOracle(oracle: Oracle) {
    let engine: Engine;
    beforeAll(async () => {
        engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 2, spill: '/tmp' });
    });
    afterAll(() => engine.close());
    const answersTo = (lines: readonly QuoteLine[]) =>
        priceLines(
            engine,
            lines.map((line) => readLine(JSON.stringify(line))),
        );
    return {
        /** The lines that both do not answer alike. */
        async differences(lines: readonly QuoteLine[]): Promise<readonly unknown[]> {
            const answers = await answersTo(lines);
            return lines.flatMap((line, index) => {
                const expected = comparable(oracle(line, exponents));
                const actual = comparable(answers[index] ?? {});
                try {
                    expect(actual).toEqual(expected);
                    return [];
                } catch {
                    return [{ line, expected, actual }];
                }
            });
        },
        /** Each line is answered the same, whatever lines are around it. */
        async expectAlone(lines: readonly QuoteLine[]): Promise<void> {
            const together = await answersTo(lines);
            const backwards = await answersTo([...lines].reverse());
            expect([...backwards].reverse()).toEqual(together);
            expect(await answersTo(lines.slice(7, 8))).toEqual(together.slice(7, 8));
        },
    };
}
