import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { knownMeters } from '../compile/config.ts';
import { allBooks } from '../compile/contracts.ts';
import { RunError } from '../errors/index.ts';
import { counted } from '../report/figures.ts';
import { requireUnits } from '../run/prepare.ts';
import { runSpecs, specProblems } from '../run/rule-specs.ts';
import { type Answer, type CommandContext, projectOf } from './command.ts';

/** `tieout rules check`: everything that would stop a run because of its rate card. */
export function rulesCheck(context: CommandContext): Answer {
    const project = projectOf(context); // a card with problems does not open
    const { card, cards, config, contracts } = project;
    requireUnits(project);
    const products = new Set(card.rates.map(({ product }) => product));
    const text = `${config.rate_card}: ${counted(card.rates.length, 'rate')} for ${counted(products.size, 'product')}; no overlap, gap or tie\n`;
    const agreed = contracts.contracts.length
        ? `${config.contracts}: ${counted(contracts.contracts.length, 'contract')}, ${counted(cards.length, 'card')} in ${counted(allBooks(contracts).length, 'book')}; no gap, overlap or tie\n`
        : '';
    return {
        exit: 0,
        text: `${text}${agreed}`,
        json: {
            card: card.card,
            version: card.version,
            rate_count: card.rates.length,
            products: [...products].sort(),
            boundaries: card.boundaries,
            ...(config.contracts === undefined ? {} : { books: allBooks(contracts) }),
        },
    };
}

/**
 * `tieout rules test`: the worked examples beside each card in use, through the very SQL of a run.
 * The card of the config must have some; a card of a contract may.
 * @throws RunError SPECS_INVALID, RULES_SPEC_FAILED with every example that does not come out
 */
export async function rulesTest(context: CommandContext): Promise<Answer> {
    const project = projectOf(context);
    const known = { meters: knownMeters(project.config) };
    const outcomes = [];
    for (const card of project.cards) {
        const file = card.currencyAt.file.replace(/\.ya?ml$/, '.specs.yaml');
        const path = resolve(dirname(project.file), file);
        const isThere = existsSync(path) && statSync(path).isFile();
        if (!isThere && card !== project.card) continue;
        if (!isThere) {
            throw new RunError('USAGE', {
                detail: `${join(project.folder, file)} is not a file: the card has no worked examples`,
                remedy: 'Write what finance expects of the card into that file; `tieout init` shows one.',
            });
        }
        outcomes.push(await runSpecs(file, readFileSync(path, 'utf8'), card, known));
    }
    const wrong = outcomes.flatMap((of) => ('problems' in of ? of.problems : []));
    if (wrong.length) throw new RunError('SPECS_INVALID', { problems: wrong });
    const results = outcomes.flatMap((of) => ('results' in of ? of.results : []));
    const problems = specProblems(results);
    if (problems.length) throw new RunError('RULES_SPEC_FAILED', { problems });
    return {
        exit: 0,
        text: `${results.map(({ name, actual }) => `ok  ${name}: ${actual}`).join('\n')}\n${counted(results.length, 'worked example comes out', 'worked examples come out')}\n`,
        json: results,
    };
}
