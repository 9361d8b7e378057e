-- Event ids that more than one source uses.
-- Grain: event_id.
select usage_rows.event_id
from raw.usage_rows as usage_rows
semi join mediated.usage_repeat_keys as repeat_keys
    on hash(usage_rows.event_id) = repeat_keys.key_hash
anti join suspense.usage_rows as suspended
    on usage_rows.object_no = suspended.object_no
    and usage_rows.line_no = suspended.line_no
group by usage_rows.event_id
having count(distinct usage_rows.source) > 1
