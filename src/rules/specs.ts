import { parseYaml } from '../compile/yaml.ts';
import type { FileProblem } from '../errors/index.ts';
import { rateSpecsSchema, type SpecFile } from '../schema/rate-card.ts';
import { didYouMean } from '../schema/suggest.ts';
import type { Instant } from '../time/instant.ts';
import { type CompiledCard, type Place, sorted } from './card.ts';
import type { KnownMeters } from './lint.ts';
import { inFileOrder, Problems } from './problems.ts';
import { decimalOf, readInstant } from './rate.ts';

/** What a worked example says must come out. */
export type Expectation =
    | {
          /** Exact and unrounded. */
          readonly amount: string;
          readonly unit_price: string | null;
          readonly rate: string | null;
      }
    | { readonly unrated: true };

/** One worked example of a card. */
export interface RateSpec extends Place {
    readonly name: string;
    readonly at: Instant;
    readonly meter: string;
    /** Every attribute of the meter; null where the usage does not carry it. */
    readonly attributes: Readonly<Record<string, string | null>>;
    readonly quantity: string;
    readonly expect: Expectation;
}

/**
 * Reads the worked examples of a card. All problems at once, each with file and line.
 * @param known the meters of the config; without them names are only checked against the card.
 */
export function loadSpecs(
    file: string,
    text: string,
    card: CompiledCard,
    known?: KnownMeters,
): { readonly specs: readonly RateSpec[] } | { readonly problems: readonly FileProblem[] } {
    const parsed = parseYaml(file, text, rateSpecsSchema, 'SPECS_INVALID');
    if ('problems' in parsed) return parsed;
    const problems = new Problems();
    const placeOf = (path: readonly PropertyKey[]) => ({ file, line: parsed.lineOf(path) });
    const ofCard = parsed.value.card ?? card.card;
    if (ofCard !== card.card) {
        problems.add(
            placeOf(['card']),
            'SPEC_CARD',
            `these are examples of ${ofCard}, and the card beside them is ${card.card}`,
            { remedy: 'Correct the name, or move the examples to their card.' },
        );
    }
    const specs = parsed.value.specs.flatMap(
        (spec, index) => readSpec(spec, placeOf(['specs', index]), problems) ?? [],
    );
    lintNames(specs, problems);
    for (const spec of specs) lintAttributes(spec, card, problems);
    if (known) for (const spec of specs) lintKnown(spec, known, problems);
    return problems.list.length ? { problems: inFileOrder(problems.list) } : { specs };
}

function readSpec(spec: SpecFile, place: Place, problems: Problems): RateSpec | null {
    const { name, meter, attributes, quantity, expect } = spec;
    const at = readInstant('at', spec.at, place, problems);
    const quantityOf = decimalOf(quantity);
    if (!quantityOf || quantityOf.units < 0n || quantityOf.scale > 12) {
        problems.add(place, 'BAD_QUANTITY', `quantity "${quantity}" is not a quantity`, {
            remedy: 'Write a decimal of at most 12 places that is not negative, like "1500".',
        });
    }
    const expected: Expectation =
        'unrated' in expect
            ? { unrated: true }
            : {
                  amount: expect.amount,
                  unit_price: expect.unit_price ?? null,
                  rate: expect.rate ?? null,
              };
    for (const text of 'unrated' in expected ? [] : [expected.amount, expected.unit_price]) {
        if (text === null || decimalOf(text)) continue;
        problems.add(place, 'BAD_AMOUNT', `"${text}" is not a plain decimal`, {
            remedy: 'Write digits and one point, like "0.5": no currency sign, no thousands.',
        });
    }
    return at === null
        ? null
        : { ...place, name, at, meter, attributes, quantity, expect: expected };
}

function lintNames(specs: readonly RateSpec[], problems: Problems): void {
    const lines = new Map<string, number>();
    for (const spec of specs) {
        const line = lines.get(spec.name);
        if (line !== undefined) {
            problems.add(
                spec,
                'DUPLICATE_SPEC',
                `"${spec.name}" is also the example at line ${line}`,
            );
        }
        lines.set(spec.name, line ?? spec.line);
    }
}

/**
 * An example that leaves out an attribute the card looks at would prove something else than it
 * says: above all one that expects no rate.
 */
function lintAttributes(spec: RateSpec, card: CompiledCard, problems: Problems): void {
    const charges = card.charges.filter(({ meter }) => meter === spec.meter);
    const named = sorted(new Set(charges.flatMap(({ attributes }) => Object.keys(attributes))));
    for (const name of named.filter((of) => !Object.hasOwn(spec.attributes, of))) {
        problems.add(spec, 'MISSING_ATTRIBUTE', `"${spec.name}" does not say what ${name} is`, {
            remedy: `Write its value, or \`${name}: null\` for usage that does not carry it.`,
        });
    }
}

function lintKnown(spec: RateSpec, { meters }: KnownMeters, problems: Problems): void {
    const { meter } = spec;
    const attributes = Object.hasOwn(meters, meter) ? meters[meter] : undefined;
    if (!attributes) {
        problems.add(spec, 'UNKNOWN_METER', `no meter is called "${meter}"`, {
            remedy: didYouMean(meter, Object.keys(meters)),
        });
        return;
    }
    for (const name of Object.keys(spec.attributes)) {
        if (attributes.includes(name)) continue;
        problems.add(spec, 'UNKNOWN_ATTRIBUTE', `meter ${meter} has no attribute "${name}"`, {
            remedy: didYouMean(name, attributes),
        });
    }
}
