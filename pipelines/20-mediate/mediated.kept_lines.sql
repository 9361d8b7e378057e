-- How many lines of each object became a record or repeat one; the rest could not be used.
-- Grain: object_no.
with
fates as (
    select object_no, 0 as line_count, 0 as record_count, 0 as duplicate_count, 0 as conflict_count
    from raw.objects
    union all by name
    select object_no, count(*) as line_count from raw.usage_rows group by object_no
    union all by name
    select object_no, count(*) as line_count from raw.debit_rows group by object_no
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
)

select
    object_no,
    cast(coalesce(sum(line_count), 0) as bigint) as line_count,
    cast(coalesce(sum(record_count), 0) as bigint) as record_count,
    cast(coalesce(sum(duplicate_count), 0) as bigint) as duplicate_count,
    cast(coalesce(sum(conflict_count), 0) as bigint) as conflict_count
from fates
group by object_no
