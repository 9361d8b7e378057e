import { existsSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Engine } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import { priceLines, type QuoteResult } from '../quote/price.ts';
import { readLine } from '../quote/read.ts';
import { counted, figure } from '../report/figures.ts';
import type { Answer, CommandContext } from './command.ts';

/**
 * `tieout quote`: prices what-ifs, one JSON object a line in and out. A line that has no price is
 * answered with an error and does not stop the others; any such line makes the exit code 1.
 */
export async function quote(
    flags: { readonly file: string },
    context: CommandContext,
): Promise<Answer> {
    const path = resolve(context.cwd, flags.file);
    if (!existsSync(path)) throw new RunError('USAGE', { detail: `${path} does not exist` });
    if (!statSync(path).isFile()) throw new RunError('USAGE', { detail: `${path} is not a file` });
    const texts = readFileSync(path, 'utf8').split(/\r?\n/);
    if (texts.at(-1) === '') texts.pop();
    const engine = await Engine.open({
        file: ':memory:',
        memory: '2GB',
        threads: 2,
        spill: join(tmpdir(), 'tieout-quote'),
    });
    try {
        const answers = placed(await priceLines(engine, texts.map(readLine)));
        const text = answers.map((answer) => `${JSON.stringify(answer)}\n`).join('');
        return { ...verdictOf(answers), text, json: answers };
    } finally {
        engine.close();
    }
}

/** Errors with the line of the file that they are of. */
function placed(answers: readonly QuoteResult[]): readonly QuoteResult[] {
    return answers.map((answer, index) => {
        if (!('error' in answer)) return answer;
        const { code, message } = answer.error;
        return { ...answer, error: { code, message: `line ${index + 1}: ${message}` } };
    });
}

function verdictOf(answers: readonly QuoteResult[]): Pick<Answer, 'exit' | 'notice'> {
    const errors = answers.flatMap((answer) => ('error' in answer ? [answer.error] : []));
    const [first] = errors;
    if (!first) return { exit: 0 };
    const lines = `${figure(String(errors.length))} of ${counted(answers.length, 'line')}`;
    const have = errors.length === 1 ? 'has' : 'have';
    return { exit: 1, notice: `${lines} ${have} no price: ${first.code} ${first.message}` };
}
