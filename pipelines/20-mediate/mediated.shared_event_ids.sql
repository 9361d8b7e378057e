-- Event ids that more than one source uses.
-- Grain: event_id.
select events.event_id
from mediated.usage_events as events
semi join mediated.usage_repeat_keys as repeat_keys
    on hash(events.event_id) = repeat_keys.key_hash
group by events.event_id
having count(distinct events.source) > 1
