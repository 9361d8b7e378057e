-- Payers with their period and the next one, which fees in advance are for.
-- Grain: payer_id. A month is counted in the zone of the payer.
with
payers as (
    select
        payer_id,
        max(currency) as currency,
        max(time_zone) as time_zone,
        max(period_start) as period_start,
        max(period_end) as period_end
    from accounts.paths
    group by payer_id
)

select
    payer_id,
    currency,
    time_zone,
    period_start,
    period_end,
    timezone(
        'UTC',
        timezone(
            time_zone,
            date_trunc('month', timezone(time_zone, timezone('UTC', period_end)))
                + interval 1 month
        )
    ) as next_end
from payers
