-- Stored lines of usage that may not count: unusable, or with an id that others carry too.
-- Grain: object_no, line_no. All columns of all lines are read here, once; whatever is decided of
-- a line is decided of these few.
select
    object_no,
    line_no,
    source,
    event_id as record_id,
    raw_text,
    suspense,
    content
from mediated.usage_checked
where suspense is not null
    or hash(event_id) in (select keys.key_hash from mediated.usage_repeat_keys as keys)
