-- Metered usage that is sold on: a row for each level of its channel, with the buyer as payer.
-- Grain: level_no and that of metered.usage.
select
    channels.level_no,
    channels.seller_id,
    channels.buyer_id,
    usage.meter,
    usage.account_id,
    channels.sale_id as payer_id,
    channels.pool_id,
    usage.wallet_asset,
    channels.currency,
    channels.book_id,
    usage.channel_id,
    usage.attributes,
    usage.unit,
    usage.segment_at,
    usage.event_on,
    usage.quantity,
    usage.event_count
from metered.usage as usage
inner join accounts.channels as channels on usage.channel_id = channels.channel_id
