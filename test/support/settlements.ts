/**
 * Random lines of `tieout quote` with commitments and grants, biased to edges: promises met exactly,
 * missed by a little, met in the middle of a window; grants of every order, reach and size. Every
 * line is one that has a price.
 */
import fc, { type Arbitrary } from 'fast-check';
import { linesOf, models, type QuoteLine } from './charges.ts';

type Part = Readonly<Record<string, unknown>>;
const pick = <T>(...of: readonly T[]): Arbitrary<T> => fc.constantFrom(...of);
const some = (of: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<Part> =>
    fc.record(of, { requiredKeys: [] });

const amounts = pick('0', '0.005', '1', '9.995', '10', '99', '100', '250.5', '1000', '12345.678');
const sizes = pick(
    '0',
    '0.5',
    '1',
    '9.999999',
    '10',
    '99',
    '99.5',
    '100',
    '1000',
    '2700',
    '1000000',
);
const windowSizes = pick(
    '0',
    '1',
    '10',
    '10.5',
    '33.333333',
    '90',
    '99',
    '100',
    '100.000001',
    '999',
    '-10',
);
const days = ['2026-02-01', '2026-03-01', '2026-03-10', '2026-04-01', '2027-01-01'] as const;
const midnight = (day: string) => `${day}T00:00:00Z`;

const grant = fc
    .tuple(
        fc.oneof(
            { weight: 3, arbitrary: fc.record({ amount: amounts }) },
            { weight: 1, arbitrary: fc.record({ quantity: sizes }) },
        ),
        some({
            priority: pick<string | number>('0', '1', '-1', '10', 2),
            is_rollover: fc.boolean(),
            cost_basis: pick('0', '0.8', '1'),
            scope: fc.subarray(['gpu', 'cpu', 'disk']),
        }),
        fc.subarray([...days], { minLength: 2, maxLength: 2 }),
        fc.subarray(['starts_at', 'expires_at']),
        pick(true, false),
    )
    .map(([size, rest, [from, to], kept, isNamed]): Part => {
        const span: Part = { starts_at: midnight(from ?? ''), expires_at: midnight(to ?? '') };
        const asset = 'quantity' in size ? { asset: 'tokens' } : {};
        return {
            ...{ ...size, ...rest, ...(isNamed ? asset : {}) },
            ...Object.fromEntries(kept.map((key) => [key, span[key]])),
        };
    });
const ids = ['g1', 'g10', 'g2', 'é', 'promo', 'prepaid'] as const;
const grants = fc
    .tuple(
        fc.array(grant, { minLength: 1, maxLength: 4 }),
        fc.shuffledSubarray([...ids], { minLength: 4, maxLength: 4 }),
        pick('USD', 'EUR', null),
    )
    .map(([list, names, other]) =>
        list.map((of, at) => ({
            id: names[at],
            ...(at === 3 && 'amount' in of && other ? { asset: other } : {}),
            ...of,
        })),
    );

const overage = fc.oneof(
    fc.constant({}),
    fc.record({ overage_factor: pick('0', '0.9', '1', '1.25', '2') }),
    fc.record({ overage_unit_price: pick('0', '0.05', '1.5', '3') }),
);
const commitment = fc
    .tuple(
        fc.oneof(fc.record({ amount: amounts }), fc.record({ quantity: sizes })),
        overage,
        some({ true_up: pick('window', 'cumulative', 'none') }),
    )
    .map((parts): Part => Object.assign({}, ...parts));

const isNone = (text: unknown) => /^-?[0.]*$/.test(String(text));
const isBelow = (of: unknown) => typeof of === 'string' && of.startsWith('-') && !isNone(of);

/** A commitment that the line can have, made of one that may not fit. */
function fitted(line: QuoteLine, of: Part, windows: readonly string[] | null): Part {
    const { charge, quantity } = line;
    const isFlat = charge.model === 'flat' || isByEvent(line);
    const isMoney = of.amount !== undefined || isFlat || isBelow(quantity) || hasDeltas(line);
    const changes = ['unit_conversion', 'minimum', 'maximum', 'discounts'];
    const isLinear =
        charge.model === 'per_unit' &&
        !isNone(charge.unit_price) &&
        changes.every((key) => charge[key] === undefined);
    const { amount, quantity: promised, overage_unit_price, ...rest } = of;
    const price =
        overage_unit_price === undefined || (isMoney && !isLinear) ? {} : { overage_unit_price };
    return {
        ...(isMoney ? { amount: amount ?? '100' } : { quantity: promised }),
        ...{ ...price, ...rest },
        ...(windows && !isFlat
            ? { window_quantities: isMoney ? windows : windows.map((of) => of.replace('-', '')) }
            : {}),
    };
}

const isByEvent = ({ charge, events, meter }: QuoteLine) =>
    charge.model === 'percentage' &&
    events !== undefined &&
    ((meter as Part | undefined)?.aggregation ?? 'sum') === 'sum';
/** Usage that a meter may make negative. */
const hasDeltas = ({ meter }: QuoteLine) => meter !== undefined;

/** Grants that the line can have: of units only where it has one quantity. */
function payable(line: QuoteLine, of: readonly Part[]): readonly Part[] {
    const hasUnits = line.charge.model !== 'flat' && line.groups === undefined && !isByEvent(line);
    return of.map((one) => {
        if (hasUnits || one.quantity === undefined) return one;
        const { quantity: _, asset: _asset, ...rest } = one;
        return { ...rest, amount: '50' };
    });
}

const windows = fc.array(windowSizes, { minLength: 1, maxLength: 5 });
const where = some({
    product: pick('gpu', 'cpu'),
    at: pick('2026-03-01T00:00:00Z', '2026-03-09T23:59:59.999999Z'),
});

/** Lines with a commitment, with grants, or with both. */
export const settledLines: Arbitrary<QuoteLine> = fc
    .tuple(
        pick(...Object.keys(models)).chain(linesOf),
        pick('commitment', 'grants', 'both'),
        fc.tuple(commitment, fc.option(windows), grants, where),
    )
    .map(([line, kind, [promise, used, given, reach]]): QuoteLine => {
        const isGrouped = line.groups !== undefined;
        const isCommitted = kind !== 'grants' && !isGrouped;
        const hasGrants = kind !== 'commitment' || isGrouped;
        const { previously_billed, ...rest } = line;
        const bare = (isCommitted ? rest : line) as QuoteLine;
        const made = isCommitted ? fitted(bare, promise, used) : null;
        const { quantity: _, events: _events, meter: _meter, ...unused } = bare;
        return {
            ...(made?.window_quantities ? unused : bare),
            ...reach,
            ...(made ? { commitment: made } : {}),
            ...(hasGrants ? { grants: payable(line, given) } : {}),
        } as QuoteLine;
    });
