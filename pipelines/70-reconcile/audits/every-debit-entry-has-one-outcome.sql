-- I12, the debit side: every entry booked in the period is in one match or one break.
with
counted as (
    select
        (select coalesce(sum(record_count), 0) from recon.sides where side = 'debits')
            as entry_count,
        (select coalesce(sum(entry_count), 0) from recon.outcomes) as outcome_count
)

select entry_count, outcome_count
from counted
where entry_count is distinct from outcome_count
