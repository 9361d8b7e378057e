-- Partials of days that are cut as they were, with whose they are and in which rate segment now.
-- Grain: as metered.usage.
with
cells as (
    select account_id, event_on, kept_owner_no, kept_segment_at, owner_no, segment_at
    from cut.spans
    anti join cut.days using (account_id, event_on)
    group by all
)

select
    usage.meter,
    usage.account_id,
    now.payer_id,
    now.pool_id,
    now.wallet_asset,
    now.currency,
    now.book_id,
    now.channel_id,
    usage.attributes,
    usage.unit,
    cells.segment_at,
    usage.event_on,
    usage.quantity,
    usage.event_count
from kept.usage as usage
inner join cut.owners as kept
    on kept.is_kept
    and usage.account_id = kept.account_id
    and usage.payer_id = kept.payer_id
    and usage.pool_id = kept.pool_id
    and usage.wallet_asset = kept.wallet_asset
    and usage.currency = kept.currency
    and usage.book_id = kept.book_id
    and usage.channel_id = kept.channel_id
inner join cells
    on usage.account_id = cells.account_id
    and usage.event_on = cells.event_on
    and kept.owner_no = cells.kept_owner_no
    and usage.segment_at = cells.kept_segment_at
inner join cut.owners as now
    on not now.is_kept
    and cells.account_id = now.account_id
    and cells.owner_no = now.owner_no
