import type { drawingCharges, drawingCommitments } from '../../pipelines/72-bill/tables.ts';
import type { RowOf } from '../duck/table.ts';
import type { PricedGroup } from './answer.ts';
import { type CoveredJob, type Cut, dueWindow, dueWindows } from './cover.ts';
import { type Owner, plainCharge } from './draw-down.ts';
import { digits, grantRows, reachOf, withRoom } from './owner.ts';
import type { Points } from './points.ts';
import { greatestCommonDivisor, prorated } from './proration.ts';
import { type UnitLine, units } from './units.ts';

/** A line that the pricing stage has priced. */
export interface Priced {
    readonly job: CoveredJob;
    readonly cut: Cut | null;
    readonly points: Points;
    readonly unit: UnitLine;
    readonly groups: ReadonlyMap<string, PricedGroup>;
}

type Charge = RowOf<typeof drawingCharges>;
type Commitment = RowOf<typeof drawingCommitments>;

const ten = (exponent: number) => 10n ** BigInt(exponent);

/**
 * What a line with a commitment settles: money in units in which its overage is whole. `divisor` of
 * them are one of the currency.
 */
export interface Settlement {
    readonly charges: readonly Charge[];
    readonly commitments: readonly Commitment[];
    readonly divisor: bigint;
}

/** The rows of a line in money: its commitment, or what it came to; and the grants that pay it. */
export function moneyOwner(priced: Priced, of: Settlement | bigint): Owner | null {
    const { key, line } = priced.job;
    const grants = (line.grants ?? []).filter(({ amount }) => amount !== undefined);
    const rows = grantRows(key, grants, line.currency, priced.unit.scales.decimals);
    if (typeof of !== 'bigint') {
        return withRoom({ ...rows, charges: of.charges, commitments: of.commitments });
    }
    if (grants.length === 0) return null;
    // Without a commitment the line is rounded already, and that once.
    const charge = { ...plainCharge, ...reachOf(line), owner_id: key, asset: line.currency };
    return withRoom({
        ...rows,
        charges: [{ ...charge, charge_no: 1n, size: of }],
        commitments: [],
    });
}

/** How sizes within and above a commitment become exact, in common whole units. */
interface Factors {
    readonly within: bigint;
    readonly above: bigint;
    readonly divisor: bigint;
    /** Decimals that sizes of the commitment are in, over the denominator of the line. */
    readonly scale: number;
}

/** The charges and commitments of a line that has one. */
export function settlementOf(priced: Priced): Settlement {
    const { job, unit, cut } = priced;
    const { line, key } = job;
    const factors = factorsOf(priced);
    const { final, decimals } = unit.scales;
    const rounding = {
        rounding_divisor: factors.divisor / ten(decimals),
        rounding_mode: line.charge.rounding?.mode ?? 'half_away',
    };
    const step = ten(factors.scale - final);
    return {
        divisor: factors.divisor,
        charges: priced.points.charged.map((_, index) => ({
            ...reachOf(line),
            ...rounding,
            account_id: null,
            owner_id: key,
            charge_no: BigInt(index + 1),
            asset: line.currency,
            commitment_id: cut ? null : String(dueWindow(job, index + 1)),
            ...sizesOf(priced, index, step),
            paid: 0n,
            within_factor: factors.within,
            above_factor: factors.above,
        })),
        commitments: dueWindows(job).map((due) => ({
            ...rounding,
            owner_id: key,
            commitment_id: String(due),
            committed: promisedSize(priced, due, factors.scale),
            counted_before: 0n,
            true_up: line.commitment?.true_up === 'none' ? 'none' : 'due',
            within_factor: factors.within,
        })),
    };
}

function factorsOf({ job, unit, cut }: Priced): Factors {
    const { overage_factor, overage_unit_price, amount } = job.line.commitment ?? {};
    const { charge } = job.line;
    const { final, denominator } = unit.scales;
    const scale = Math.max(final, digits(amount));
    const divisor = ten(scale) * denominator;
    if (overage_unit_price === undefined) {
        const finer = digits(overage_factor);
        const above = units(overage_factor ?? '1', finer);
        return { within: ten(finer), above, divisor: divisor * ten(finer), scale };
    }
    if (cut === null) {
        // Money above at one price is money above x price of overage / price: in lowest terms.
        const price = charge.model === 'per_unit' ? charge.unit_price : '1';
        const finer = Math.max(digits(price), digits(overage_unit_price));
        const [over, at] = [units(overage_unit_price, finer), units(price, finer)];
        const common = greatestCommonDivisor(over, at);
        const within = at / common;
        return { within, above: over / common, divisor: divisor * within, scale };
    }
    const ofUnits = Math.max(...cut.above.map(digits)) + digits(overage_unit_price);
    const finest = Math.max(scale, ofUnits);
    return {
        within: ten(finest - scale),
        above:
            units(overage_unit_price, digits(overage_unit_price)) *
            ten(finest - ofUnits) *
            denominator,
        divisor: ten(finest) * denominator,
        scale,
    };
}

/** What a window comes to, and what of it lies above a committed quantity. */
function sizesOf(
    { job, cut, points, groups }: Priced,
    index: number,
    step: bigint,
): Pick<Charge, 'size' | 'beyond'> {
    const exact = (group: string | null | undefined) =>
        group == null ? null : (groups.get(group)?.exact ?? 0n);
    const all = exact(points.charged[index]) ?? 0n;
    if (cut === null) return { size: all * step, beyond: 0n };
    if (job.line.commitment?.overage_unit_price !== undefined) {
        const scale = Math.max(...cut.above.map(digits));
        return { size: all * step, beyond: units(cut.above[index] ?? '0', scale) };
    }
    // Where more units cost less in all, none of it is for those above.
    const within = exact(points.within[index]);
    const added = within === null || all < within ? 0n : all - within;
    return { size: (all - added) * step, beyond: added * step };
}

/** Money that was promised: as written, or what the units that are lacking would have added. */
function promisedSize({ job, unit, cut, points, groups }: Priced, due: bigint, scale: number) {
    const { commitment, charge } = job.line;
    if (cut === null) {
        return units(commitment?.amount ?? '0', scale) * prorated(charge.proration).numerator;
    }
    const promised = points.promised.get(due);
    if (promised === undefined) return 0n;
    const used = points.charged[Number.parseInt(due.toString(), 10) - 1] ?? '';
    const added = (groups.get(promised)?.exact ?? 0n) - (groups.get(used)?.exact ?? 0n);
    return (added > 0n ? added : 0n) * ten(scale - unit.scales.final);
}
