-- Entries of a debit log that may not count: unusable, or with an id that others carry too.
-- Grain: object_no, line_no, entry_no. All columns of all lines are read here, once; whatever is
-- decided of an entry is decided of these few.
select
    object_no,
    line_no,
    entry_no,
    input as source,
    entry_id as record_id,
    raw_text,
    suspense,
    content
from mediated.debit_checked
where suspense is not null
    or hash(entry_id) in (select keys.key_hash from mediated.debit_repeat_keys as keys)
