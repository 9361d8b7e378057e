-- Whose usage of an account is, in the run that is re-priced and now, numbered.
-- Grain: is_kept, account_id, owner_no.
with
paths as (
    select true as is_kept, account_id, payer_id, pool_id, wallet_asset, currency, book_id,
        channel_id
    from kept.paths
    union all
    select false as is_kept, account_id, payer_id, pool_id, wallet_asset, currency, book_id,
        channel_id
    from accounts.paths
)

select
    is_kept,
    account_id,
    row_number() over (
        partition by is_kept, account_id
        order by payer_id, pool_id, wallet_asset, currency, book_id, channel_id
    ) as owner_no,
    payer_id,
    pool_id,
    wallet_asset,
    currency,
    book_id,
    channel_id
from paths
group by is_kept, account_id, payer_id, pool_id, wallet_asset, currency, book_id, channel_id
