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

/** Attribute to value; `"*"` is any value. */
const when = z.record(z.string(), text('the value of an attribute ("*" is any)'), {
    error: ({ input }) =>
        input === undefined || input === null
            ? 'when is missing: write `when: {}` for a rate of all usage of the meter'
            : undefined,
});

const priority = z.int('priority must be a whole number, like 10').default(0);

const rate = strict({
    when,
    price: decimal('price'),
    from: text('from'),
    to: text('to').optional(),
    priority,
});

const matrix = strict({
    file: text('file'),
    /** Attribute to the column that has its value. */
    attributes: z.record(z.string(), text('a column name')),
    price: text('price (the name of a column)'),
    from: text('from (the name of a column)'),
    to: text('to (the name of a column)').optional(),
    priority: text('priority (the name of a column)').optional(),
    /** Columns that are for people. Any other column that nothing names is an error. */
    ignore: z.array(text('a column name')).default([]),
});

/** What every charge has, whatever its model. */
const anyCharge = {
    product: text('product'),
    description: text('description').optional(),
    meter: text('meter'),
    unit: text('unit'),
};

/** quantity x price. Rates in the card, in a CSV matrix, or both. */
const perUnit = strict({
    ...anyCharge,
    model: z.literal('per_unit'),
    /** The prices are for this many units. */
    price_per: text('price_per')
        .regex(/^[1-9]\d*$/, 'price_per must be a whole number above zero, like "1000000"')
        .default('1'),
    rates: z.array(rate).default([]),
    matrix: matrix.optional(),
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

/** `<card>.yaml`. */
export const rateCardSchema = strict({
    card: cardName,
    version: text('version'),
    currency: text('currency'),
    charges: z.array(charge).min(1, 'a card needs at least one charge'),
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
