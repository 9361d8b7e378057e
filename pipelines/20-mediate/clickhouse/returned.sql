-- Rows that go back: not read here, or of an event whose outcome is not certain here.
-- Grain: role, object_no, line_no.
select 'usage' as role, object_no, line_no, is_read
from usage_rows
where not is_read or event_id not in (select event_id from certain)
union all
select 'debits' as role, object_no, line_no, is_read
from debit_rows
where not is_read or ifNull(event_id, '') not in (select event_id from certain)
