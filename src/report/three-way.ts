import { compareText } from '../export/order.ts';
import {
    type Step,
    type StepName,
    stepsToInvoiced,
    stepsToMetered,
    type ThreeWay,
    type ThreeWayRow,
} from '../schema/report.ts';
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
}

/**
 * Puts the sums of a run together, row by row. Debits for several products together have a row without
 * a product, and what they paid of each product is a step to it: over all products of a payer and
 * asset that step comes to nothing. Pure, and ordered.
 */
export function threeWays(parts: readonly ThreeWayPart[], options: Options): ThreeWays {
    const ofAsset = Map.groupBy(parts, ({ payer_id, asset }) => JSON.stringify([payer_id, asset]));
    const rows = [...ofAsset.values()]
        .flatMap((of) => rowsOfAsset(of, options))
        .sort(
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
    const rest = isAllUnits ? '0' : sum(drafts.map((draft) => draft.rest));
    if (!byProduct.has('') && !isZero(rest)) drafts.push({ product: '', of: [], rest: '0' });
    return drafts.map((draft) => {
        // What the products lack or have together is told once, where no product is.
        const closing = draft.product === '' ? rest : '0';
        const left = sum([draft.rest, negated(closing)]);
        const of = [
            ...draft.of,
            madeUp(isAllUnits ? 'in_units' : 'together', left),
            madeUp(hasUnits ? 'in_units' : 'unexplained', closing),
        ];
        const payer_name = options.names.get(payer_id) ?? payer_id;
        const way = wayOf(of, options.invoiced.has(asset));
        return { payer_id, payer_name, product: draft.product, asset, ...way };
    });
}

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
        stepsOf(
            rows.flatMap(pick).map(({ step, ...of }) => ({ part: step, ...of })),
            names,
        );
    return {
        authorized: sum(rows.map(({ authorized }) => authorized)),
        to_metered: steps(({ to_metered }) => to_metered, stepsToMetered),
        metered: sum(rows.map(({ metered }) => metered)),
        to_invoiced: steps(({ to_invoiced }) => to_invoiced, stepsToInvoiced),
        invoiced: rows.some(({ invoiced }) => invoiced === null)
            ? null
            : sum(rows.map(({ invoiced }) => invoiced ?? '0')),
    };
}

/** Whether the steps of a way are all there is between its three figures. */
export function closes({
    authorized,
    to_metered,
    metered,
    to_invoiced,
    invoiced,
}: ThreeWay): boolean {
    const after = (from: string, steps: readonly Step[]) =>
        sum([from, ...steps.map(({ amount }) => amount)]);
    const isMetered = isZero(sum([after(authorized, to_metered), negated(metered)]));
    const isInvoiced =
        invoiced === null || isZero(sum([after(metered, to_invoiced), negated(invoiced)]));
    return isMetered && isInvoiced;
}

/** What a step is called. */
export const stepNames: Readonly<Record<StepName, string>> = {
    break: 'breaks',
    rounding: 'rounding within tolerance',
    not_compared: 'no debit log to compare with',
    in_units: 'debited in units',
    together: 'debited for several products together',
    repriced: 'tiers, fees and minimums',
    unexplained: 'unexplained',
    cents: 'rounding to cents',
    wallets: 'paid by wallets',
    grants: 'paid by grants and prepaid commitments',
    commitments: 'commitments',
    corrections: 'corrections of closed periods',
};
