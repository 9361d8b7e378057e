-- Rows of each object: all of them, and those that are certain here.
-- Grain: object_no.
select
    object_no,
    toInt64(count()) as line_count,
    toInt64(countIf(is_certain)) as certain_count
from (
    select object_no, is_read and event_id in (select event_id from certain) as is_certain
    from usage_rows
    union all
    select object_no,
        is_read and ifNull(event_id, '') in (select event_id from certain) as is_certain
    from debit_rows
) as stored
group by object_no
