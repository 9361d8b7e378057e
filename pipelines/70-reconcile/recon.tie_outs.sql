-- The tie-out by account and asset: rated - debited = breaks + accepted differences + what terms
-- changed against the list price, which is what the wallet layer debits at.
-- Grain: account_id, asset. Both sides come from elsewhere than the matching: money from
-- the charges, units from the counted events, debits from the log itself.
with
wallets as (
    select
        account_id,
        payer_id,
        coalesce(
            arg_max(wallet_asset, valid_from) filter (where valid_from < period_end),
            max(wallet_asset)
        ) as wallet_asset
    from accounts.paths
    group by account_id, payer_id
),

-- Usage of a time when the account had another wallet than the one it has last.
elsewhere as (
    select
        usage.account_id,
        usage.wallet_asset,
        wallets.wallet_asset as last_asset,
        sum(usage.amount) as amount
    from rated.usage as usage
    inner join wallets
        on usage.account_id = wallets.account_id
        and usage.payer_id = wallets.payer_id
        and usage.wallet_asset <> wallets.wallet_asset
    group by usage.account_id, usage.wallet_asset, wallets.wallet_asset
),

-- Charges know no wallet: they count for the last one, and what belongs to another is moved there.
moved as (
    select account_id, wallet_asset as asset, amount from elsewhere
    union all
    select account_id, last_asset as asset, -amount as amount from elsewhere
),

rated as (
    select charges.account_id, wallets.wallet_asset as asset,
        cast(charges.amount as decimal(38, 24)) as amount,
        cast(coalesce(charges.repriced, 0) as decimal(38, 24)) as repriced
    from rolled.charges as charges
    inner join wallets
        on charges.account_id = wallets.account_id
        and charges.payer_id = wallets.payer_id
    inner join rules.assets as assets
        on wallets.wallet_asset = assets.asset
        and assets.kind = 'currency'
    union all
    select moved.account_id, moved.asset, cast(moved.amount as decimal(38, 24)) as amount,
        cast(0 as decimal(38, 24)) as repriced
    from moved
    inner join rules.assets as assets
        on moved.asset = assets.asset
        and assets.kind = 'currency'
    union all
    select sides.account_id, sides.asset, sides.amount, cast(0 as decimal(38, 24)) as repriced
    from recon.sides as sides
    inner join rules.assets as assets
        on sides.asset = assets.asset
        and assets.kind = 'unit'
    where sides.side = 'usage'
),

unaudited as (
    select usage_account_id as account_id, usage_asset as asset, expected
    from recon.outcomes
    where fate = 'unauditable'
),

parts as (
    select account_id, asset, sum(amount) as rated, sum(repriced) as repriced
    from rated
    group by account_id, asset
    union all by name
    select account_id, asset, amount as debited
    from recon.sides
    where side = 'debits'
    union all by name
    select account_id, asset, sum(amount) as broken
    from recon.break_legs
    group by account_id, asset
    union all by name
    select account_id, asset, sum(difference) as rounding
    from recon.matches
    group by account_id, asset
    union all by name
    -- What is over its limit is accepted no more: it is among the breaks.
    select account_id, asset, -difference as rounding
    from recon.accepted_differences
    where not is_within
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
        count(parts.unaudited) > 0 as is_unaudited,
        -- A fee alone, which no debit is for, is compared with nothing.
        count(parts.debited) + count(parts.broken) + count(parts.rounding) = 0
            and coalesce(sum(parts.rated), 0) = coalesce(sum(parts.repriced), 0) as is_fee,
        cast(coalesce(sum(parts.rated), 0) as decimal(38, 24)) as rated,
        cast(coalesce(sum(parts.repriced), 0) as decimal(38, 24)) as repriced,
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
    case
        when is_unaudited then 'unauditable'
        when is_fee and bool_or(is_unaudited) over (partition by payer_id) then 'unauditable'
        else 'tied'
    end as status,
    rated,
    debited,
    cast(rated - debited as decimal(38, 24)) as difference,
    broken,
    rounding,
    repriced,
    cast(rated - debited - broken - rounding - repriced - unaudited as decimal(38, 24))
        as unexplained
from summed
