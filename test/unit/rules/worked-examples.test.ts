import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lintCard } from '../../../src/rules/lint.ts';
import { loadCard } from '../../../src/rules/load.ts';
import { runSpecs, specProblems } from '../../../src/run/rule-specs.ts';
import { chargeModels, modifierNames } from '../../../src/schema/terms.ts';
import { printed } from './support.ts';

const folder = join(import.meta.dirname, '../../../rating-rules/worked-examples');
const readText = (path: string) => readFileSync(join(folder, path), 'utf8');
const cards = readdirSync(folder).filter((name) => /^[^.]+\.yaml$/.test(name));

function card(name: string) {
    const read = loadCard(name, readText);
    if ('problems' in read) throw new Error(printed(read.problems).join('\n'));
    const meters = Object.fromEntries(read.card.charges.map(({ meter }) => [meter, []]));
    return { card: read.card, known: { meters } };
}

describe('the worked examples of rating-rules', () => {
    test.each(cards)('%s', async (name) => {
        const { card: compiled, known } = card(name);
        expect(printed(lintCard(compiled, { known }))).toEqual([]);
        const specs = name.replace('.yaml', '.specs.yaml');
        const ran = await runSpecs(specs, readText(specs), compiled, known);
        if ('problems' in ran) throw new Error(printed(ran.problems).join('\n'));
        expect(printed(specProblems(ran.results))).toEqual([]);
    });

    test('have every model and every modifier, and an example of each charge', () => {
        const { card: compiled } = card('models.yaml');
        const models = new Set(compiled.rates.map(({ model }) => model));
        expect([...models].sort()).toEqual([...chargeModels].sort());
        const text = readText('models.yaml');
        const missing = modifierNames.filter((name) => !new RegExp(`\\b${name}:`).test(text));
        expect(missing).toEqual([]);
        const specs = readText('models.specs.yaml');
        const meters = compiled.charges.map(({ meter }) => meter);
        expect(meters.filter((meter) => !specs.includes(`meter: ${meter}\n`))).toEqual([]);
    });
});
