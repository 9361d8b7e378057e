import { z } from 'zod';
import { didYouMean } from './suggest.ts';

/**
 * Rate cards and their worked examples, as a person writes them. Here only the shape is checked:
 * what the texts mean (prices, instants, patterns) is read by src/rules, in the same way for a rate
 * that stands in the card and for one that stands in a CSV file.
 */

/**
 * An object in which an unknown key is an error at the line of that key, with the key that was
 * probably meant. zod's own strict object reports the object, not the key.
 */
function strict<S extends z.core.$ZodLooseShape>(shape: S): z.ZodObject<S, z.core.$strict> {
    const known = Object.keys(shape);
    const refused = z.custom<never>(() => false, {
        error: ({ path }) => {
            const key = String(path?.at(-1) ?? '');
            return `unknown key "${key}". ${didYouMean(key, known)}`;
        },
    });
    return z.object(shape).catchall(refused) as unknown as z.ZodObject<S, z.core.$strict>;
}

/** Text. A bare number or date of YAML is refused: 1.10 would arrive as 1.1. */
function text(what: string) {
    return z
        .string({
            error: ({ input }) => {
                if (input === undefined) return `${what} is missing`;
                if (input === null) return `${what} is empty`;
                return typeof input === 'number' || typeof input === 'boolean'
                    ? `${what} must be text: write it in quotes, "${String(input)}"`
                    : `${what} must be text`;
            },
        })
        .min(1, `${what} is empty`);
}

/** Decimal text. YAML would read a bare 0.5 as a binary fraction and lose digits of longer ones. */
function decimal(what: string) {
    return z.string({
        error: ({ input }) => {
            if (input === undefined || input === null) return `${what} is missing`;
            return typeof input === 'number' || typeof input === 'bigint'
                ? `${what} is a bare number, which loses digits: write it in quotes, like "0.5"`
                : `${what} must be a decimal in quotes, like "0.5"`;
        },
    });
}

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

const rate = strict({
    when,
    price: decimal('price').describe('Decimal in quotes, for price_per units.'),
    from: text('from').describe('First instant, with its zone: 2026-01-01T00:00:00Z.'),
    to: text('to').optional().describe('First instant after it; left out while the rate is open.'),
    priority,
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
    rates: z.array(rate).default([]).describe('Rates written here.'),
    matrix: matrix.optional().describe('Rates in a CSV file.'),
});

const models = ['per_unit'];

function wrongModel(input: unknown): string {
    const model = (input as { readonly model?: unknown } | null)?.model;
    if (model === undefined || model === null) return 'model is missing: write `model: per_unit`';
    return `"${String(model)}" is not a charge model. ${didYouMean(String(model), models)}`;
}

/** A charge model is one more member of this union; what exists does not change. */
const charge = z.discriminatedUnion('model', [perUnit], {
    error: ({ code, input }) => (code === 'invalid_union' ? wrongModel(input) : undefined),
});

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

const expectation = z.union([
    strict({
        /** Exact and unrounded. */
        amount: decimal('amount'),
        unit_price: decimal('unit_price').optional(),
        rate: text('rate').optional(),
    }),
    strict({ unrated: z.literal(true, 'unrated can only be true') }),
]);

const spec = strict({
    name: text('name'),
    at: text('at'),
    meter: text('meter'),
    /** Every attribute of the meter; null where the usage does not carry it. */
    attributes: z.record(z.string(), text('the value of an attribute').nullable()).default({}),
    quantity: decimal('quantity'),
    expect: expectation,
});

/** `<card>.specs.yaml`. */
export const rateSpecsSchema = strict({
    /** The card that the examples are of: catches a file that was copied and not changed. */
    card: cardName.optional(),
    specs: z.array(spec).min(1, 'write at least one worked example'),
});

export type SpecFile = z.output<typeof rateSpecsSchema>['specs'][number];
