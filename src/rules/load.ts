import { posix } from 'node:path';
import { parseYaml } from '../compile/yaml.ts';
import type { FileProblem } from '../errors/index.ts';
import {
    type ChargeFile,
    type MatrixFile,
    type RateCardFile,
    rateCardSchema,
} from '../schema/rate-card.ts';
import { modelParameters } from '../schema/terms.ts';
import {
    boundariesOf,
    type CompiledCard,
    type CompiledCharge,
    type CompiledRate,
    type Place,
} from './card.ts';
import { cutRates, markUp } from './inherit.ts';
import { readMatrix } from './matrix.ts';
import { inFileOrder, Problems } from './problems.ts';
import { compileRate, type RateText } from './rate.ts';
import { termNames } from './terms.ts';

/** A rate card as it is being read. */
interface Reading {
    readonly file: string;
    readonly card: RateCardFile;
    readonly readText: (path: string) => string;
    readonly placeOf: (path: readonly PropertyKey[]) => Place;
    readonly problems: Problems;
}

type Load = { readonly card: CompiledCard } | { readonly problems: readonly FileProblem[] };

/** Cards of a chain of `extends`, the first and the last included. */
const chainLimit = 8;

/**
 * Reads a rate card, the matrices beside it, and the cards it is derived from. All problems at
 * once, each with file and line. What only makes sense against meters or between rates is for
 * `lintCard`.
 * @param readText gives the text of a file; a matrix is asked for relative to the card's folder.
 */
export function loadCard(file: string, readText: (path: string) => string): Load {
    return loadLink(posix.normalize(file), readText(file), readText, []);
}

/** Reads one card of a chain. @param above the cards that led here by `extends`. */
function loadLink(
    file: string,
    text: string,
    readText: (path: string) => string,
    above: readonly string[],
): Load {
    const parsed = parseYaml(file, text, rateCardSchema, 'CARD_INVALID');
    if ('problems' in parsed) return parsed;
    const problems = new Problems();
    const placeOf = (path: readonly PropertyKey[]) => ({ file, line: parsed.lineOf(path) });
    const reading = { file, card: parsed.value, readText, placeOf, problems };
    const charges = parsed.value.charges.map((charge, at) => loadCharge(reading, charge, at));
    const base = loadBase(reading, [...above, file]);
    checkHead(reading, base);
    if (problems.list.length || (base && 'problems' in base)) {
        const ofBase = base && 'problems' in base ? base.problems : [];
        return { problems: inFileOrder([...ofBase, ...problems.list]) };
    }
    const own = charges.flatMap((charge) => charge.rates);
    const inherited = base ? inherit(reading, base.card, own) : [];
    if (problems.list.length) return { problems: inFileOrder(problems.list) };
    const rates = [...inherited, ...own].sort((one, other) =>
        one.rate_id < other.rate_id ? -1 : one.rate_id > other.rate_id ? 1 : 0,
    );
    const { card, version, currency } = parsed.value;
    return {
        card: {
            card,
            version,
            currency,
            currencyAt: placeOf(['currency']),
            charges: [...(base?.card.charges ?? []), ...charges.map(({ charge }) => charge)],
            rates,
            boundaries: boundariesOf(rates),
        },
    };
}

/** The card that this one extends, or null when there is none or it cannot be had. */
function loadBase(reading: Reading, chain: readonly string[]): Load | null {
    const { card, placeOf, problems, readText } = reading;
    if (card.extends === undefined) return null;
    const at = placeOf(['extends']);
    const file = beside(reading.file, card.extends);
    const path = [...chain, file].join(' > ');
    if (chain.includes(file)) {
        problems.add(at, 'CARD_CYCLE', `${path} is a cycle`, {
            remedy: 'Take `extends` out of the card that begins the chain.',
        });
        return null;
    }
    if (chain.length >= chainLimit) {
        problems.add(at, 'CARD_TOO_DEEP', `${path} is more than ${chainLimit} cards`, {
            remedy: 'Derive the card from one further down the chain.',
        });
        return null;
    }
    let text: string;
    try {
        text = readText(file);
    } catch {
        problems.add(at, 'FILE_NOT_FOUND', `${file} cannot be read`, {
            remedy: 'The card that is extended is named relative to the folder of this one.',
        });
        return null;
    }
    return loadLink(file, text, readText, chain);
}

/** What the keys at the head of a card demand of each other. */
function checkHead({ card, placeOf, problems }: Reading, base: Load | null): void {
    if (card.extends === undefined && card.markup) {
        problems.add(placeOf(['markup']), 'MARKUP_ALONE', 'a markup needs a card that it raises', {
            remedy: 'Name that card with `extends`, or take the markup out.',
        });
    }
    if (card.extends === undefined && card.charges.length === 0) {
        problems.add(placeOf(['charges']), 'CARD_INVALID', 'a card needs at least one charge', {
            remedy: 'Write charges, or `extends` with a card that has some.',
        });
    }
    if (base && 'card' in base && base.card.currency !== card.currency) {
        problems.add(
            placeOf(['currency']),
            'BASE_CURRENCY',
            `this card is in ${card.currency}, and ${card.extends}, which it extends, in ` +
                base.card.currency,
            { remedy: 'Prices are not converted: derive a card from one in its own currency.' },
        );
    }
}

/** The rates of the base as this card has them. */
function inherit(
    { card, placeOf, problems }: Reading,
    base: CompiledCard,
    own: readonly CompiledRate[],
): readonly CompiledRate[] {
    const head = { card: card.card, card_version: card.version };
    const kept = cutRates(base.rates, own, head);
    if (!card.markup) return kept;
    return markUp(kept, card.markup.percent, placeOf(['markup', 'percent']), problems);
}

/** A path that a file names, relative to its folder. */
function beside(file: string, named: string): string {
    return posix.isAbsolute(named)
        ? posix.normalize(named)
        : posix.join(posix.dirname(file), named);
}

function loadCharge(
    reading: Reading,
    charge: ChargeFile,
    at: number,
): { readonly charge: CompiledCharge; readonly rates: readonly CompiledRate[] } {
    const { card, placeOf, problems } = reading;
    const { product, meter, unit } = charge;
    const head = {
        card: card.card,
        card_version: card.version,
        product,
        description: charge.description ?? product,
        meter,
        currency: card.currency,
        unit,
        pricePer: charge.model === 'per_unit' ? BigInt(charge.price_per) : 1n,
    };
    const inline = inlineRates(charge, (path) => placeOf(['charges', at, ...path]));
    const matrix = charge.model === 'per_unit' ? charge.matrix : undefined;
    const texts = [...inline, ...(matrix ? matrixRates(reading, charge, matrix, at) : [])];
    if (charge.rates.length === 0 && !matrix) {
        problems.add(placeOf(['charges', at]), 'NO_RATES', `charge ${product} has no rates`, {
            remedy: 'Give it rates, a matrix, or both; otherwise take it out.',
        });
    }
    return {
        charge: {
            product,
            meter,
            unit,
            meterAt: placeOf(['charges', at, 'meter']),
            attributes: attributePlaces(charge, (path) => placeOf(['charges', at, ...path])),
        },
        rates: texts.flatMap((text) => compileRate(text, head, problems) ?? []),
    };
}

type Written = Readonly<Record<string, unknown>>;

/** The terms that a charge or one of its rates may say itself. */
function termsReader(charge: ChargeFile): (of: Written) => Written {
    const names = termNames(
        charge.model === 'per_unit' ? [] : Object.keys(modelParameters[charge.model]),
    );
    return (of) =>
        Object.fromEntries(
            names.filter((name) => of[name] !== undefined).map((name) => [name, of[name]]),
        );
}

/** @param placeOf where a part of the charge is written. */
function inlineRates(
    charge: ChargeFile,
    placeOf: (path: readonly PropertyKey[]) => Place,
): readonly RateText[] {
    const ownTerms = termsReader(charge);
    const shared = ownTerms(charge);
    return charge.rates.map((rate, index) => {
        const own = ownTerms(rate);
        return {
            when: rate.when,
            price: 'price' in rate ? (rate.price as string) : null,
            listPrice: rate.list_price ?? null,
            from: rate.from,
            to: rate.to ?? null,
            priority: String(rate.priority),
            at: placeOf(['rates', index]),
            terms: {
                model: charge.model,
                values: { ...shared, ...own },
                at: (path) => placeOf(String(path[0]) in own ? ['rates', index, ...path] : path),
            },
        };
    });
}

function matrixRates(
    reading: Reading,
    charge: ChargeFile,
    matrix: MatrixFile,
    at: number,
): readonly RateText[] {
    const { readText, problems } = reading;
    const file = beside(reading.file, matrix.file);
    const placeOf = (path: readonly string[]) =>
        reading.placeOf(['charges', at, 'matrix', ...path]);
    let text: string;
    try {
        text = readText(file);
    } catch {
        // Whatever the reader says is about its own root; the person needs the line that names it.
        problems.add(placeOf(['file']), 'FILE_NOT_FOUND', `${file} cannot be read`, {
            remedy: 'The file of a matrix is named relative to the folder of its card.',
        });
        return [];
    }
    const terms = {
        model: charge.model,
        values: termsReader(charge)(charge),
        at: (path: readonly PropertyKey[]) => reading.placeOf(['charges', at, ...path]),
    };
    return readMatrix({ file, text, matrix, terms, placeOf }, problems);
}

/** Every attribute that the charge names, with the first place that does. */
function attributePlaces(
    charge: ChargeFile,
    placeOf: (path: readonly PropertyKey[]) => Place,
): Readonly<Record<string, Place>> {
    const places: Record<string, Place> = {};
    charge.rates.forEach(({ when }, index) => {
        for (const name of Object.keys(when)) {
            places[name] ??= placeOf(['rates', index, 'when', name]);
        }
    });
    for (const name of Object.keys(('matrix' in charge && charge.matrix?.attributes) || {})) {
        places[name] ??= placeOf(['matrix', 'attributes', name]);
    }
    return places;
}
