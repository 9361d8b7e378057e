-- A bound: when the share of unusable lines passes the limit, something upstream broke.
with
shares as (
    select
        objects.role,
        sum(object_lines.suspended_count) as suspended_count,
        sum(object_lines.line_count) as line_count
    from mediated.object_lines as object_lines
    inner join raw.objects as objects on object_lines.object_no = objects.object_no
    group by objects.role
)

select
    shares.role,
    shares.suspended_count,
    shares.line_count,
    parameters.suspense_percent as limit_percent
from shares
cross join run.parameters as parameters
where shares.suspended_count * 100
    > shares.line_count * cast(parameters.suspense_percent as decimal(18, 12))
order by shares.role
