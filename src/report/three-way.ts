import { compareText } from '../export/order.ts';
import {
    type Step,
    type StepName,
    stepsToDelivered,
    stepsToInvoiced,
    stepsToMetered,
    type ThreeWay,
    type ThreeWayRow,
} from '../schema/report.ts';
import { deliveredWays, type Underway } from './delivered.ts';
import { isZero, negated, sum } from './figures.ts';

/** One sum of a run. `charged` is what lines of usage and fees come to, rounded. */
export interface ThreeWayPart {
    readonly payer_id: string;
    readonly product: string;
    readonly asset: string;
    readonly part: StepName | 'authorized' | 'metered' | 'charged';
    /** Of a break. */
    readonly code: string;
    readonly amount: string;
}

/** The three ways of a run: its rows, and all payers and products together by asset. */
export interface ThreeWays {
    readonly rows: readonly ThreeWayRow[];
    readonly totals: readonly (ThreeWay & { readonly asset: string })[];
}

interface Options {
    readonly names: ReadonlyMap<string, string>;
    /** Assets that lines are written in. */
    readonly invoiced: ReadonlySet<string>;
    /** Charges are at new prices, and what was compared at those of then. */
    readonly isPricedAnew?: boolean;
    /** Left out: nobody asked what was delivered. */
    readonly underway?: Underway;
}

/**
 * Puts the sums of a run together, row by row. Debits for several products together have a row without
 * a product, and what they paid of each product is a step to it: over all products of a payer and
 * asset that step comes to nothing. Pure, and ordered.
 */
export function threeWays(parts: readonly ThreeWayPart[], options: Options): ThreeWays {
    const ofAsset = Map.groupBy(parts, ({ payer_id, asset }) => JSON.stringify([payer_id, asset]));
    const rows = withDeliveries(
        [...ofAsset.values()].flatMap((of) => rowsOfAsset(of, options)),
        options,
    ).toSorted(
        (a, b) =>
            compareText(a.payer_id, b.payer_id) ||
            compareText(a.asset, b.asset) ||
            compareText(a.product, b.product),
    );
    const totals = [...Map.groupBy(rows, ({ asset }) => asset)]
        .map(([asset, of]) => ({ asset, ...together(of) }))
        .sort((a, b) => compareText(a.asset, b.asset));
    return { rows, totals };
}

function withDeliveries(
    rows: readonly ThreeWayRow[],
    { underway, names }: Options,
): readonly ThreeWayRow[] {
    if (!underway) return rows;
    const nothing = { authorized: '0', to_metered: [], metered: '0', to_invoiced: [] };
    return deliveredWays(rows, underway, (of) => {
        const payer_name = names.get(of.payer_id) ?? of.payer_id;
        return { ...nothing, payer_name, deliveries: [], ...of };
    });
}

/** What a row is made of before its steps are named. */
interface Draft {
    readonly product: string;
    readonly of: readonly ThreeWayPart[];
    /** Metered, and not explained by what the parts say of the way to it. */
    readonly rest: string;
}

/** The rows of one payer and asset: each closes, and so do all of them together. */
function rowsOfAsset(parts: readonly ThreeWayPart[], options: Options): readonly ThreeWayRow[] {
    const { payer_id, asset } = parts[0]!;
    const hasUnits = parts.some(({ part }) => part === 'in_units');
    const byProduct = Map.groupBy(parts, ({ product }) => product);
    // Usage debited in units alone: then what is metered of a product was, whatever its product.
    const isAllUnits = byProduct.get('')?.every(({ part }) => part === 'in_units') ?? false;
    if (isAllUnits && byProduct.size > 1) byProduct.delete('');
    const drafts = [...byProduct].map(
        ([product, of]): Draft => ({ product, of, rest: restOf(of) }),
    );
    const isPricedAnew = options.isPricedAnew === true && !byProduct.has('');
    const rest = isAllUnits || isPricedAnew ? '0' : sum(drafts.map((draft) => draft.rest));
    if (!byProduct.has('') && !isZero(rest)) drafts.push({ product: '', of: [], rest: '0' });
    return drafts.map((draft) => {
        // What the products lack or have together is told once, where no product is.
        const closing = draft.product === '' ? rest : '0';
        const left = sum([draft.rest, negated(closing)]);
        const of = [
            ...draft.of,
            madeUp(isAllUnits ? 'in_units' : isPricedAnew ? 'priced_anew' : 'together', left),
            madeUp(closingName(hasUnits, options), closing),
        ];
        const payer_name = options.names.get(payer_id) ?? payer_id;
        const way = wayOf(of, options.invoiced.has(asset));
        return { payer_id, payer_name, product: draft.product, asset, ...way };
    });
}

const closingName = (hasUnits: boolean, { isPricedAnew }: Options): StepName =>
    isPricedAnew ? 'priced_anew' : hasUnits ? 'in_units' : 'unexplained';

type Part = Pick<ThreeWayPart, 'part' | 'code' | 'amount'>;

const madeUp = (part: StepName, amount: string): Part => ({ part, code: '', amount });

const amountsOf = (of: readonly Part[], ...names: readonly Part['part'][]) =>
    of.filter(({ part }) => names.includes(part)).map(({ amount }) => amount);

function restOf(of: readonly Part[]): string {
    const told = amountsOf(of, 'authorized', ...stepsToMetered);
    return sum([...amountsOf(of, 'metered'), ...told.map(negated)]);
}

function wayOf(of: readonly Part[], isInvoiced: boolean): ThreeWay {
    const metered = sum(amountsOf(of, 'metered'));
    const cents = madeUp('cents', sum([...amountsOf(of, 'charged'), negated(metered)]));
    const to_invoiced = isInvoiced ? stepsOf([...of, cents], stepsToInvoiced) : [];
    return {
        authorized: sum(amountsOf(of, 'authorized')),
        to_metered: stepsOf(of, stepsToMetered),
        metered,
        to_invoiced,
        invoiced: isInvoiced ? sum([metered, ...to_invoiced.map(({ amount }) => amount)]) : null,
        deliveries: [],
    };
}

/** Steps in the order they are told, breaks by code; those that come to nothing are left out. */
function stepsOf(parts: readonly Part[], names: readonly StepName[]): readonly Step[] {
    return names.flatMap((step) =>
        [
            ...Map.groupBy(
                parts.filter(({ part }) => part === step),
                ({ code }) => code,
            ),
        ]
            .map(([code, of]) => ({ step, code, amount: sum(of.map(({ amount }) => amount)) }))
            .filter(({ amount }) => !isZero(amount))
            .sort((a, b) => compareText(a.code, b.code)),
    );
}

function together(rows: readonly ThreeWayRow[]): ThreeWay {
    const steps = (pick: (row: ThreeWayRow) => readonly Step[], names: readonly StepName[]) =>
        stepsOf(rows.flatMap(pick).map(asPart), names);
    return {
        authorized: sum(rows.map(({ authorized }) => authorized)),
        to_metered: steps(({ to_metered }) => to_metered, stepsToMetered),
        metered: sum(rows.map(({ metered }) => metered)),
        to_invoiced: steps(({ to_invoiced }) => to_invoiced, stepsToInvoiced),
        invoiced: rows.some(({ invoiced }) => invoiced === null)
            ? null
            : sum(rows.map(({ invoiced }) => invoiced ?? '0')),
        deliveries: [
            ...Map.groupBy(
                rows.flatMap(({ deliveries }) => deliveries),
                ({ target }) => target,
            ),
        ].map(([target, of]) => ({
            target,
            to_delivered: stepsOf(
                of.flatMap((way) => way.to_delivered).map(asPart),
                stepsToDelivered,
            ),
            delivered: sum(of.map(({ delivered }) => delivered)),
        })),
    };
}

const asPart = ({ step, ...of }: Step): Part => ({ part: step, ...of });

/** Whether the steps of a way are all there is between its three figures. */
export function closes(way: ThreeWay): boolean {
    const { authorized, to_metered, metered, to_invoiced, invoiced, deliveries } = way;
    const leads = (from: string, steps: readonly Step[], to: string) =>
        isZero(sum([from, ...steps.map(({ amount }) => amount), negated(to)]));
    return (
        leads(authorized, to_metered, metered) &&
        (invoiced === null
            ? deliveries.length === 0
            : leads(metered, to_invoiced, invoiced) &&
              deliveries.every((of) => leads(invoiced, of.to_delivered, of.delivered)))
    );
}

/** What a step is called. */
export const stepNames: Readonly<Record<StepName, string>> = {
    break: 'breaks',
    rounding: 'rounding within tolerance',
    not_compared: 'no debit log to compare with',
    in_units: 'debited in units',
    together: 'debited for several products together',
    repriced: 'tiers, fees and minimums',
    priced_anew: 'new prices, after it was compared',
    unexplained: 'unexplained',
    cents: 'rounding to cents',
    wallets: 'paid by wallets',
    grants: 'paid by grants and prepaid commitments',
    commitments: 'commitments',
    corrections: 'corrections of closed periods',
    held: 'held',
    not_delivered: 'not yet delivered',
    of_another_run: 'delivered of another run',
    underway: 'sent, not yet verified',
    rejected: 'rejected',
};
