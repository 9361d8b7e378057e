-- The tie-out by account and asset: rated - debited = breaks + accepted differences.
-- Grain: account_id, asset. Both sides come from elsewhere than the matching: money from
-- the charges, units from the counted events, debits from the log itself.
with
wallets as (
    select account_id, payer_id, max(wallet_asset) as wallet_asset
    from accounts.paths
    group by account_id, payer_id
),

rated as (
    select charges.account_id, wallets.wallet_asset as asset,
        cast(charges.amount as decimal(38, 24)) as amount
    from rolled.charges as charges
    inner join wallets
        on charges.account_id = wallets.account_id
        and charges.payer_id = wallets.payer_id
    inner join rules.assets as assets
        on wallets.wallet_asset = assets.asset
        and assets.kind = 'currency'
    union all
    select account_id, wallet_asset as asset, cast(counted_quantity as decimal(38, 24)) as amount
    from compiled.event_values
    inner join rules.assets as assets
        on wallet_asset = assets.asset
        and assets.kind = 'unit'
    where is_in_period
),

unaudited as (
    select usage_account_id as account_id, usage_asset as asset, expected
    from recon.outcomes
    where fate = 'unauditable'
),

parts as (
    select account_id, asset, sum(amount) as rated
    from rated
    group by account_id, asset
    union all by name
    select account_id, asset, sum(debit_amount) as debited
    from recon.entries
    where is_in_period
    group by account_id, asset
    union all by name
    select account_id, asset, sum(amount) as broken
    from recon.break_legs
    group by account_id, asset
    union all by name
    select account_id, asset, sum(difference) as rounding
    from recon.matches
    group by account_id, asset
    union all by name
    select account_id, asset, sum(expected) as unaudited
    from unaudited
    group by account_id, asset
),

payers as (
    select account_id, arg_max(payer_id, valid_from) as payer_id
    from accounts.paths
    group by account_id
),

summed as (
    select
        coalesce(max(payers.payer_id), '') as payer_id,
        parts.account_id,
        parts.asset,
        case
            when count(parts.unaudited) > 0 then 'unauditable'
            else 'tied'
        end as status,
        cast(coalesce(sum(parts.rated), 0) as decimal(38, 24)) as rated,
        cast(coalesce(sum(parts.debited), 0) as decimal(38, 24)) as debited,
        cast(coalesce(sum(parts.broken), 0) as decimal(38, 24)) as broken,
        cast(coalesce(sum(parts.rounding), 0) as decimal(38, 24)) as rounding,
        cast(coalesce(sum(parts.unaudited), 0) as decimal(38, 24)) as unaudited
    from parts
    left join payers on parts.account_id = payers.account_id
    group by parts.account_id, parts.asset
)

select
    payer_id,
    account_id,
    asset,
    status,
    rated,
    debited,
    cast(rated - debited as decimal(38, 24)) as difference,
    broken,
    rounding,
    cast(rated - debited - broken - rounding - unaudited as decimal(38, 24)) as unexplained
from summed
