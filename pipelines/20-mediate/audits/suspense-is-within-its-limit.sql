-- A bound: when the share of unusable lines passes the limit, something upstream broke.
-- The rows say which codes it was and where the first of each stands, for the stage rolls back.
-- What says of itself that it moved nothing is told like them, but nothing is wrong with it.
with
suspended as (
    select object_no, line_no, code, raw_text from suspense.usage_rows
    union all
    select object_no, line_no, code, raw_text
    from suspense.debit_rows
    where code not in ('NOT_BOOKED', 'NO_ENTRIES')
),

-- What moved nothing, as it says itself.
idle as (
    select object_no, count(*) as row_count
    from suspense.debit_rows
    where code in ('NOT_BOOKED', 'NO_ENTRIES')
    group by object_no
),

shares as (
    select
        objects.role,
        sum(object_lines.suspended_count - coalesce(idle.row_count, 0)) as suspended_count,
        sum(object_lines.line_count) as line_count
    from mediated.object_lines as object_lines
    inner join raw.objects as objects on object_lines.object_no = objects.object_no
    left join idle on objects.object_no = idle.object_no
    group by objects.role
)

select
    shares.role,
    shares.suspended_count,
    shares.line_count,
    parameters.suspense_percent as limits_suspense_percent,
    suspended.code,
    count(*) as code_count,
    arg_min(objects.key || ':' || suspended.line_no, (suspended.object_no, suspended.line_no))
        as first_at,
    left(arg_min(suspended.raw_text, (suspended.object_no, suspended.line_no)), 200) as first_text
from shares
cross join run.parameters as parameters
inner join raw.objects as objects on shares.role = objects.role
inner join suspended on objects.object_no = suspended.object_no
where shares.suspended_count * 100
    > shares.line_count * cast(parameters.suspense_percent as decimal(18, 12))
group by
    shares.role,
    shares.suspended_count,
    shares.line_count,
    parameters.suspense_percent,
    suspended.code
order by code_count desc, shares.role, suspended.code
