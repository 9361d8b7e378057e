-- Accounts that a debit log speaks of: without one, usage cannot be audited.
-- Grain: account_id.
select account_id
from recon.log_totals
group by account_id
having sum(usage_entry_count) > 0
