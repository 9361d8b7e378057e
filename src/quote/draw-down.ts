import * as bill from '../../pipelines/72-bill/tables.ts';
import { drawDown } from '../../pipelines/76-draw-down/stage.ts';
import * as tables from '../../pipelines/76-draw-down/tables.ts';
import type { Engine } from '../duck/engine.ts';
import { sha256 } from '../duck/sql.ts';
import type { RowOf } from '../duck/table.ts';
import { createControl, replaceTable } from '../run/prepare.ts';
import { runStage } from '../stage/run.ts';

type Charge = RowOf<typeof bill.drawingCharges>;
type Commitment = RowOf<typeof bill.drawingCommitments>;
type Grant = RowOf<typeof bill.drawingGrants>;

/** What the draw-down stage reads of one owner. */
export interface Owner {
    readonly charges: readonly Charge[];
    readonly commitments: readonly Commitment[];
    readonly grants: readonly Grant[];
    readonly scopes: readonly RowOf<typeof bill.drawingScopes>[];
}

/** What it makes of it; rows in the order of charges and of turns. */
export interface Drawn {
    readonly parts: readonly RowOf<typeof tables.parts>[];
    readonly charges: readonly RowOf<typeof tables.settled>[];
    readonly trueUps: readonly RowOf<typeof tables.trueUps>[];
    readonly draws: readonly RowOf<typeof tables.drawDowns>[];
}

/** A charge that counts towards nothing and is whole already. */
export const plainCharge = {
    account_id: null,
    product: null,
    first_at: null,
    last_at: null,
    commitment_id: null,
    paid: 0n,
    beyond: 0n,
    within_factor: 1n,
    above_factor: 1n,
    rounding_divisor: 1n,
    rounding_mode: 'half_away',
} as const;

/** The largest size that a whole number of the engine holds, with room for one doubling. */
const limit = 2n ** 126n;
const size = (of: bigint) => (of < 0n ? -of : of);
const total = (of: readonly bigint[]) => of.reduce((sum, one) => sum + size(one), 0n);

/** Whether nothing that the stage computes of an owner can come near the largest whole number. */
export function hasRoomToDraw({ charges, commitments, grants }: Owner): boolean {
    const exact = total([
        ...charges.map((of) => of.size * of.within_factor),
        // Only what counts towards a commitment can lie above it.
        ...charges.map((of) => (of.commitment_id === null ? 0n : of.size) * of.above_factor),
        ...charges.map((of) => of.beyond * of.above_factor),
        ...commitments.map((of) => of.committed * of.within_factor),
    ]);
    const given = total(grants.flatMap((of) => [of.opening, of.granted, of.cost_basis]));
    const divisors = [...charges, ...commitments].map((of) => of.rounding_divisor);
    return [exact, given, ...divisors].every((of) => of < limit);
}

/** Runs the draw-down stage over all owners at once. Owners without anything have no answer. */
export async function settle(
    engine: Engine,
    owners: readonly Owner[],
): Promise<ReadonlyMap<string, Drawn>> {
    if (owners.length === 0) return new Map();
    await replaceTable(
        engine,
        bill.drawingCharges,
        owners.flatMap((of) => of.charges),
    );
    await replaceTable(
        engine,
        bill.drawingCommitments,
        owners.flatMap((of) => of.commitments),
    );
    await replaceTable(
        engine,
        bill.drawingGrants,
        owners.flatMap((of) => of.grants),
    );
    await replaceTable(
        engine,
        bill.drawingScopes,
        owners.flatMap((of) => of.scopes),
    );
    await replaceTable(engine, bill.drawingReaches, []);
    await replaceTable(engine, bill.drawingOrders, ordersOf(owners));
    await createControl(engine);
    const upstream = sha256(
        JSON.stringify(owners, (_key, of) => (typeof of === 'bigint' ? `${of}` : of)),
    );
    await runStage(drawDown, { engine, upstream, position: 2 });
    return drawnByOwner(engine);
}

function ordersOf(owners: readonly Owner[]): readonly RowOf<typeof bill.drawingOrders>[] {
    const ids = new Set(owners.flatMap(({ grants }) => grants.map(({ owner_id }) => owner_id)));
    return [...ids].flatMap((owner_id) =>
        bill.defaultOrder.map((term, index) => ({ owner_id, position: BigInt(index + 1), term })),
    );
}

async function drawnByOwner(engine: Engine): Promise<ReadonlyMap<string, Drawn>> {
    const byOwner = <R extends { readonly owner_id: string }>(rows: readonly R[]) =>
        Map.groupBy(rows, ({ owner_id }) => owner_id);
    const parts = byOwner(await engine.table(tables.parts, 'owner_id, charge_no'));
    const charges = byOwner(await engine.table(tables.settled, 'owner_id, charge_no'));
    const trueUps = byOwner(await engine.table(tables.trueUps, 'owner_id, commitment_id'));
    const draws = byOwner(await engine.table(tables.drawDowns, 'owner_id, charge_no, turn'));
    const of = (owner_id: string): Drawn => ({
        parts: parts.get(owner_id) ?? [],
        charges: charges.get(owner_id) ?? [],
        trueUps: trueUps.get(owner_id) ?? [],
        draws: draws.get(owner_id) ?? [],
    });
    return new Map([...charges.keys()].map((owner_id) => [owner_id, of(owner_id)]));
}
