-- I1: rows in = records + duplicates + conflicts + suspended, for every object; and the engine
-- read exactly the lines that were counted while the bytes were spooled, each with a row or more.
select
    objects.key,
    object_lines.spooled_count,
    object_lines.line_count,
    object_lines.row_count,
    object_lines.record_count,
    object_lines.duplicate_count,
    object_lines.conflict_count,
    object_lines.suspended_count
from mediated.object_lines as object_lines
inner join raw.objects as objects on object_lines.object_no = objects.object_no
where object_lines.row_count is distinct from object_lines.record_count
        + object_lines.duplicate_count + object_lines.conflict_count + object_lines.suspended_count
    or coalesce(object_lines.spooled_count, object_lines.line_count)
        is distinct from object_lines.line_count
    or object_lines.row_count < object_lines.line_count
order by objects.key
