/**
 * Random lines of `tieout quote`, biased to edges: bounds hit exactly, just under and just over,
 * zero, very many, halves of a minor unit, equal instants. Every line is one that has a price.
 * Decimals are few enough that an amount seldom needs more than 24 of them: only a proration by a
 * span and a tiny price after several percents do.
 */
import fc, { type Arbitrary } from 'fast-check';
import { unitsText } from './exact.ts';

type Part = Readonly<Record<string, unknown>>;
export interface QuoteLine extends Part {
    readonly id: string;
    readonly charge: Part;
    readonly currency: string;
}

/** ISO 4217 decimals of the currencies that lines are in. */
export const exponents: Readonly<Record<string, number>> = {
    USD: 2,
    EUR: 2,
    JPY: 0,
    KWD: 3,
    CLF: 4,
};

const pick = <T>(...of: readonly T[]): Arbitrary<T> => fc.constantFrom(...of);
const decimals = (most: bigint, scale: number): Arbitrary<string> =>
    fc.bigInt({ min: 0n, max: most }).map((units) => unitsText(units, scale));

/** Bounds that tiers are cut at: quantities fall on, under and over them. */
const bounds = ['1', '10', '99', '100', '1000', '1000000'] as const;
export const quantities: Arbitrary<string> = fc.oneof(
    pick('0', '1', '1.000001', '9.999999', '10', '10.5', '99', '99.5', '99.999999', '100'),
    pick('100.000001', '999', '1000', '1001', '1400', '2700', '1000000', '1000000.5'),
    decimals(10n ** 9n, 6),
    decimals(10n ** 11n, 0),
);
const prices = pick('0', '0.005', '0.0025', '0.3333', '1', '1.5', '2.99', '5', '75');
const fees = pick('0', '0.005', '0.99', '10', '49.5', '200');
const percents = pick('0', '0.5', '1.25', '2.9', '10', '33.3', '50', '100');
const sizes = pick('0.5', '1', '10', '12', '1000');

/** Ascending bounds and the open end, with something beside each. */
function ladder<T extends object>(beside: Arbitrary<T>): Arbitrary<readonly T[]> {
    return fc
        .tuple(
            fc.subarray([...bounds], { maxLength: 3 }),
            fc.array(beside, { size: 'small', minLength: 4, maxLength: 4 }),
        )
        .map(([some, parts]) =>
            [...some, null].map((up_to, at): T => ({ up_to, ...(parts[at] as T) })),
        );
}

const optional = <T extends object>(of: Arbitrary<T>): Arbitrary<Partial<T>> =>
    fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: of });
const some = (of: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<Part> =>
    fc.record(of, { requiredKeys: [] });

const tiers = ladder(
    fc.oneof(
        fc.record({ unit_price: prices, flat_fee: fees }, { requiredKeys: ['unit_price'] }),
        fc.record(
            { package_size: sizes, package_price: prices, flat_fee: fees },
            {
                requiredKeys: ['package_size', 'package_price'],
            },
        ),
        fc.record({ flat_fee: fees }),
    ),
);
const byPercent = ladder(
    fc.record({ percent: percents, flat_fee: fees }, { requiredKeys: ['percent'] }),
);
const perEvent = fc
    .tuple(
        some({ fixed_fee_per_event: fees, free_events: pick('0', '1', '2', '3') }),
        some({
            free_amount: pick('0', '100', '150.5', '1000'),
            min_per_event: pick('0.3', '1.75'),
        }),
        some({ max_per_event: pick('2', '5') }),
    )
    .map((parts): Part => Object.assign({}, ...parts));

/** A charge without its modifiers, by model. */
export const models: Readonly<Record<string, Arbitrary<Part>>> = {
    per_unit: fc.record({ unit_price: prices }),
    graduated: fc.record({ tiers }),
    volume: fc.record({ tiers }),
    package: fc.record({ package_size: sizes, package_price: prices }),
    stairstep: fc.record({ steps: ladder(fc.record({ price: fees })) }),
    percentage: fc.tuple(percents, perEvent).map(([percent, rest]) => ({ percent, ...rest })),
    graduated_percentage: fc.record({ tiers: byPercent }),
    dynamic: some({ markup_percent: percents }),
    flat: fc.record({ fee: fees }),
};

const dates = ['2026-03-01', '2026-03-10', '2026-03-29', '2026-03-30', '2026-04-01'] as const;
const prorations: Arbitrary<unknown> = fc.oneof(
    pick('0', '0.25', '0.5', '0.9999', '1'),
    fc
        .tuple(
            fc.subarray([...dates], { minLength: 2, maxLength: 2 }),
            pick('day', 'second'),
            pick('UTC', 'Europe/Berlin', 'America/New_York'),
        )
        .map(([[from, to], unit, zone]) => ({
            ...{ from, to, unit, zone },
            ...{ period_start: dates[0], period_end: dates[4] },
        })),
);

const conversions = fc.oneof(
    fc.record({
        ...{ divide_by: pick('3', '60', '1000'), rounding: pick('up', 'down', 'nearest', 'none') },
        decimals: pick('0', '2'),
    }),
    fc.record({ multiply_by: pick('0.5', '60', '1.024') }),
);
const discounts = fc.array(
    fc.oneof(fc.record({ percent: percents }), fc.record({ amount: fees })),
    { minLength: 1, maxLength: 2 },
);

const ofQuantity = fc
    .tuple(
        optional(fc.record({ unit_conversion: conversions })),
        optional(
            fc.record({
                ...{ included: pick('0', '1', '10', '99.5', '1000') },
                included_mode: pick('subtract', 'whole_once_exceeded'),
            }),
        ),
    )
    .map((parts): Part => Object.assign({}, ...parts));
const ofAmount = fc
    .tuple(
        optional(fc.record({ discounts })),
        optional(fc.record({ maximum: pick('0', '9.995', '100') })),
        optional(fc.record({ minimum: pick('0', '9.995', '25') })),
        optional(fc.record({ charge_zero_usage: fc.boolean() })),
        optional(fc.record({ negative: pick('mirror', 'clamp') })),
        optional(fc.record({ proration: prorations })),
        optional(
            fc.record({
                rounding: fc.record(
                    { mode: pick('half_away', 'half_even'), decimals: pick('0', '1', '4') },
                    { requiredKeys: ['mode'] },
                ),
            }),
        ),
    )
    .map((parts): Part => Object.assign({}, ...parts));

/** @param ofNumber whether modifiers of quantities may stand on it. */
const charges = (model: string, ofNumber: boolean): Arbitrary<Part> =>
    fc
        .tuple(
            models[model] ?? fc.constant({}),
            ofNumber && model !== 'flat' ? ofQuantity : fc.constant({}),
            ofAmount,
        )
        .map((parts) => Object.assign({ model }, ...parts));

const signed = (of: Arbitrary<string>): Arbitrary<string> =>
    fc
        .tuple(of, fc.nat(9))
        .map(([text, at]) => (at === 0 && !/^[0.]*$/.test(text) ? `-${text}` : text));

const group = fc.oneof(quantities, pick('0', '1', '3', '12'));
const groups = fc.dictionary(pick('a', 'b', 'g1', 'g10', 'g2', 'é'), group, { minKeys: 1 });

const billed = fc.record({ quantity: quantities, amount: pick('0', '2', '9.995', '1234.5') });

const instants = [
    ...['2026-03-01T00:00:00Z', '2026-03-01T00:00:00.000001Z', '2026-03-10T12:30:00+01:00'],
    ...['2026-03-29T00:30:00Z', '2026-03-29T01:30:00Z', '2026-03-31T23:59:59.999999Z'],
    ...['2026-02-27T10:00:00Z', '2026-04-01T00:00:00Z'],
] as const;
const events = fc
    .array(
        fc.record(
            {
                at: pick(...instants),
                value: fc.oneof(signed(decimals(500_000n, 2)), pick('0', '100', '1', '50')),
                region: pick('eu', 'us', 'eu', null),
                user: pick('u1', 'u2', 'u3'),
                operation: pick('add', 'remove', null),
            },
            { requiredKeys: ['at', 'value', 'user'] },
        ),
        { maxLength: 9 },
    )
    // Ids that are not in the order of time or of the list, some left out, one maybe there twice.
    .map((list) =>
        list.map((event, at) => (at % 4 === 3 ? event : { id: `e${(at * 7) % 10}`, ...event })),
    )
    .chain((list) => pick(list, [...list, ...list.slice(0, 1)]));

const common = {
    filter: pick({ region: 'eu' }, { region: ['eu', 'us'] }, { user: 'u1' }),
    ...{ period_start: pick(instants[0]), period_end: pick(instants[7]) },
};
const window = fc.oneof(
    pick('minute', 'hour', 'day', 'month'),
    fc.record({ unit: pick('hour', 'day'), zone: pick('Europe/Berlin', 'Asia/Kolkata') }),
);
const openings = pick('0', '20', '3.5', '-7');
/** @param of what is always there, in place of what the others say. */
const meter = (of: Part, more: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<Part> =>
    some({ ...common, ...more }).map((rest) => ({ ...rest, ...of }));

/** What a meter may be, by aggregation. */
export const meters: Readonly<Record<string, Arbitrary<Part>>> = {
    ...Object.fromEntries(
        ['sum', 'count', 'min', 'max', 'latest', 'average'].map((aggregation) => [
            aggregation,
            meter({ aggregation, field: 'value' }, { window }),
        ]),
    ),
    unique_count: meter(
        { aggregation: 'unique_count', field: 'user' },
        { window, operation_field: pick('operation') },
    ),
    percentile: pick('0', '50', '95', '99.9', '100').chain((percentile) =>
        meter({ aggregation: 'percentile', percentile }, { window }),
    ),
    weighted_sum: meter(
        {
            aggregation: 'weighted_sum',
            ...{ period_start: instants[0], period_end: instants[7] },
        },
        { values: pick('levels', 'deltas'), opening: openings },
    ),
    ...Object.fromEntries(
        ['min', 'max', 'latest'].map((aggregation) => [
            `${aggregation} of deltas`,
            meter({ aggregation, values: 'deltas' }, { opening: openings }),
        ]),
    ),
};

const byQuantity = (model: string): Arbitrary<Part> =>
    fc.record(
        { charge: charges(model, true), quantity: signed(quantities), previously_billed: billed },
        { requiredKeys: ['charge', 'quantity'] },
    );
const byGroups = (model: string): Arbitrary<Part> =>
    fc
        .tuple(charges(model, true), groups, pick('line', 'account', 'pool', null))
        .map(([charge, some, tier_scope]) => ({
            charge: tier_scope === null ? charge : { ...charge, tier_scope },
            groups: some,
        }));
const byMeter = (model: string): Arbitrary<Part> =>
    pick(...Object.keys(meters)).chain((aggregation) =>
        fc.record(
            {
                charge: charges(model, model !== 'percentage'),
                ...{ meter: meters[aggregation] ?? fc.constant({}), events },
                previously_billed: billed,
            },
            { requiredKeys: ['charge', 'meter', 'events'] },
        ),
    );

const sizesBy = fc.record({
    cpu: pick('0', '1', '4', '4.5', '9'),
    memory: pick('0', '16', '17', '33'),
});
const dimensions = ladderOf(['cpu', 'memory']);
function ladderOf(names: readonly [string, string]): Arbitrary<Part> {
    const steps = [
        { [names[0]]: '4', [names[1]]: '16' },
        { [names[0]]: '4', [names[1]]: '32' },
        { [names[0]]: '8', [names[1]]: '32' },
    ];
    return fc
        .tuple(fc.subarray(steps), ofAmount, fc.array(fees, { minLength: 4, maxLength: 4 }))
        .map(([kept, rest, price]) => ({
            ...{ model: 'stairstep', ...rest },
            steps: [...kept, null].map((up_to, at) => ({ up_to, price: price[at] ?? '1' })),
        }));
}
const byDimension = fc
    .tuple(dimensions, sizesBy)
    // An open step alone knows no dimension.
    .filter(([{ steps }]) => (steps as unknown[]).length > 1)
    .map(([charge, quantity]) => ({ charge, quantity }));

const tiny = fc
    .tuple(pick('0.0000000375', '0.000000000001'), decimals(10n ** 13n, 0))
    .map(([unit_price, quantity]) => ({ charge: { model: 'per_unit', unit_price }, quantity }));

/** Lines of one model. */
export const linesOf = (model: string): Arbitrary<QuoteLine> =>
    identified(
        fc.oneof(
            { weight: 4, arbitrary: byQuantity(model) },
            { weight: 2, arbitrary: byGroups(model) },
            { weight: 3, arbitrary: byMeter(model) },
        ),
    );

const identified = (line: Arbitrary<Part>): Arbitrary<QuoteLine> =>
    fc.tuple(line, pick(...Object.keys(exponents)), fc.nat(999_999)).map(([of, currency, id]) => ({
        ...{ id: `q${id}`, charge: {}, currency },
        ...of,
    }));

/** Lines of every kind. */
export const quoteLines: Arbitrary<QuoteLine> = fc.oneof(
    { weight: 12, arbitrary: pick(...Object.keys(models)).chain(linesOf) },
    { weight: 1, arbitrary: identified(byDimension) },
    { weight: 1, arbitrary: identified(tiny) },
);
