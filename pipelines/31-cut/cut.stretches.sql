-- The periods of accounts, cut where their usage begins to be another's.
-- Grain: is_kept, account_id, from_at.
with
paths as (
    select true as is_kept, kept.* from kept.paths as kept
    union all
    select false as is_kept, now.* from accounts.paths as now
)

select
    paths.is_kept,
    paths.account_id,
    greatest(paths.valid_from, paths.period_start) as from_at,
    least(paths.valid_to, paths.period_end) as to_at,
    owners.owner_no
from paths
inner join cut.owners as owners
    on paths.is_kept = owners.is_kept
    and paths.account_id = owners.account_id
    and paths.payer_id = owners.payer_id
    and paths.pool_id = owners.pool_id
    and paths.wallet_asset = owners.wallet_asset
    and paths.currency = owners.currency
    and paths.book_id = owners.book_id
    and paths.channel_id = owners.channel_id
where greatest(paths.valid_from, paths.period_start) < least(paths.valid_to, paths.period_end)
