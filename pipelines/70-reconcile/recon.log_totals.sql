-- What a debit log holds of each wallet, whatever the period: entries, numbered ones, captures.
-- Grain: account_id, asset, wallet_id.
select
    account_id,
    asset,
    wallet_id,
    cast(sum(entry_count) as bigint) as entry_count,
    cast(coalesce(sum(entry_count) filter (where is_usage_debit(entry_type)), 0) as bigint)
        as usage_entry_count,
    cast(sum(numbered_count) as bigint) as numbered_count,
    cast(coalesce(sum(amount) filter (where entry_type = 'capture'), 0) as decimal(38, 24))
        as captured
from recon.wallet_movements
group by account_id, asset, wallet_id
