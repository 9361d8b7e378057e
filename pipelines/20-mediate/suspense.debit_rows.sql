-- Entries of a debit log that cannot be used, with the evidence.
-- Grain: object_no, line_no, entry_no.
select
    object_no,
    line_no,
    entry_no,
    split_part(suspense, ':', 1) as code,
    nullif(split_part(suspense, ':', 2), '') as field,
    record_id,
    coalesce(raw_text, cast(to_json(content) as varchar)) as raw_text
from mediated.debit_doubts
where suspense is not null
union all by name
select * from carried.suspended_debits
