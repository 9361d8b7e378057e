-- Metered usage: daily partials of every meter, split where a rate changed or an account moved.
-- Grain: meter, account_id, payer_id, pool_id, wallet_asset, attributes, segment_at, event_on.
-- The grouping itself is compiled from the meters of the config; see compiled.metered_usage.
select
    meter,
    account_id,
    payer_id,
    pool_id,
    wallet_asset,
    currency,
    attributes,
    unit,
    segment_at,
    event_on,
    quantity,
    event_count
from compiled.metered_usage
