import { type FileProblem, printProblem } from '../../../src/errors/index.ts';
import type { CompiledCard } from '../../../src/rules/card.ts';
import { type KnownMeters, lintCard } from '../../../src/rules/lint.ts';
import { loadCard } from '../../../src/rules/load.ts';

export type Files = Readonly<Record<string, string>>;

/** Reads from the files given, and from nowhere else. */
export function reader(files: Files): (path: string) => string {
    return (path) => {
        const text = files[path];
        if (text === undefined) throw new Error(`ENOENT ${path}`);
        return text;
    };
}

/** A card of one charge with these rates, each a line of flow YAML; the first stands on line 11. */
export function cardOf(rates: readonly string[], head = ''): string {
    return `card: list
version: "1"
currency: USD
charges:
  - product: llm
    meter: tokens
    model: per_unit
    unit: token
    price_per: "1000"${head}
    rates:
${rates.map((rate) => `      - { ${rate} }`).join('\n')}
`;
}

/** A card whose rates are in rates.csv beside it. */
export const matrixCard = `card: list
version: "1"
currency: USD
charges:
  - product: llm
    meter: tokens
    model: per_unit
    unit: token
    matrix:
      file: rates.csv
      attributes: { model: model, token_class: class }
      price: price
      from: from
      to: to
      priority: priority
      ignore: [note]
`;
export const header = 'model,class,price,from,to,priority,note';

export const known: KnownMeters = {
    meters: { tokens: ['model', 'token_class', 'context_band', 'region'], requests: ['model'] },
};

/** The problems as a person sees them. */
export function printed(problems: readonly FileProblem[]): readonly string[] {
    return problems.map(printProblem);
}

/** Loads `rules/card.yaml`; the card, or its problems as printed. */
export function load(files: Files): CompiledCard | readonly string[] {
    const read = loadCard('rules/card.yaml', reader(files));
    return 'problems' in read ? printed(read.problems) : read.card;
}

/** A card that must load. */
export function loaded(files: Files): CompiledCard {
    const card = load(files);
    if (!('rates' in card)) throw new Error(card.join('\n'));
    return card;
}

/** What lint says about a card that must load, as printed. */
export function linted(files: Files): readonly string[] {
    return printed(lintCard(loaded(files), { known }));
}

/** Lint of a card of these inline rates. */
export function lintedRates(...rates: readonly string[]): readonly string[] {
    return linted({ 'rules/card.yaml': cardOf(rates) });
}

/** Lint of rates.csv with these rows; the first stands on line 2. */
export function lintedRows(...rows: readonly string[]): readonly string[] {
    return linted({
        'rules/card.yaml': matrixCard,
        'rules/rates.csv': `${[header, ...rows].join('\n')}\n`,
    });
}
