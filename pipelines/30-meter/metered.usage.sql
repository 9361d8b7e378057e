-- Metered usage: daily partials of every meter, split where a rate, book or payer changed.
-- Grain: meter, account_id, payer_id, pool_id, wallet_asset, book_id, channel_id, attributes,
-- segment_at, event_on.
-- The grouping itself is compiled from the meters of the config; see compiled.metered_usage.
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
    quantity,
    event_count
from compiled.metered_usage
