import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { knownMeters } from '../compile/config.ts';
import { RunError } from '../errors/index.ts';
import { counted } from '../report/figures.ts';
import { requireUnits } from '../run/prepare.ts';
import { runSpecs, specProblems } from '../run/rule-specs.ts';
import { type Answer, type CommandContext, projectOf } from './command.ts';

/** `tieout rules check`: everything that would stop a run because of its rate card. */
export function rulesCheck(context: CommandContext): Answer {
    const project = projectOf(context); // a card with problems does not open
    const { card, config } = project;
    requireUnits(project);
    const products = new Set(card.rates.map(({ product }) => product));
    const text = `${config.rate_card}: ${counted(card.rates.length, 'rate')} for ${counted(products.size, 'product')}; no overlap, gap or tie\n`;
    return {
        exit: 0,
        text,
        json: {
            card: card.card,
            version: card.version,
            rate_count: card.rates.length,
            products: [...products].sort(),
            boundaries: card.boundaries,
        },
    };
}

/**
 * `tieout rules test`: the worked examples beside the card, through the very SQL of a run.
 * @throws RunError RULES_SPEC_FAILED with every example that does not come out
 */
export async function rulesTest(context: CommandContext): Promise<Answer> {
    const project = projectOf(context);
    const file = project.config.rate_card.replace(/\.ya?ml$/, '.specs.yaml');
    const path = resolve(dirname(project.file), file);
    if (!existsSync(path)) {
        throw new RunError('USAGE', {
            detail: `${join(project.folder, file)} does not exist: the card has no worked examples`,
            remedy: 'Write what finance expects of the card into that file; `tieout init` shows one.',
        });
    }
    const known = { meters: knownMeters(project.config) };
    const outcome = await runSpecs(file, readFileSync(path, 'utf8'), project.card, known);
    if ('problems' in outcome) throw new RunError('RULES_INVALID', { problems: outcome.problems });
    const problems = specProblems(outcome.results);
    if (problems.length) throw new RunError('RULES_SPEC_FAILED', { problems });
    return {
        exit: 0,
        text: `${outcome.results.map(({ name, actual }) => `ok  ${name}: ${actual}`).join('\n')}\n${counted(outcome.results.length, 'worked example comes out', 'worked examples come out')}\n`,
        json: outcome.results,
    };
}
