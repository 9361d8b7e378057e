-- Where each line of each object went.
-- Grain: object_no.
with
fates as (
    select object_no, count(*) as line_count, count(*) as row_count
    from raw.usage_rows
    group by object_no
    union all by name
    -- Each line has a first entry, and may have more.
    select object_no, count(*) filter (where entry_no = 1) as line_count, count(*) as row_count
    from raw.debit_rows
    group by object_no
    union all by name
    select object_no, count(*) as record_count from mediated.usage_events group by object_no
    union all by name
    select object_no, count(*) as record_count from mediated.debit_entries group by object_no
    union all by name
    select object_no, count(*) filter (where kind = 'duplicate') as duplicate_count,
        count(*) filter (where kind = 'conflict') as conflict_count
    from mediated.usage_repeats
    group by object_no
    union all by name
    select object_no, count(*) filter (where kind = 'duplicate') as duplicate_count,
        count(*) filter (where kind = 'conflict') as conflict_count
    from mediated.debit_repeats
    group by object_no
    union all by name
    select object_no, count(*) as suspended_count from suspense.usage_rows group by object_no
    union all by name
    select object_no, count(*) as suspended_count from suspense.debit_rows group by object_no
    union all by name
    select object_no, line_count, row_count, record_count from carried.object_lines
)

select
    objects.object_no,
    max(objects.line_count) - case when max(objects.format) = 'csv' then 1 else 0 end
        as spooled_count,
    cast(coalesce(sum(fates.line_count), 0) as bigint) as line_count,
    cast(coalesce(sum(fates.row_count), 0) as bigint) as row_count,
    cast(coalesce(sum(fates.record_count), 0) as bigint) as record_count,
    cast(coalesce(sum(fates.duplicate_count), 0) as bigint) as duplicate_count,
    cast(coalesce(sum(fates.conflict_count), 0) as bigint) as conflict_count,
    cast(coalesce(sum(fates.suspended_count), 0) as bigint) as suspended_count
from raw.objects as objects
left join fates on objects.object_no = fates.object_no
group by objects.object_no
