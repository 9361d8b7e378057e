import { writeFileSync } from 'node:fs';
import { answerText } from './answer.ts';
import type { Measure, Setting } from './subject.ts';

/*
 * Measures one subject, once, in this process, whose memory and processors are then its own. What
 * came of it goes into a file: engines write to the terminal as they like.
 */
const [module = '', setting = '', into = ''] = process.argv.slice(2);
try {
    const { measure }: { measure: Measure } = await import(`./${module}.ts`);
    const of: Setting = JSON.parse(setting);
    writeFileSync(into, answerText(await measure(of)));
} catch (error) {
    writeFileSync(into, answerText({ error: error instanceof Error ? error.message : `${error}` }));
    process.exitCode = 1;
}
