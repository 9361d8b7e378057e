-- Event ids that more than one source uses.
-- Grain: event_id.
select doubts.record_id as event_id
from mediated.usage_doubts as doubts
anti join mediated.usage_repeats as repeats
    on doubts.object_no = repeats.object_no
    and doubts.line_no = repeats.line_no
where doubts.suspense is null
group by doubts.record_id
having count(distinct doubts.source) > 1
