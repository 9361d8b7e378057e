import { parseYaml } from '../compile/yaml.ts';
import type { FileProblem } from '../errors/index.ts';
import { add, formatAmount } from '../money/amount.ts';
import { rateSpecsSchema, type SpecFile } from '../schema/rate-card.ts';
import { didYouMean } from '../schema/suggest.ts';
import type { Instant } from '../time/instant.ts';
import { isZone } from '../time/zone.ts';
import { type CompiledCard, type Place, sorted } from './card.ts';
import type { KnownMeters } from './lint.ts';
import { inFileOrder, Problems } from './problems.ts';
import { decimalOf, readInstant } from './rate.ts';

/** What a worked example says must come out. */
export type Expectation =
    | {
          /** Exact and unrounded. */
          readonly amount: string;
          /** On the invoice line. */
          readonly rounded: string | null;
          readonly unit_price: string | null;
          readonly rate: string | null;
          /** The tiers entered; null when the example does not say. */
          readonly tiers: readonly ExpectedTier[] | null;
      }
    | { readonly unrated: true }
    | { readonly charged: false };

/** A tier as an example has it: only what it says is compared. */
export type ExpectedTier = Readonly<
    Partial<Record<'quantity' | 'unit_price' | 'flat_fee' | 'amount', string | undefined>>
>;

/** One worked example of a card. */
export interface RateSpec extends Place {
    readonly name: string;
    readonly at: Instant;
    readonly meter: string;
    /** Every attribute of the meter; null where the usage does not carry it. */
    readonly attributes: Readonly<Record<string, string | null>>;
    /** Null for an account that used nothing. */
    readonly quantity: string | null;
    /** What each event added; null when only their sum is known. */
    readonly events: readonly string[] | null;
    readonly zone: string;
    readonly active: { readonly from: Instant | null; readonly to: Instant | null };
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
    const { name, meter, attributes, zone } = spec;
    const at = readInstant('at', spec.at, place, problems);
    const stay = (what: 'from' | 'to') => {
        const text = spec.active?.[what];
        return text === undefined ? null : readInstant(`active.${what}`, text, place, problems);
    };
    const active = { from: stay('from'), to: stay('to') };
    if (!isZone(zone)) {
        problems.add(place, 'UNKNOWN_ZONE', `${zone} is not an IANA time zone`, {
            remedy: 'Write it like America/New_York.',
        });
    }
    const usage = readUsage(spec, place, problems);
    const expect = readExpectation(spec.expect, place, problems);
    if (at === null || usage === null) return null;
    return { ...place, name, at, meter, attributes, ...usage, zone, active, expect };
}

function readUsage(
    { quantity, events }: SpecFile,
    place: Place,
    problems: Problems,
): Pick<RateSpec, 'quantity' | 'events'> | null {
    if (quantity !== undefined && events !== undefined) {
        problems.add(place, 'BAD_QUANTITY', 'an example has a quantity or events, not both', {
            remedy: 'Keep the events where each is priced, else the quantity.',
        });
    }
    const read = quantity === undefined ? null : decimalOf(quantity);
    if (quantity !== undefined && (!read || read.units < 0n || read.scale > 12)) {
        problems.add(place, 'BAD_QUANTITY', `quantity "${quantity}" is not a quantity`, {
            remedy: 'Write a decimal of at most 12 places that is not negative, like "1500".',
        });
    }
    const values = (events ?? []).map((text) => ({ text, value: decimalOf(text) }));
    for (const { text, value } of values.filter((of) => !of.value || of.value.scale > 12)) {
        problems.add(place, 'BAD_QUANTITY', `"${text}" is not what an event can add`, {
            remedy: value ? 'At most 12 decimals.' : 'Write a plain decimal, like "19.90".',
        });
    }
    if (events === undefined) return { quantity: quantity ?? null, events: null };
    const total = values.reduce((sum, { value }) => add(sum, value ?? zero), zero);
    return { quantity: formatAmount(total), events };
}

const zero = { units: 0n, scale: 0 };

function readExpectation(
    expect: SpecFile['expect'],
    place: Place,
    problems: Problems,
): Expectation {
    if ('unrated' in expect) return { unrated: true };
    if ('charged' in expect) return { charged: false };
    const { amount, tiers } = expect;
    const [rounded, unit_price] = [expect.rounded ?? null, expect.unit_price ?? null];
    const decimals = [
        ...[amount, rounded, unit_price],
        ...(tiers ?? []).flatMap((tier) => Object.values(tier)),
    ];
    for (const text of decimals) {
        if (text === null || text === undefined || decimalOf(text)) continue;
        problems.add(place, 'BAD_AMOUNT', `"${text}" is not a plain decimal`, {
            remedy: 'Write digits and one point, like "0.5": no currency sign, no thousands.',
        });
    }
    return { amount, rounded, unit_price, rate: expect.rate ?? null, tiers: tiers ?? null };
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
