import type { Engine } from '../duck/engine.ts';
import { formatAmount } from '../money/amount.ts';
import { type Drawn, type Owner, plainCharge, settle } from './draw-down.ts';
import { attempt, QuoteError } from './error.ts';
import type { Job } from './job.ts';
import { digits, grantRows, reachOf, withRoom } from './owner.ts';
import { prorated } from './proration.ts';
import { type GroupUsage, units } from './units.ts';

/** A line with what is left of its usage once quantity grants have covered their part. */
export interface CoveredJob extends Job {
    readonly left: readonly GroupUsage[];
    /** Units that grants gave, of which no price is asked; in 10^-coveredScale. */
    readonly covered: Drawn['draws'];
    readonly coveredScale: number;
}

const asset = 'units';

/** Covers units by quantity grants, in order, before anything is priced. */
export async function coverUnits(
    engine: Engine,
    jobs: readonly (Job | QuoteError)[],
): Promise<readonly (CoveredJob | QuoteError)[]> {
    const owners = jobs.map((step) => attempt(step, coveringOwner));
    const drawn = await settle(engine, owners.filter(isOwner));
    return jobs.map((step, index) => {
        const owner = owners[index];
        if (step instanceof QuoteError || owner instanceof QuoteError) return owner as QuoteError;
        const of = drawn.get(step.key);
        if (owner && of) return coveredJob(step, of);
        return { ...step, left: step.usage, covered: [], coveredScale: 0 };
    });
}

const isOwner = (of: Owner | QuoteError | null): of is Owner =>
    of !== null && !(of instanceof QuoteError);

const quantityGrants = ({ line }: Job) =>
    (line.grants ?? []).filter(({ quantity }) => quantity !== undefined);

function unitScale({ line, usage }: Job): number {
    return Math.max(
        digits(line.previously_billed?.quantity),
        ...usage.map(({ quantity }) => digits(quantity)),
        ...(line.grants ?? []).map(({ quantity }) => digits(quantity)),
    );
}

function coveringOwner(job: Job): Owner | null {
    const { key, line, usage } = job;
    const given = quantityGrants(job);
    if (given.length === 0) return null;
    const scale = unitScale(job);
    // What was billed before is in the usage, for the tiers; it was covered or paid for then.
    const before = units(line.previously_billed?.quantity ?? '0', scale);
    return withRoom({
        ...grantRows(key, given, asset, scale),
        commitments: [],
        charges: usage.map(({ quantity }, index) => ({
            ...plainCharge,
            ...reachOf(line),
            owner_id: key,
            charge_no: BigInt(index + 1),
            asset,
            size: units(quantity, scale) - before,
        })),
    });
}

function coveredJob(job: Job, { draws }: Drawn): CoveredJob {
    const scale = unitScale(job);
    const byCharge = Map.groupBy(draws, ({ charge_no }) => charge_no);
    return {
        ...job,
        left: job.usage.map((of, index) => {
            const drawn = byCharge.get(BigInt(index + 1)) ?? [];
            const left = drawn.reduce((sum, row) => sum - row.drawn, units(of.quantity, scale));
            return { ...of, quantity: formatAmount({ units: left, scale }) };
        }),
        covered: draws,
        coveredScale: scale,
    };
}

/** How a committed quantity cuts the windows of a line: what lies in it, above it, what it lacks. */
export interface Cut {
    readonly within: readonly string[];
    readonly above: readonly string[];
    /** By window at whose end it is due. */
    readonly shortfalls: ReadonlyMap<bigint, string>;
}

/** Cuts usage at committed quantities. Null for lines without one. */
export async function cutUnits(
    engine: Engine,
    jobs: readonly (CoveredJob | QuoteError)[],
): Promise<readonly (Cut | QuoteError | null)[]> {
    const owners = jobs.map((step) => attempt(step, cuttingOwner));
    const drawn = await settle(engine, owners.filter(isOwner));
    return jobs.map((step, index) => {
        const owner = owners[index];
        if (step instanceof QuoteError) return step;
        if (owner === null || owner === undefined || owner instanceof QuoteError) {
            return owner ?? null;
        }
        return cutOf(cutScale(step), drawn.get(step.key));
    });
}

/** The window at whose end what was used in a window is compared with what was promised. */
export function dueWindow({ line, usage }: Job, window: number): bigint {
    return BigInt(line.commitment?.true_up === 'cumulative' ? usage.length : window);
}

/** The windows at whose ends something may be due. */
export function dueWindows(job: Job): readonly bigint[] {
    return [...new Set(job.usage.map((_, index) => dueWindow(job, index + 1)))];
}

/** A promise is for a whole period: of a part, that share of it; a quantity to 12 decimals. */
function cutScale({ line, left }: CoveredJob): number {
    const isWhole = prorated(line.charge.proration).denominator === 1n;
    const given = [line.commitment?.quantity, ...left.map(({ quantity }) => quantity)];
    return isWhole ? Math.max(...given.map(digits)) : 12;
}

function cuttingOwner(job: CoveredJob): Owner | null {
    const { key, line, left } = job;
    const { commitment } = line;
    if (commitment?.quantity === undefined) return null;
    if (left.some(({ quantity }) => quantity.startsWith('-'))) {
        const message = 'a committed quantity takes no usage below zero: commit to an amount';
        throw new QuoteError('QUOTE_COMMITMENT', message);
    }
    const scale = cutScale(job);
    const { numerator, denominator } = prorated(line.charge.proration);
    const promised = units(commitment.quantity, scale) * numerator;
    const row = { owner_id: key, within_factor: 1n, rounding_divisor: 1n };
    return withRoom({
        ...{ grants: [], scopes: [] },
        commitments: dueWindows(job).map((due) => ({
            ...{ ...row, commitment_id: String(due), rounding_mode: 'half_away' },
            committed: (2n * promised + denominator) / (2n * denominator),
            counted_before: 0n,
            true_up: commitment.true_up === 'none' ? 'none' : 'due',
        })),
        charges: left.map(({ quantity }, index) => ({
            ...plainCharge,
            owner_id: key,
            charge_no: BigInt(index + 1),
            asset,
            commitment_id: String(dueWindow(job, index + 1)),
            size: units(quantity, scale),
        })),
    });
}

function cutOf(scale: number, drawn: Drawn | undefined): Cut {
    const text = (of: bigint) => formatAmount({ units: of, scale });
    return {
        within: (drawn?.parts ?? []).map(({ within }) => text(within)),
        above: (drawn?.parts ?? []).map(({ above }) => text(above)),
        shortfalls: new Map(
            (drawn?.trueUps ?? [])
                .filter(({ exact }) => exact > 0n)
                .map(({ commitment_id, exact }) => [BigInt(commitment_id), text(exact)]),
        ),
    };
}
