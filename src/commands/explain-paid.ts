import type { Engine, Row } from '../duck/engine.ts';
import { formatAmount } from '../money/amount.ts';
import { currencyExponent } from '../money/currency.ts';
import { visible } from '../report/visible.ts';
import { money, trimmed } from '../run/decimals.ts';
import type { LineItem } from '../schema/line-item.ts';

/** What became of a line of usage or a fee: which commitments count it, which wallets and grants paid it. */
export interface PaidTrace {
    /** By commitment: money, or units of the meter. */
    readonly counts: readonly Row[];
    /** By asset of the wallets. */
    readonly settled: readonly Row[];
    readonly draws: readonly Row[];
}

/** Reads it from the tables of a run. */
export async function paidTrace(engine: Engine, { line_key }: LineItem): Promise<PaidTrace> {
    return {
        counts: await engine.rows(
            `select counted.commitment_id, counted.measure, sum(parts.quantity) as quantity,
                sum(parts.amount_minor) as amount_minor
            from billed.counted_parts as counted
            inner join billed.parts as parts using (payer_id, charge_no)
            where parts.line_key = $line_key
            group by counted.commitment_id, counted.measure
            order by counted.commitment_id`,
            { line_key },
        ),
        settled: await engine.rows(
            `select asset, sum(amount_minor) as amount_minor
            from billed.line_settlements
            where line_key = $line_key
            group by asset
            order by asset`,
            { line_key },
        ),
        draws: await engine.rows(
            `select grant_id, asset, sum(drawn) as drawn, sum(amount) as amount
            from invoice.draw_downs
            where line_key = $line_key
            group by grant_id, asset
            order by grant_id`,
            { line_key },
        ),
    };
}

/** The same for people; nothing where nothing was promised. */
export function paidText(
    { currency, unit }: LineItem,
    { counts, settled, draws }: PaidTrace,
): string[] {
    const scale = currencyExponent(currency) ?? 0;
    const ofMinor = (minor: unknown) =>
        `${formatAmount({ units: BigInt(String(minor)), scale }, { minScale: scale })} ${currency}`;
    return [
        ...counts.map(({ commitment_id, measure, quantity, amount_minor }) => {
            const counted =
                measure === 'quantity'
                    ? `${trimmed(quantity)} ${visible(unit)}`
                    : ofMinor(amount_minor);
            return `counts     ${counted} towards ${visible(String(commitment_id))}`;
        }),
        ...settled.map(
            ({ asset, amount_minor }) =>
                `paid       ${ofMinor(amount_minor)} by wallets in ${visible(String(asset))}`,
        ),
        ...draws.map(
            ({ grant_id, asset, drawn, amount }) =>
                `paid       ${money(amount, currency)} ${currency} by ${visible(String(grant_id))}${asset === currency ? '' : `: ${trimmed(drawn)} ${visible(String(asset))}`}`,
        ),
    ];
}
