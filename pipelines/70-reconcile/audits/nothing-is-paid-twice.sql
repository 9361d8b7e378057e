-- No debit pays twice: what the wallets of a payer paid is no more than what was ever captured from
-- them, less what was captured for no usage of the period. Captures come from the log itself.
with
wallets as (
    select payer_id, account_id
    from accounts.paths
    group by payer_id, account_id
),

captured as (
    select account_id, asset, cast(sum(captured) as decimal(38, 24)) as amount
    from recon.log_totals
    group by account_id, asset
    union all
    select debit_account_id as account_id, debit_asset as asset,
        cast(-sum(actual) as decimal(38, 24)) as amount
    from recon.outcomes
    where usage_account_id is null and actual > 0
    group by debit_account_id, debit_asset
),

sides as (
    select wallets.payer_id, captured.asset, captured.amount
    from captured
    inner join wallets on captured.account_id = wallets.account_id
    union all
    select payer_id, asset, -asset_amount as amount
    from recon.wallet_payments
)

select payer_id, asset, -sum(amount) as paid_beyond
from sides
group by payer_id, asset
having sum(amount) < 0
order by payer_id, asset
