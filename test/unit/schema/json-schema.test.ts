import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { generatedWallets, projectFiles } from '../../../fixtures/project.ts';
import { configSchema } from '../../../src/schema/config.ts';
import { editorSchemas, publishedSchemas } from '../../../src/schema/json-schema.ts';
import { rateCardSchema } from '../../../src/schema/rate-card.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const generated = projectFiles({
    name: 'sample',
    store: { folder: 'data' },
    wallets: generatedWallets,
});

/** A validator made of the published text alone, as an editor would have it. */
const published = (name: keyof ReturnType<typeof publishedSchemas>) =>
    z.fromJSONSchema(JSON.parse(read(`schemas/${name}`)));

const derivedCard =
    'card: retail\nversion: "1"\ncurrency: USD\nextends: list.yaml\nmarkup: { percent: "20" }\n';

test.each(Object.entries(publishedSchemas()))('schemas/%s is not stale', (name, text) => {
    expect(read(`schemas/${name}`) === text, 'stale: run `npm run schemas`').toBe(true);
});

describe('an editor says what the loader says', () => {
    const card = generated['rates.yaml'] ?? '';
    const example = read('rating-rules/llm-list.yaml');
    const config = generated['tieout.yaml'] ?? '';
    test.each<[string, keyof ReturnType<typeof publishedSchemas>, string, boolean]>([
        ['the generated card', 'rate-card.schema.json', card, true],
        ['the example', 'rate-card.schema.json', example, true],
        ['a card that extends', 'rate-card.schema.json', derivedCard, true],
        ['an unknown key', 'rate-card.schema.json', `${card}colour: red\n`, false],
        ['one deeper', 'rate-card.schema.json', card.replace('unit:', 'units:'), false],
        ['a bare number', 'rate-card.schema.json', card.replace('"1000000"', '1000000'), false],
        ['no currency', 'rate-card.schema.json', card.replace('currency: USD\n', ''), false],
        ['a model there is not', 'rate-card.schema.json', card.replace('per_unit', 'free'), false],
        ['the generated config', 'tieout.schema.json', config, true],
        ['a state', 'tieout.schema.json', `${config}state: { bucket: b, prefix: p }\n`, true],
        ['a state in a folder', 'tieout.schema.json', `${config}state: books\n`, true],
        ['a state nowhere', 'tieout.schema.json', `${config}state: { prefix: p }\n`, false],
        ['an unknown key', 'tieout.schema.json', `${config}colour: red\n`, false],
        ['an aggregation', 'tieout.schema.json', config.replace(': sum', ': guess'), false],
        ['a name', 'tieout.schema.json', config.replace('meter: tokens', 'meter: T!'), false],
    ])('%s (%s)', (_what, name, text, isFine) => {
        const own = name === 'tieout.schema.json' ? configSchema : rateCardSchema;
        const value: unknown = parse(text);
        expect(own.safeParse(value).success).toBe(isFine);
        expect(published(name).safeParse(value).success).toBe(isFine);
    });
});

test('generated projects and the example say where their schema is', () => {
    const first = (text: string) => text.split('\n')[0];
    expect(first(generated['rates.yaml'] ?? '')).toBe(
        '# yaml-language-server: $schema=./rate-card.schema.json',
    );
    expect(first(generated['tieout.yaml'] ?? '')).toBe(
        '# yaml-language-server: $schema=./tieout.schema.json',
    );
    expect(first(read('rating-rules/llm-list.yaml'))).toBe(
        '# yaml-language-server: $schema=../schemas/rate-card.schema.json',
    );
    for (const [name, text] of Object.entries(editorSchemas())) {
        expect(generated[name]).toBe(text);
    }
});
