-- Debit entries that count, each once.
-- Grain: input, entry_id. Rows stay where they were stored, as those of usage do.
select
    stored.input,
    stored.* exclude (
        input, object_no, line_no, entry_no, raw_text, suspense, content
    ),
    cast(stored.booked_at as date) as booked_on,
    stored.object_no,
    stored.line_no
from raw.debit_rows as stored
anti join (
    select repeats.object_no, repeats.line_no, repeats.entry_no
    from mediated.debit_repeats as repeats
    union all
    select suspended.object_no, suspended.line_no, suspended.entry_no
    from suspense.debit_rows as suspended
) as left_out
    on stored.object_no = left_out.object_no
    and stored.line_no = left_out.line_no
    and stored.entry_no = left_out.entry_no
