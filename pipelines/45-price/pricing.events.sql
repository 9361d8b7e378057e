-- The events of lines that are priced event by event, in the order of time.
-- Grain: line_id, group_id, event_no.
select
    members.line_id,
    '' as group_id,
    row_number() over (
        partition by members.line_id
        order by events.event_at, events.source, events.event_id, events.attributes
    ) as event_no,
    whole_units(events.value, 12) as value
from compiled.priced_events as events
inner join rated.rate_choices as choices
    on events.meter = choices.meter
    and events.book_id = choices.book_id
    and events.attributes = choices.attributes
    and events.segment_at = choices.segment_at
    and events.currency = choices.currency
inner join rules.terms as terms
    on choices.rate_id = terms.rate_id
    and terms.is_by_event
inner join pricing.members as members
    on choices.rate_id = members.rate_id
    and events.payer_id = members.payer_id
    and events.account_id = members.account_id
    and events.attributes = members.attributes
    -- An account that changes its pool is a member of both: each event is of the pool of its time.
    and (members.pool_id = '' or members.pool_id = events.pool_id)
