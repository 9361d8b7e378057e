import { stringify } from 'yaml';
import { schemaComment } from '../schema/json-schema.ts';
import { sorted } from './card.ts';
import { workedExamples } from './import-examples.ts';
import type { ContextBand, HourBand, PriceList } from './listed-price.ts';

/**
 * What the importers of public price lists have in common: prices by model, token class and bands,
 * written as a card with its matrix and with what the config needs to find them.
 */

/** What an importer is told. */
export interface ImportOptions {
    /** Version of the card: the list has none of its own. */
    readonly version: string;
    /** Only this provider. */
    readonly provider?: string | undefined;
}

/** A price list as a rate card. */
export interface ImportedCard {
    readonly card: string;
    readonly cardYaml: string;
    readonly matrixCsv: string;
    /** Worked examples, for the file beside the card. */
    readonly specsYaml: string;
    /** What tieout.yaml needs: derived attributes, and the meter the card prices. */
    readonly derivedYaml: string;
    /** The attributes that the card looks at. */
    readonly attributes: readonly string[];
    /** Everything of the list that is not in the card, and why. */
    readonly notes: readonly string[];
}

/** Prices of lists hold since ever: before this day nobody sold tokens. */
export const since = '2000-01-01T00:00:00Z';

/** The bands between thresholds, lowest first. */
export function contextBands(thresholds: Iterable<bigint>): readonly ContextBand[] {
    const bounds = [...new Set(thresholds)].sort((one, other) => (one < other ? -1 : 1));
    const text = (bound: bigint) => (bound % 1000n === 0n ? `${bound / 1000n}k` : `${bound}`);
    if (bounds.length === 0) return [{ name: 'any', over: 0n, upTo: null }];
    return [...bounds, null].map((upTo, at) => {
        const over = bounds[at - 1] ?? 0n;
        return { name: upTo === null ? `over_${text(over)}` : `up_to_${text(upTo)}`, over, upTo };
    });
}

/** The parts of the day between times at which any price changes; none when there are no times. */
export function hourBands(times: Iterable<string>): readonly HourBand[] {
    const edges = sorted(new Set(times));
    const text = (time: string) => time.replace(/:00$/, '').replaceAll(':', '');
    return edges.map((from, at) => {
        const to = edges[(at + 1) % edges.length] ?? from;
        return { name: `${text(from)}-${text(to)}`, from, to };
    });
}

/** Writes a list as a card of one charge, its matrix and what the config needs. */
export function writeCard(list: PriceList, { version }: ImportOptions): ImportedCard {
    const attributes = attributesOf(list);
    const columns = [...attributes, 'effective_from', 'effective_to'] as const;
    const rows = sorted(
        list.prices.map((price) =>
            [...columns.map((name) => price[name]), price.price].map(csvCell).join(','),
        ),
    );
    const card = {
        card: list.name,
        version,
        currency: 'USD',
        charges: [
            {
                product: 'llm-tokens',
                description: 'LLM tokens',
                meter: 'tokens',
                model: 'per_unit',
                unit: 'token',
                price_per: list.pricePer,
                matrix: {
                    file: `${list.name}.csv`,
                    attributes: Object.fromEntries(attributes.map((name) => [name, name])),
                    price: list.priceColumn,
                    from: 'effective_from',
                    to: 'effective_to',
                },
            },
        ],
    };
    return {
        card: list.name,
        cardYaml: cardHead(list, attributes) + stringify(card),
        matrixCsv: `${[[...columns, list.priceColumn].join(','), ...rows].join('\n')}\n`,
        specsYaml: workedExamples(list, attributes),
        derivedYaml: derivedText(list, attributes),
        attributes,
        notes: list.notes,
    };
}

type Attribute =
    | 'provider'
    | 'model'
    | 'token_class'
    | 'context_band'
    | 'service_tier'
    | 'time_of_day';

/** The attributes that decide a price in this list: with one provider that is none. */
function attributesOf({ prices }: PriceList): readonly Attribute[] {
    const varies = (name: Attribute) => prices.some((price) => price[name] !== '*');
    return [
        ...(new Set(prices.map(({ provider }) => provider)).size > 1 ? ['provider' as const] : []),
        'model',
        'token_class',
        'context_band',
        ...(['service_tier', 'time_of_day'] as const).filter(varies),
    ];
}

function csvCell(text: string): string {
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function cardHead({ source, prices }: PriceList, attributes: readonly string[]): string {
    const classes = sorted(new Set(prices.map(({ token_class }) => token_class)));
    return `${schemaComment('rate-card.schema.json')}# Imported from ${source}: list prices as they are there, to the digit.
# A model has a price for a class only where the list gives one: other usage of it is UNRATED until a
# card that extends this one prices it.
# Usage must carry: ${attributes.join(', ')}. derived.yaml says how.
# Token classes: ${classes.join(', ')}.
`;
}

/** The snippet for tieout.yaml, a YAML file of its own. */
function derivedText(list: PriceList, attributes: readonly Attribute[]): string {
    const { contexts, hours, modelSql } = list;
    const derived = {
        ...(modelSql === null ? {} : { model: { sql: modelSql } }),
        context_band: {
            band: 'input_tokens',
            steps: contexts.map(({ name, upTo }) =>
                upTo === null ? { is: name } : { up_to: `${upTo}`, is: name },
            ),
        },
        ...(hours.length ? { time_of_day: { calendar: hoursCalendar(hours) } } : {}),
    };
    const classes = sorted(new Set(list.prices.map(({ token_class }) => token_class)));
    const meter = {
        meter: 'tokens',
        aggregation: 'sum',
        unit: 'token',
        attributes: attributes.filter((name) => name !== 'token_class'),
        token_classes: tokenClasses(classes),
    };
    return `${derivedHead(list, attributes, classes)}${stringify({ derived, meters: [meter] }, { lineWidth: 0 })}`;
}

/** The usual three or five; what else the list prices is for who counts it. */
function tokenClasses(classes: readonly string[]): Readonly<Record<string, string>> {
    const cached = ['cache_read', 'cache_write', 'cache_write_1h'].filter((name) =>
        classes.includes(name),
    );
    return {
        input: ['input_tokens', ...cached.map((name) => `${name}_tokens`)].join(' - '),
        ...Object.fromEntries(cached.map((name) => [name, `${name}_tokens`])),
        output: 'output_tokens',
    };
}

function derivedHead(
    { name, modelSql }: PriceList,
    attributes: readonly Attribute[],
    classes: readonly string[],
): string {
    const usual = ['input', 'output', 'cache_read', 'cache_write', 'cache_write_1h'];
    const others = classes.filter((of) => !usual.includes(of));
    const lines = [
        `What tieout.yaml needs for ${name}.yaml. Every usage input must give`,
        `- attributes: ${modelSql === null ? 'model' : 'reported_model (the name in the request)'}`,
        ...(attributes.includes('provider') ? ['  and provider (its id in the list)'] : []),
        ...(attributes.includes('service_tier')
            ? ['  and service_tier: standard, priority, flex or batch']
            : []),
        '- quantities: input_tokens (all of them, cached ones too: it decides the context band),',
        '  output_tokens, and the cached tokens that the classes below subtract, each `optional: true`',
        '  when an event may be without it. Take out what your events do not count.',
        ...(others.length
            ? [
                  `The list also prices ${others.join(', ')}: add such a class`,
                  'to the meter, and subtract it where your counts include it.',
              ]
            : []),
    ];
    return lines.map((line) => `# ${line}\n`).join('');
}

/** Every band but the last, which runs over midnight, is a window. */
function hoursCalendar(hours: readonly HourBand[]): object {
    const text = (time: string) => time.replace(/:00$/, '');
    return {
        zone: 'UTC',
        windows: hours
            .slice(0, -1)
            .map(({ name, from, to }) => ({ is: name, from: text(from), to: text(to) })),
        otherwise: hours.at(-1)?.name ?? '',
    };
}
