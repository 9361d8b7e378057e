import type { DeliveryRecord, DeliveryState, TargetDeliveries } from '../schema/delivery.ts';
import type { DeliveredWay, Step, ThreeWayRow } from '../schema/report.ts';
import { isZero, negated, sum } from './figures.ts';

/** What is known of the way from invoices to targets. */
export interface Underway {
    /** The run whose lines are invoiced. */
    readonly run_id: string;
    /** Payers whose lines stay here. */
    readonly held: ReadonlySet<string>;
    readonly deliveries: readonly TargetDeliveries[];
}

type Invoiced = Pick<ThreeWayRow, 'payer_id' | 'product' | 'asset' | 'invoiced'>;

const keyOf = (payer_id: string, asset: string) => JSON.stringify([payer_id, asset]);

/** The records of each payer and asset that say what of money they hold. */
function byPayer({ records }: TargetDeliveries): ReadonlyMap<string, readonly DeliveryRecord[]> {
    return Map.groupBy(
        records.filter(({ products }) => products.length > 0),
        ({ payer_id, currency }) => keyOf(payer_id, currency),
    );
}

/**
 * What targets have of each row, and all there is between that and what is invoiced. What they have of
 * rows that are no more, as after another run, has rows of its own. Pure, in the order of rows and targets.
 */
export function deliveredWays<Row extends Invoiced>(
    rows: readonly Row[],
    underway: Underway,
    empty: (of: Invoiced) => Row,
): readonly (Row & { readonly deliveries: readonly DeliveredWay[] })[] {
    const targets = underway.deliveries
        .map((of) => ({ target: of.target, of: byPayer(of) }))
        .filter(({ of }) => of.size > 0);
    const own = (target: (typeof targets)[number], { payer_id, asset }: Invoiced) =>
        target.of.get(keyOf(payer_id, asset)) ?? [];
    return [...rows, ...strayRows(rows, underway).map(empty)].map((row) => ({
        ...row,
        deliveries:
            row.invoiced === null
                ? []
                : targets.map((target) => wayTo(target.target, row, own(target, row), underway)),
    }));
}

/** What was delivered of payers, products and assets that the run bills nothing of. */
function strayRows(
    rows: readonly Invoiced[],
    { deliveries }: Underway,
): readonly (Invoiced & { readonly invoiced: string })[] {
    const rowKey = (of: Omit<Invoiced, 'invoiced'>) =>
        JSON.stringify([of.payer_id, of.product, of.asset]);
    const known = new Set(rows.filter(({ invoiced }) => invoiced !== null).map(rowKey));
    const there = deliveries.flatMap(({ records }) =>
        records.flatMap(({ payer_id, currency: asset, products }) =>
            products.map(({ product }) => ({ payer_id, product, asset, invoiced: '0' })),
        ),
    );
    return [...new Map(there.map((of) => [rowKey(of), of]))]
        .filter(([key]) => !known.has(key))
        .map(([, of]) => of);
}

function wayTo(
    target: string,
    { payer_id, product, invoiced }: Invoiced,
    records: readonly DeliveryRecord[],
    { held, run_id }: Underway,
): DeliveredWay {
    const amountIn = (...states: readonly DeliveryState[]) =>
        sum(
            records
                .filter(({ state }) => states.includes(state))
                .flatMap(({ products }) => products.filter((of) => of.product === product))
                .map(({ amount }) => amount),
        );
    const delivered = amountIn('verified');
    const underway = amountIn('sent', 'acknowledged');
    const rejected = amountIn('rejected');
    const left = sum([invoiced ?? '0', ...[delivered, underway, rejected].map(negated)]);
    const isOther = records.some((of) => of.state !== 'planned' && of.run_id !== run_id);
    const rest = isOther ? 'of_another_run' : held.has(payer_id) ? 'held' : 'not_delivered';
    const steps: readonly Step[] = [
        { step: rest, code: '', amount: negated(left) },
        { step: 'underway', code: '', amount: negated(underway) },
        { step: 'rejected', code: '', amount: negated(rejected) },
    ];
    return { target, to_delivered: steps.filter(({ amount }) => !isZero(amount)), delivered };
}
