import type { Engine, Row } from '../duck/engine.ts';
import { visible } from '../report/visible.ts';
import { trimmed } from '../run/decimals.ts';
import type { LineItem } from '../schema/line-item.ts';

/** What a line that is not usage comes from: a commitment, draws of a grant, payments of wallets. */
export interface OtherExplanation {
    readonly run_id: string;
    readonly line: LineItem;
    readonly commitments: readonly Row[];
    readonly balances: readonly Row[];
    readonly draws: readonly Row[];
    readonly payments: readonly Row[];
}

/** Reads what is behind a line that is not usage from the tables of its run. */
export async function otherTrace(
    engine: Engine,
    run_id: string,
    line: LineItem,
): Promise<OtherExplanation> {
    const { payer_id, account_id, product, commitment_id, grant_id, asset } = line;
    const none: readonly Row[] = [];
    return {
        run_id,
        line,
        commitments: commitment_id
            ? await engine.rows(
                  `select statements.*, commitments.measure, commitments.meter,
                      commitments.shortfall_price, commitments.overage_factor,
                      commitments.overage_unit_price,
                      statements.counted - greatest(
                          statements.committed + coalesce(
                              (select sum(grants.opening + grants.granted)
                              from rules.grants as grants
                              where grants.payer_id = statements.payer_id
                                  and grants.commitment_id = statements.commitment_id
                                  and grants.is_rollover),
                              0
                          ),
                          statements.counted_before
                      ) as above
                  from invoice.commitments as statements
                  inner join rules.commitments as commitments using (payer_id, commitment_id)
                  where statements.payer_id = $payer_id
                      and statements.commitment_id = $commitment_id`,
                  { payer_id, commitment_id },
              )
            : none,
        balances: grant_id
            ? await engine.rows(
                  `select * from invoice.balances
                  where payer_id = $payer_id and grant_id = $grant_id`,
                  { payer_id, grant_id },
              )
            : none,
        draws: grant_id
            ? await engine.rows(
                  `select * exclude (amount_minor) from invoice.draw_downs
                  where payer_id = $payer_id and grant_id = $grant_id and product = $product
                  order by charge_no`,
                  { payer_id, grant_id, product },
              )
            : none,
        payments:
            line.line_type === 'wallet_settlement'
                ? await engine.rows(
                      `select payments.* from recon.wallet_payments as payments
                      left join billed.line_accounts as shown
                          on payments.payer_id = shown.payer_id
                          and payments.account_id = shown.account_id
                      where payments.payer_id = $payer_id and payments.product = $product
                          and payments.asset = $asset
                          and coalesce(shown.line_account_id, payments.account_id) = $account_id
                      order by payments.account_id, payments.rate_from`,
                      { payer_id, product, asset: asset ?? '', account_id },
                  )
                : none,
    };
}

/** What a commitment makes of what lacks or lies above, as far as the line bills that. */
function priceOf(row: Row, { line_type }: LineItem): readonly string[] {
    const figure = (name: string) => trimmed(row[name]);
    const unit = visible(String(row.meter ?? row.currency));
    if (line_type === 'true_up' && row.shortfall_price !== null) {
        return [
            `priced     ${figure('shortfall')} ${unit} lacking, at ${figure('shortfall_price')} ${row.currency} each`,
        ];
    }
    if (line_type !== 'overage') return [];
    const price =
        row.overage_unit_price === null
            ? `${figure('overage_factor')} times their price`
            : `${figure('overage_unit_price')} ${row.currency} each`;
    return [
        `priced     ${figure('above')} ${unit} above in this period, of all products, cost ${price}; the line is what that adds`,
    ];
}

/** The same for people. */
export function otherText({ run_id, line, ...of }: OtherExplanation): string {
    const figure = (row: Row, name: string) => trimmed(row[name]);
    const out = [
        `line       ${line.line_key}`,
        `run        ${run_id}`,
        `payer      ${visible(line.payer_id)}, for account ${visible(line.account_id)}`,
        `what       ${visible(line.description)}`,
        `amount     ${line.amount} ${line.currency}, a line of type ${line.line_type}`,
        ...of.commitments.flatMap((row) => [
            `commitment ${visible(String(row.commitment_id))}, ${row.window_start} to ${row.window_end}: ${figure(row, 'committed')} promised, ${figure(row, 'counted')} counted (${figure(row, 'counted_before')} before the period), ${figure(row, 'shortfall')} lacking`,
            ...priceOf(row, line),
        ]),
        ...of.balances.map(
            (row) =>
                `grant      ${visible(String(row.grant_id))}, in ${visible(String(row.asset))}: opening ${figure(row, 'opening')}, granted ${figure(row, 'granted')}, drawn ${figure(row, 'drawn')}, expired ${figure(row, 'expired')}, closing ${figure(row, 'closing')}`,
        ),
        ...of.draws.map(
            (row) =>
                `draws      ${figure(row, 'drawn')} for ${figure(row, 'amount')} ${row.currency} of line ${String(row.line_key).slice(0, 12)}, used by ${visible(String(row.account_id))}; ${figure(row, 'balance')} left`,
        ),
        ...of.payments.map(
            (row) =>
                `paid       ${figure(row, 'asset_amount')} ${visible(String(row.asset))} at ${figure(row, 'rate')} from the wallet of ${visible(String(row.account_id))}: ${figure(row, 'amount')} ${row.currency}`,
        ),
    ];
    return `${out.join('\n')}\n`;
}
