import { existsSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Engine } from '../duck/engine.ts';
import { RunError } from '../errors/index.ts';
import { priceLines } from '../quote/price.ts';
import { readLine } from '../quote/read.ts';
import type { Answer, CommandContext } from './command.ts';

/**
 * `tieout quote`: prices what-ifs, one JSON object a line in and out. A line that has no price is
 * answered with an error and does not stop the others.
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
        const answers = await priceLines(engine, texts.map(readLine));
        const text = answers.map((answer) => `${JSON.stringify(answer)}\n`).join('');
        return { exit: 0, text, json: answers };
    } finally {
        engine.close();
    }
}
