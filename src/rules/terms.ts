import { add, compare, formatAmount, parseAmount } from '../money/amount.ts';
import { quoteLine } from '../schema/quote.ts';
import {
    type ChargeModel,
    eventParts,
    isByEvent,
    modifierNames,
    type Terms,
} from '../schema/terms.ts';
import type { Place } from './card.ts';
import type { Problems } from './problems.ts';
import { requireSteps, requireTiers } from './tiers.ts';

/** The terms of one rate as written: what its charge says, and over it what the rate says. */
export interface TermsText {
    readonly model: ChargeModel;
    readonly values: Readonly<Record<string, unknown>>;
    /** Where a part of a term is written. */
    readonly at: (path: readonly PropertyKey[]) => Place;
}

const required: Readonly<Partial<Record<ChargeModel, readonly string[]>>> = {
    graduated: ['tiers'],
    volume: ['tiers'],
    graduated_percentage: ['tiers'],
    stairstep: ['steps'],
    package: ['package_size', 'package_price'],
    percentage: ['percent'],
    flat: ['fee'],
};

/**
 * The terms of one rate, checked. Notes every problem; null when it has any, and for a bare
 * per_unit, whose price says all. A list price of its own makes it more than that.
 */
export function compileTerms(
    text: TermsText,
    {
        unitPrice,
        listPrice,
    }: { readonly unitPrice: string | null; readonly listPrice: string | null },
    place: Place,
    problems: Problems,
): Terms | null {
    const { model, values } = text;
    const isBare = Object.keys(values).length === 0 && listPrice === null;
    if (model === 'per_unit' && isBare) return null;
    const before = problems.list.length;
    for (const name of (required[model] ?? []).filter((key) => values[key] === undefined)) {
        problems.add(place, 'TERM_MISSING', `a ${model} rate needs ${name}, and has none`, {
            remedy: 'Write it on the rate, or on the charge for all of its rates.',
        });
    }
    if (Array.isArray(values.tiers)) requireTiers(values.tiers, text.at, problems);
    if (Array.isArray(values.steps)) requireSteps(values.steps, text.at, problems);
    requireModifiers(text, problems);
    requireOverTerm(text, problems);
    if (model === 'flat' && listPrice !== null) {
        problems.add(place, 'TERM_CONFLICT', 'a flat fee has no list price: it is of no unit', {
            remedy: 'Take list_price out.',
        });
    }
    if (problems.list.length > before || (model === 'per_unit' && unitPrice === null)) return null;
    const { bill, proration, tier_scope, ...rest } = values;
    const charge = quoteLine.shape.charge.parse({
        model,
        ...(model === 'per_unit' ? { unit_price: unitPrice } : {}),
        ...rest,
    });
    const more = {
        ...(proration === undefined ? {} : { proration }),
        ...(bill === undefined ? {} : { bill }),
        ...(tier_scope === undefined ? {} : { tier_scope }),
    };
    return { ...charge, ...more } as Terms;
}

/** What modifiers demand of each other and of the model. */
function requireModifiers({ model, values, at }: TermsText, problems: Problems): void {
    const conversion = values.unit_conversion as Record<string, string> | undefined;
    if (
        conversion &&
        (conversion.divide_by === undefined) === (conversion.multiply_by === undefined)
    ) {
        problems.add(
            at(['unit_conversion']),
            'TERM_CONFLICT',
            'unit_conversion needs divide_by or multiply_by, and not both',
            { remedy: 'Keep the one that leads from units of the meter to units of the prices.' },
        );
    }
    const byEvent = model === 'percentage' && eventParts.some((part) => values[part] !== undefined);
    if (model === 'flat' || byEvent) {
        for (const name of ['unit_conversion', 'included'].filter(
            (key) => values[key] !== undefined,
        )) {
            problems.add(
                at([name]),
                'TERM_CONFLICT',
                `${name} changes a quantity, and ${model === 'flat' ? 'a flat fee' : 'a percentage of each event'} has none`,
                { remedy: `Take ${name} out, or use another model.` },
            );
        }
    }
    const discounts = (values.discounts ?? []) as readonly Record<string, string>[];
    discounts.forEach(({ percent, amount }, index) => {
        if ((percent === undefined) === (amount === undefined)) {
            problems.add(
                at(['discounts', index]),
                'TERM_CONFLICT',
                'a discount is a percent or an amount, and not both',
                { remedy: 'Write two discounts: each applies to what the one before it left.' },
            );
        } else if (percent !== undefined && compare(parseAmount(percent), parseAmount('100')) > 0) {
            problems.add(
                at(['discounts', index]),
                'TERM_CONFLICT',
                `a discount of ${percent} percent is more than there is`,
                { remedy: 'Write at most "100".' },
            );
        }
    });
}

/**
 * Over the term of a contract a period is charged what its usage adds to the total. What is charged
 * for a period whatever was used in it has no part in that.
 */
function requireOverTerm({ model, values, at }: TermsText, problems: Problems): void {
    if (values.tier_scope !== 'contract_term') return;
    const conflict = (path: readonly PropertyKey[], what: string, remedy: string) =>
        problems.add(
            at(path),
            'TERM_CONFLICT',
            `tier_scope contract_term counts usage over a term, and ${what}`,
            { remedy },
        );
    if (model === 'flat') {
        conflict(['tier_scope'], 'a flat fee is of a period', 'Take tier_scope out.');
    }
    if (model === 'percentage') {
        const what = 'a percentage has no tiers';
        conflict(['tier_scope'], what, 'Take tier_scope out, or use graduated_percentage.');
    }
    for (const name of ['minimum', 'charge_zero_usage', 'proration']) {
        if (values[name] === undefined || values[name] === false) continue;
        conflict([name], `${name} is of a period`, `Take ${name} out, or count by pool.`);
    }
}

/** Percent as a share: two more decimals. */
function share(percent: string): string {
    const { units, scale } = parseAmount(percent);
    return formatAmount({ units, scale: scale + 2 });
}

/** What one unit costs before the total of the period is known, where the card does not say. */
export function defaultListPrice(terms: Terms): string {
    if (terms.unit_conversion) return '0';
    switch (terms.model) {
        case 'per_unit':
            return terms.unit_price;
        case 'graduated':
        case 'volume':
            return terms.tiers[0]?.unit_price ?? '0';
        case 'percentage':
            return isByEvent(terms) ? '0' : share(terms.percent);
        case 'dynamic':
            return formatAmount(add(parseAmount('1'), parseAmount(share(terms.markup_percent))));
        default:
            return '0';
    }
}

/** The names of terms that a charge or a rate may have, of its model and the modifiers. */
export function termNames(parameters: readonly string[]): readonly string[] {
    return [...parameters, ...modifierNames];
}
