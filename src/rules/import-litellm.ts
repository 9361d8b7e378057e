import { z } from 'zod';
import { sorted } from './card.ts';
import { plainDecimal } from './exact-json.ts';
import type { ContextBand, ListedPrice } from './listed-price.ts';
import {
    contextBands,
    type ImportedCard,
    type ImportOptions,
    since,
    writeCard,
} from './price-list.ts';

/**
 * LiteLLM's model_prices_and_context_window.json: model to fields, of which `..._cost_...` are
 * prices in USD per unit. `_above_200k_tokens` is the price of a request whose input exceeds that
 * many tokens; `_priority`, `_flex` and `_batches` are those of a service tier.
 */

const listSchema = z.record(z.string(), z.looseObject({ litellm_provider: z.string().optional() }));

/** Entries of the file that are no models. */
const notModels = new Set(['sample_spec', 'fallback_generalizations']);

/** Field to the token class it prices. */
const classes: Readonly<Record<string, string>> = {
    input_cost_per_token: 'input',
    output_cost_per_token: 'output',
    cache_read_input_token_cost: 'cache_read',
    cache_creation_input_token_cost: 'cache_write',
    cache_creation_input_token_cost_above_1hr: 'cache_write_1h',
    output_cost_per_reasoning_token: 'output_reasoning',
    input_cost_per_audio_token: 'input_audio',
    output_cost_per_audio_token: 'output_audio',
    cache_read_input_audio_token_cost: 'cache_audio_read',
    cache_creation_input_audio_token_cost: 'cache_audio_write',
    input_cost_per_image_token: 'input_image',
    output_cost_per_image_token: 'output_image',
    cache_read_input_image_token_cost: 'cache_image_read',
    input_cost_per_video_token: 'input_video',
    output_cost_per_video_token: 'output_video',
};
const tiers: Readonly<Record<string, string>> = {
    priority: 'priority',
    flex: 'flex',
    batches: 'batch',
};
const field =
    /^(.+?)(?:_(priority|flex|batches))?(?:_above_(\d+)k_tokens)?(?:_(priority|flex|batches))?$/;
const isPrice = /cost|price|pricing|dbu|multiplier/;

/** One price of a model: above so many input tokens of a request, 0 for any. */
interface Listed {
    readonly token_class: string;
    readonly tier: string;
    readonly above: bigint;
    readonly price: string;
}

interface ReadModel {
    readonly provider: string;
    readonly model: string;
    readonly listed: readonly Listed[];
}

/** Providers of a list, for who wants one of them. @throws ZodError when it is no such list. */
export function litellmProviders(json: unknown): readonly string[] {
    const models = Object.entries(listSchema.parse(json)).filter(([name]) => !notModels.has(name));
    return sorted(new Set(models.flatMap(([, of]) => of.litellm_provider ?? [])));
}

/**
 * Makes a card of a list. @param json from parseExactJson: numbers are texts.
 * @throws ZodError when it is no such list.
 */
export function importLitellm(json: unknown, options: ImportOptions): ImportedCard {
    const only = options.provider;
    const notes: string[] = [];
    const models = Object.entries(listSchema.parse(json)).flatMap(([model, of]) => {
        const provider = of.litellm_provider ?? '';
        if (notModels.has(model) || (only !== undefined && provider !== only)) return [];
        if (model.includes('*') || model !== model.trim()) {
            notes.push(`${model}: no price is imported: it is not the name of one model`);
            return [];
        }
        return [{ provider, model, listed: readFields(model, of, notes) }];
    });
    const contexts = contextBands(
        models.flatMap(({ listed }) => listed.flatMap(({ above }) => (above > 0n ? above : []))),
    );
    const list = {
        name: only === undefined ? 'litellm' : `litellm-${only.toLowerCase()}`,
        source: `LiteLLM's model_prices_and_context_window.json${only === undefined ? '' : `, provider ${only}`}`,
        priceColumn: 'usd_per_token',
        pricePer: '1',
        // A model is its own key here: the provider says nothing more.
        prices: models.flatMap((of) =>
            rowsOf(of, contexts, notes).map((row) => ({ ...row, provider: '*' })),
        ),
        contexts,
        hours: [],
        modelSql: null,
        notes,
    };
    return writeCard(list, options);
}

/** The prices of a model that a card can hold; the others are noted. */
function readFields(
    model: string,
    fields: Readonly<Record<string, unknown>>,
    notes: string[],
): readonly Listed[] {
    return Object.entries(fields).flatMap(([key, value]) => {
        if (value === null || !isPrice.test(key)) return [];
        const shown = typeof value === 'string' ? value : JSON.stringify(value);
        const no = (why: string) => {
            notes.push(`${model}: ${key} ${shown} is not imported: ${why}`);
            return [];
        };
        const [, base = '', before, above, after] = field.exec(key) ?? [];
        const token_class = classes[base];
        if (token_class === undefined) return no(reasonFor(key));
        const price = typeof value === 'string' ? plainDecimal(value) : null;
        if (price === null) return no('it is not a number');
        if (price.startsWith('-')) return no('it is below zero');
        if ((price.split('.')[1] ?? '').length > 12) {
            return no('it has more than the 12 decimals of a price');
        }
        const tier = tiers[before ?? after ?? ''] ?? 'standard';
        return [{ token_class, tier, above: BigInt(above ?? 0) * 1000n, price }];
    });
}

function reasonFor(key: string): string {
    if (key === 'tiered_pricing') return 'each slice of the tokens of a request has its own price';
    if (key.endsWith('multiplier') || key.includes('multiplier_')) {
        return 'it raises the other prices: derive a card with a markup';
    }
    return 'it is a price of something else than a class of tokens';
}

/** The rows of a model: one for each class, tier and band that the list prices. */
function rowsOf(
    { provider, model, listed }: ReadModel,
    contexts: readonly ContextBand[],
    notes: string[],
): readonly ListedPrice[] {
    const hasTiers = listed.some(({ tier }) => tier !== 'standard');
    const ofClass = Map.groupBy(listed, ({ token_class }) => token_class);
    const allTiers = sorted(new Set(listed.map(({ tier }) => tier)));
    return [...ofClass].flatMap(([token_class, prices]) => {
        const bands = prices.some(({ above }) => above > 0n) ? contexts : [null];
        return allTiers.flatMap((tier) => {
            const own = prices.filter((price) => price.tier === tier);
            const rows = bands.flatMap((band) => {
                const price = priceIn(own, prices, band);
                return price === null ? [] : [{ band, price }];
            });
            if (rows.length < bands.length) {
                const missing = bands.flatMap((band) =>
                    rows.some((row) => row.band === band) ? [] : (band?.name ?? 'any context'),
                );
                notes.push(
                    `${model}: ${token_class} has no price in tier ${tier} for ${missing.join(', ')}: such usage is UNRATED`,
                );
            }
            return rows.map(({ band, price }) => ({
                provider,
                model,
                token_class,
                context_band: band?.name ?? '*',
                service_tier: hasTiers ? tier : '*',
                time_of_day: '*',
                effective_from: since,
                effective_to: '',
                price,
            }));
        });
    });
}

/**
 * The price of a tier in a band: of the highest threshold the band is above. Where the class has a
 * higher threshold than the tier has a price for, the list does not say, and nothing is made up.
 */
function priceIn(
    own: readonly Listed[],
    all: readonly Listed[],
    band: ContextBand | null,
): string | null {
    const over = band?.over ?? 0n;
    const reached = (of: readonly Listed[]) =>
        [...of]
            .sort((one, other) => (one.above < other.above ? -1 : 1))
            .findLast(({ above }) => above <= over);
    const found = reached(own);
    return found && found.above === reached(all)?.above ? found.price : null;
}
