-- Metered usage that nothing prices: kept, counted, shown, never billed at zero.
-- Grain: as metered.usage.
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
    case
        when choices.rate_id is null then 'UNRATED'
        when missing.evidence is null then 'RATE_CURRENCY'
        else 'CONVERSION_MISSING'
    end as code,
    missing.evidence
from metered.usage as usage
left join rated.rate_choices as choices
    on usage.meter = choices.meter
    and usage.book_id = choices.book_id
    and usage.attributes = choices.attributes
    and usage.segment_at = choices.segment_at
left join rules.missing_conversions as missing
    on choices.currency = missing.from_currency
    and usage.currency = missing.to_currency
where usage.currency is distinct from choices.currency
