-- Copies of a debit entry after the first: same content is a duplicate, another a conflict.
-- Grain: object_no, line_no, entry_no. The copy in the earlier object, then on the earlier line,
-- counts.
with
compared as (
    select
        *,
        first_value(object_no) over identity_in_order as first_object_no,
        first_value(line_no) over identity_in_order as first_line_no,
        first_value(entry_no) over identity_in_order as first_entry_no,
        first_value(content) over identity_in_order as first_content
    from mediated.debit_doubts
    where suspense is null
    window identity_in_order as (
        partition by source, record_id
        order by object_no, line_no, entry_no
    )
)

select
    object_no,
    line_no,
    entry_no,
    case
        when content is not distinct from first_content then 'duplicate'
        else 'conflict'
    end as kind,
    source,
    record_id,
    first_object_no,
    first_line_no,
    cast(to_json(content) as varchar) as content
from compared
where (object_no, line_no, entry_no) <> (first_object_no, first_line_no, first_entry_no)
union all by name
select * from carried.debit_repeats
