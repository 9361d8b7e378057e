-- Where each line of each object went.
-- Grain: object_no.
with
suspended as (
    select object_no, count(*) as suspended_count
    from (
        select object_no from suspense.usage_rows
        union all
        select object_no from suspense.debit_rows
    )
    group by object_no
)

select
    objects.object_no,
    objects.line_count - case when objects.format = 'csv' then 1 else 0 end as spooled_count,
    kept_lines.line_count,
    kept_lines.record_count,
    kept_lines.duplicate_count,
    kept_lines.conflict_count,
    cast(coalesce(suspended.suspended_count, 0) as bigint) as suspended_count
from raw.objects as objects
inner join mediated.kept_lines as kept_lines on objects.object_no = kept_lines.object_no
left join suspended on objects.object_no = suspended.object_no
