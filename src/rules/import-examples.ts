import { stringify } from 'yaml';
import { formatAmount, multiply, parseAmount } from '../money/amount.ts';
import { sorted } from './card.ts';
import type { ListedPrice, PriceList } from './listed-price.ts';

/** What of a price its model and class do not decide. */
const bands = ['time_of_day', 'context_band', 'service_tier'] as const;
type Band = (typeof bands)[number];

/** Examples are of this year, unless the price began later. */
const firstDay = '2026-01-01';
const units = 1_234_567n;

/**
 * The worked examples of an imported card: one model without bands, and for each kind of band the
 * first that has most of them, in every band. The amounts come from the list, not from the card.
 */
export function workedExamples(list: PriceList, attributes: readonly string[]): string {
    const open = list.prices.filter(({ effective_to }) => effective_to === '');
    const ofOne = [...Map.groupBy(open, keyOf).entries()]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([, prices]) => prices);
    const plain = ofOne.find(([price]) => price && bands.every((band) => price[band] === '*'));
    const banded = bands.flatMap((band) => richest(ofOne, band));
    const specs = [...new Set([...(plain ?? []), ...banded])].map((price) =>
        example(price, list, attributes),
    );
    const head = `# Worked examples of ${list.name}.yaml, with the prices of the list. Run them with \`tieout rules test\`.\n`;
    return `${head}${stringify({ card: list.name, specs: [...specs, unlisted(list, attributes)] }, { lineWidth: 0 })}`;
}

/** The prices, of one model and class, in which a band has most values. */
function richest(groups: readonly (readonly ListedPrice[])[], band: Band): readonly ListedPrice[] {
    const values = (prices: readonly ListedPrice[]) =>
        new Set(prices.map((price) => price[band]).filter((of) => of !== '*')).size;
    const most = Math.max(...groups.map(values));
    return most > 0 ? (groups.find((prices) => values(prices) === most) ?? []) : [];
}

const keyOf = ({ provider, model, token_class }: ListedPrice) =>
    JSON.stringify([provider, model, token_class]);

/** What usage of a price carries: where the price is for any band, the first one. */
function carried(price: ListedPrice, list: PriceList): Readonly<Record<Band, string>> {
    const first = {
        time_of_day: list.hours[0]?.name ?? '',
        context_band: list.contexts[0]?.name ?? '',
        service_tier: 'standard',
    };
    const of = (band: Band) => (price[band] === '*' ? first[band] : price[band]);
    return {
        time_of_day: of('time_of_day'),
        context_band: of('context_band'),
        service_tier: of('service_tier'),
    };
}

function example(price: ListedPrice, list: PriceList, attributes: readonly string[]): object {
    const usage: Readonly<Record<string, string>> = { ...price, ...carried(price, list) };
    const began = price.effective_from.slice(0, 10);
    const hour = list.hours.find(({ name }) => name === usage.time_of_day);
    const shown = bands.map((band) => price[band]).filter((of) => of !== '*');
    // `price_per` is a power of ten: so many zeros, so many decimals.
    const quantity = { units, scale: list.pricePer.length - 1 };
    return {
        name: [
            `${price.provider}/${price.model}`.replace('*/', ''),
            price.token_class,
            ...shown,
        ].join(', '),
        at: `${sorted([began, firstDay]).at(-1)}T${hour?.from ?? '12:00:00'}Z`,
        meter: 'tokens',
        attributes: Object.fromEntries(attributes.map((name) => [name, usage[name] ?? ''])),
        quantity: `${units}`,
        expect: { amount: formatAmount(multiply(parseAmount(price.price), quantity)) },
    };
}

function unlisted({ contexts }: PriceList, attributes: readonly string[]): object {
    return {
        name: 'a model that is not in the list has no price',
        at: `${firstDay}T12:00:00Z`,
        meter: 'tokens',
        attributes: {
            ...Object.fromEntries(attributes.map((name) => [name, null])),
            model: 'not-in-the-list',
            token_class: 'input',
            context_band: contexts[0]?.name ?? '',
        },
        quantity: '1',
        expect: { unrated: true },
    };
}
