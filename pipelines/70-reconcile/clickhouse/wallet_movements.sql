-- What moved each wallet, of entries that are certain here: the share of recon.wallet_movements.
-- Grain: input, account_id, asset, wallet_id, entry_type, is_in_period.
select
    input,
    account_id,
    asset,
    wallet_id,
    entry_type,
    toBool(is_in_period) as is_in_period,
    toInt64(count()) as entry_count,
    toInt64(count(sequence)) as numbered_count,
    toInt64(count(opening)) as stated_count,
    toString(sum(toDecimal256(amount, 12))) as amount
from entries
where event_id in (select event_id from certain)
group by input, account_id, asset, wallet_id, entry_type, is_in_period
