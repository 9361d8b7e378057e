-- Accounts that a debit log speaks of: without one, usage cannot be audited.
-- Grain: account_id.
select account_id
from mediated.debit_entries
where is_usage_debit(entry_type)
group by account_id
