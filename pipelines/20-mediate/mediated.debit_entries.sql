-- Debit entries that count, each once.
-- Grain: input, entry_id.
select
    debit_rows.input,
    debit_rows.* exclude (input, object_no, line_no, raw_text, suspense, content),
    cast(debit_rows.booked_at as date) as booked_on,
    debit_rows.object_no,
    debit_rows.line_no
from raw.debit_rows as debit_rows
anti join suspense.debit_rows as suspended
    on debit_rows.object_no = suspended.object_no
    and debit_rows.line_no = suspended.line_no
anti join mediated.debit_repeats as repeats
    on debit_rows.object_no = repeats.object_no
    and debit_rows.line_no = repeats.line_no
