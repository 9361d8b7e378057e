import { posix } from 'node:path';
import { parseYaml } from '../compile/yaml.ts';
import type { FileProblem } from '../errors/index.ts';
import { type ChargeFile, type RateCardFile, rateCardSchema } from '../schema/rate-card.ts';
import {
    boundariesOf,
    type CompiledCard,
    type CompiledCharge,
    type CompiledRate,
    type Place,
} from './card.ts';
import { readMatrix } from './matrix.ts';
import { inFileOrder, Problems } from './problems.ts';
import { compileRate, type RateText } from './rate.ts';

/** A rate card as it is being read. */
interface Reading {
    readonly file: string;
    readonly card: RateCardFile;
    readonly readText: (path: string) => string;
    readonly placeOf: (path: readonly PropertyKey[]) => Place;
    readonly problems: Problems;
}

/**
 * Reads a rate card and the matrices beside it. All problems at once, each with file and line.
 * What only makes sense against meters or between rates is for `lintCard`.
 * @param readText gives the text of a file; a matrix is asked for relative to the card's folder.
 */
export function loadCard(
    file: string,
    readText: (path: string) => string,
): { readonly card: CompiledCard } | { readonly problems: readonly FileProblem[] } {
    const parsed = parseYaml(file, readText(file), rateCardSchema, 'CARD_INVALID');
    if ('problems' in parsed) return parsed;
    const problems = new Problems();
    const placeOf = (path: readonly PropertyKey[]) => ({ file, line: parsed.lineOf(path) });
    const reading = { file, card: parsed.value, readText, placeOf, problems };
    const charges = parsed.value.charges.map((charge, at) => loadCharge(reading, charge, at));
    if (problems.list.length) return { problems: inFileOrder(problems.list) };
    const rates = charges
        .flatMap((charge) => charge.rates)
        .sort((one, other) =>
            one.rate_id < other.rate_id ? -1 : one.rate_id > other.rate_id ? 1 : 0,
        );
    const { card, version, currency } = parsed.value;
    return {
        card: {
            card,
            version,
            currency,
            currencyAt: placeOf(['currency']),
            charges: charges.map(({ charge }) => charge),
            rates,
            boundaries: boundariesOf(rates),
        },
    };
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
        pricePer: BigInt(charge.price_per),
    };
    const inline = inlineRates(charge, (path) => placeOf(['charges', at, 'rates', ...path]));
    const texts = [...inline, ...matrixRates(reading, charge, at)];
    if (charge.rates.length === 0 && !charge.matrix) {
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

function inlineRates(
    charge: ChargeFile,
    placeOf: (path: readonly PropertyKey[]) => Place,
): readonly RateText[] {
    return charge.rates.map(({ when, price, from, to, priority }, index) => ({
        when,
        price,
        from,
        to: to ?? null,
        priority: String(priority),
        at: placeOf([index]),
    }));
}

function matrixRates(reading: Reading, charge: ChargeFile, at: number): readonly RateText[] {
    const { matrix } = charge;
    if (!matrix) return [];
    const { readText, problems } = reading;
    const isAbsolute = posix.isAbsolute(matrix.file);
    const file = isAbsolute ? matrix.file : posix.join(posix.dirname(reading.file), matrix.file);
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
    return readMatrix({ file, text, matrix, placeOf }, problems);
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
    for (const name of Object.keys(charge.matrix?.attributes ?? {})) {
        places[name] ??= placeOf(['matrix', 'attributes', name]);
    }
    return places;
}
