-- Metered usage: daily partials of every meter, split where a rate, book or payer changed.
-- Grain: meter, account_id, payer_id, pool_id, wallet_asset, book_id, channel_id, attributes,
-- segment_at, event_on.
-- The grouping itself is compiled from the meters of the config; see compiled.metered_usage. What
-- an earlier run metered of rows that this one does not look at again is added to it.
with
found as (
    select * from compiled.metered_usage
    union all by name
    select * from carried.metered_usage
)

select
    meter,
    account_id,
    payer_id,
    pool_id,
    wallet_asset,
    currency,
    book_id,
    channel_id,
    attributes,
    unit,
    segment_at,
    event_on,
    cast(sum(quantity) as decimal(38, 12)) as quantity,
    cast(sum(event_count) as bigint) as event_count
from found
group by all
