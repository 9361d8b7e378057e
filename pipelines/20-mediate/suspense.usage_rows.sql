-- Stored lines of usage that cannot be used, with the evidence.
-- Grain: object_no, line_no.
select
    object_no,
    line_no,
    split_part(suspense, ':', 1) as code,
    nullif(split_part(suspense, ':', 2), '') as field,
    event_id as record_id,
    coalesce(raw_text, cast(to_json(content) as varchar)) as raw_text
from mediated.usage_checked
where suspense is not null
    and object_no in (select unkept.object_no from mediated.unkept_objects as unkept)
