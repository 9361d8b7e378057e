import type { drawingGrants, drawingScopes } from '../../pipelines/72-bill/tables.ts';
import type { RowOf } from '../duck/table.ts';
import { parseAmount } from '../money/amount.ts';
import type { QuoteGrant, QuoteLine } from '../schema/quote.ts';
import { formatInstant, parseInstant } from '../time/instant.ts';
import { hasRoomToDraw, type Owner } from './draw-down.ts';
import { QuoteError } from './error.ts';
import { units } from './units.ts';

/** Decimals of a text. */
export const digits = (text: string | undefined) =>
    text === undefined ? 0 : parseAmount(text).scale;

/** An owner as it is, unless it could stop the others. @throws QuoteError QUOTE_RANGE */
export function withRoom(owner: Owner): Owner {
    if (hasRoomToDraw(owner)) return owner;
    throw new QuoteError(
        'QUOTE_RANGE',
        'its commitment and grants take more than 38 digits: write fewer decimals, or split it',
    );
}

/** Grants as rows. What is finer than `scale` can pay nothing and is cut: it stays on the grant. */
export function grantRows(
    owner_id: string,
    of: readonly QuoteGrant[],
    asset: string,
    scale: number,
): {
    readonly grants: RowOf<typeof drawingGrants>[];
    readonly scopes: RowOf<typeof drawingScopes>[];
} {
    return {
        grants: of.map((grant) => ({
            owner_id,
            grant_id: grant.id,
            asset: grant.amount === undefined ? asset : (grant.asset ?? asset),
            opening: 0n,
            granted: cut(grant.amount ?? grant.quantity ?? '0', scale),
            priority: BigInt(grant.priority),
            is_rollover: grant.is_rollover ? 1n : 0n,
            cost_basis: units(grant.cost_basis, 12),
            starts_at: instant(grant.starts_at),
            expires_at: instant(grant.expires_at),
            closes_at: null,
        })),
        scopes: of.flatMap(({ id, scope }) =>
            [...new Set(scope)].map((product) => ({ owner_id, grant_id: id, product })),
        ),
    };
}

function cut(text: string, scale: number): bigint {
    const finer = Math.max(scale, digits(text));
    return units(text, finer) / 10n ** BigInt(finer - scale);
}

const instant = (text: string | null | undefined) =>
    text == null ? null : formatInstant(parseInstant(text));

/** What grants look at: the product of a line and the instants it is for. */
export function reachOf({ product, at, meter, events }: QuoteLine) {
    const span =
        at !== undefined
            ? { first: parseInstant(at), last: parseInstant(at) }
            : meter?.period_start !== undefined && meter.period_end !== undefined
              ? {
                    first: parseInstant(meter.period_start),
                    last: parseInstant(meter.period_end) - 1n,
                }
              : spanOf((events ?? []).map((event) => event.at).filter((of) => of != null));
    return {
        product: product ?? null,
        first_at: span && formatInstant(span.first),
        last_at: span && formatInstant(span.last),
    };
}

/** From the first to the last of some instants. */
function spanOf(texts: readonly string[]) {
    const instants = texts.map(parseInstant).sort((one, other) => (one < other ? -1 : 1));
    const [first, last] = [instants.at(0), instants.at(-1)];
    return first === undefined || last === undefined ? null : { first, last };
}
