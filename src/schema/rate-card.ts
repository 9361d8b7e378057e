import { z } from 'zod';
import { strict } from './strict.ts';
import { didYouMean } from './suggest.ts';
import { chargeModels, listPrice, modelParameters, modifiers } from './terms.ts';
import { decimal, text } from './written.ts';

/**
 * Rate cards and their worked examples, as a person writes them. Here only the shape is checked:
 * what the texts mean (prices, instants, patterns) is read by src/rules, in the same way for a rate
 * that stands in the card and for one that stands in a CSV file.
 */

const cardName = text('card').regex(
    /^[a-z0-9][a-z0-9._-]*$/,
    'a card is named with lower-case letters, digits, ".", "_" and "-"',
);

// What `describe` says is for the published JSON Schema: an editor shows it beside the key.

/** Attribute to value; `"*"` is any value. */
const when = z
    .record(z.string(), text('the value of an attribute ("*" is any)'), {
        error: ({ input }) =>
            input === undefined || input === null
                ? 'when is missing: write `when: {}` for a rate of all usage of the meter'
                : undefined,
    })
    .describe('Attribute to value, or "*" for any; {} is all usage of the meter.');

const priority = z
    .int('priority must be a whole number, like 10')
    .default(0)
    .describe('The higher wins among rates that name as many attributes.');

/** What every rate has, whatever its model. */
const anyRate = {
    when,
    from: text('from').describe('First instant, with its zone: 2026-01-01T00:00:00Z.'),
    to: text('to').optional().describe('First instant after it; left out while the rate is open.'),
    priority,
    list_price: listPrice,
};

const perUnitRate = strict({
    ...anyRate,
    price: decimal('price').describe('Decimal in quotes, for price_per units.'),
    ...modifiers,
});

const matrix = strict({
    file: text('file').describe('CSV with a header, relative to the folder of the card.'),
    attributes: z
        .record(z.string(), text('a column name'))
        .describe('Attribute to the column that has its value.'),
    price: text('price (the name of a column)').describe('Column of the price.'),
    from: text('from (the name of a column)').describe('Column of the first instant.'),
    to: text('to (the name of a column)')
        .optional()
        .describe('Column of the first instant after it; an empty cell is open.'),
    priority: text('priority (the name of a column)')
        .optional()
        .describe('Column of the priority; an empty cell is 0.'),
    ignore: z
        .array(text('a column name'))
        .default([])
        .describe('Columns for people. Any other column that nothing names is an error.'),
});

/** What every charge has, whatever its model. */
const anyCharge = {
    product: text('product').describe('What the invoice line is grouped by.'),
    description: text('description').optional().describe('What the line says: the product.'),
    meter: text('meter').describe('A meter of tieout.yaml.'),
    unit: text('unit').describe('Name of one unit of the meter.'),
};

/** quantity x price. Rates in the card, in a CSV matrix, or both. */
const perUnit = strict({
    ...anyCharge,
    model: z.literal('per_unit').describe('Quantity x price.'),
    price_per: text('price_per')
        .regex(/^[1-9]\d*$/, 'price_per must be a whole number above zero, like "1000000"')
        .default('1')
        .describe('The prices are for this many units.'),
    ...modifiers,
    rates: z.array(perUnitRate).default([]).describe('Rates written here.'),
    matrix: matrix.optional().describe('Rates in a CSV file.'),
});

/** Any other model: its terms on the charge, on its rates, or some on each. */
function modelled<const M extends keyof typeof modelParameters>(model: M, what: string) {
    const terms = { ...modelParameters[model], ...modifiers };
    return strict({
        ...anyCharge,
        model: z.literal(model).describe(what),
        ...terms,
        rates: z
            .array(strict({ ...anyRate, ...terms }))
            .default([])
            .describe('Rates: what a rate says itself wins over what the charge says.'),
    });
}

function wrongModel(input: unknown): string {
    const model = (input as { readonly model?: unknown } | null)?.model;
    if (model === undefined || model === null) return 'model is missing: write `model: per_unit`';
    return `"${String(model)}" is not a charge model. ${didYouMean(String(model), chargeModels)}`;
}

const charge = z.discriminatedUnion(
    'model',
    [
        perUnit,
        modelled('graduated', 'Each slice at its own price, with the fee of each tier entered.'),
        modelled('volume', 'All of it at the price of the tier that it falls in.'),
        modelled('package', 'Packages begun x price.'),
        modelled('stairstep', 'The price of the step that it falls in.'),
        modelled('percentage', 'Percent of a metered amount, with parts for each event.'),
        modelled('graduated_percentage', 'Percent by slice of a metered amount.'),
        modelled('dynamic', 'A metered amount with a markup.'),
        modelled('flat', 'A fee for the period.'),
    ],
    {
        error: ({ code, input }) => (code === 'invalid_union' ? wrongModel(input) : undefined),
    },
);

/** `<card>.yaml`. Whether it has charges enough is for src/rules: one that extends needs none. */
export const rateCardSchema = strict({
    card: cardName.describe('Its name: lower-case letters, digits, ".", "_" and "-".'),
    version: text('version').describe('Text; a published version never changes.'),
    currency: text('currency').describe('ISO 4217, upper case; one card, one currency.'),
    extends: text('extends (the file of a card)')
        .optional()
        .describe('The card whose rates this one takes over, relative to the folder of this one.'),
    markup: strict({ percent: decimal('percent').describe('Decimal in quotes, like "20".') })
        .optional()
        .describe('Raises every price that is taken over; below zero it lowers them.'),
    charges: z
        .array(charge)
        .default([])
        .describe('What is charged. In a card that extends another: what differs from it.'),
});

export type RateCardFile = z.output<typeof rateCardSchema>;
export type ChargeFile = RateCardFile['charges'][number];
export type RateFile = ChargeFile['rates'][number];
export type MatrixFile = z.output<typeof matrix>;

/** One tier that the usage entered; what is left out is not compared. */
const expectedTier = strict({
    quantity: decimal('quantity').optional(),
    unit_price: decimal('unit_price').optional(),
    flat_fee: decimal('flat_fee').optional(),
    amount: decimal('amount').optional(),
});

const expectation = z.union([
    strict({
        /** Exact and unrounded. */
        amount: decimal('amount'),
        /** The same on the invoice line. */
        rounded: decimal('rounded').optional(),
        unit_price: decimal('unit_price').optional(),
        rate: text('rate').optional(),
        tiers: z.array(expectedTier).optional(),
    }),
    strict({ unrated: z.literal(true, 'unrated can only be true') }),
    strict({ charged: z.literal(false, 'charged can only be false') }),
]);

const spec = strict({
    name: text('name'),
    at: text('at'),
    meter: text('meter'),
    /** Every attribute of the meter; null where the usage does not carry it. */
    attributes: z.record(z.string(), text('the value of an attribute').nullable()).default({}),
    /** What was used. Left out, with no events either, for an account that used nothing. */
    quantity: decimal('quantity').optional(),
    /** What each event adds, in their order, instead of a quantity. */
    events: z.array(decimal('the value of an event')).optional(),
    /** Zone of the payer, in which its month and days are counted. */
    zone: text('zone').default('UTC'),
    /** The account's stay, where it is not there all the time. */
    active: strict({ from: text('from').optional(), to: text('to').optional() }).optional(),
    expect: expectation,
});

/** `<card>.specs.yaml`. */
export const rateSpecsSchema = strict({
    /** The card that the examples are of: catches a file that was copied and not changed. */
    card: cardName.optional(),
    specs: z.array(spec).min(1, 'write at least one worked example'),
});

export type SpecFile = z.output<typeof rateSpecsSchema>['specs'][number];
