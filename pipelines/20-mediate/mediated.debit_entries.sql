-- Debit entries that count, each once.
-- Grain: input, entry_id.
select
    checked.input,
    checked.* exclude (input, object_no, line_no, raw_text, suspense, content),
    cast(checked.booked_at as date) as booked_on,
    checked.object_no,
    checked.line_no
from mediated.debit_checked as checked
anti join mediated.debit_repeats as repeats
    on checked.object_no = repeats.object_no
    and checked.line_no = repeats.line_no
where checked.suspense is null
