-- Metered usage priced by exactly one rate; the amount is exact and unrounded.
-- Grain: as metered.usage. A rate in another currency than the payer's prices nothing.
select
    usage.meter,
    usage.account_id,
    usage.payer_id,
    usage.pool_id,
    usage.wallet_asset,
    usage.book_id,
    usage.channel_id,
    usage.attributes,
    usage.unit,
    usage.segment_at,
    usage.event_on,
    usage.quantity,
    usage.event_count,
    choices.rate_id,
    choices.product,
    choices.unit_price,
    cast(usage.quantity * choices.unit_price as decimal(38, 24)) as amount,
    choices.currency
from metered.usage as usage
inner join rated.rate_choices as choices
    on usage.meter = choices.meter
    and usage.book_id = choices.book_id
    and usage.attributes = choices.attributes
    and usage.segment_at = choices.segment_at
    and usage.currency = choices.currency
