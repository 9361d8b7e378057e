-- I12, the usage side: every metered event of the period is in one match or one break.
with
counted as (
    select
        (select coalesce(sum(record_count), 0) from recon.sides where side = 'usage')
            as event_count,
        (select coalesce(sum(usage_count), 0) from recon.outcomes) as outcome_count
)

select event_count, outcome_count
from counted
where event_count is distinct from outcome_count
