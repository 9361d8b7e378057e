-- Payers and the sum of their charges.
-- Grain: payer_id. A payer without usage has a row with zero: its debits must still tie out.
with
charged as (
    select payer_id, sum(amount) as amount
    from rolled.charges
    group by payer_id
),

paid_for as (
    select payer_id, count(distinct account_id) as path_count, max(period_start) as period_start,
        max(period_end) as period_end, max(currency) as currency, max(time_zone) as time_zone,
        max(payer_name) as payer_name
    from accounts.paths
    group by payer_id
)

select
    paid_for.payer_id,
    paid_for.payer_name,
    paid_for.currency,
    paid_for.time_zone,
    paid_for.period_start,
    paid_for.period_end,
    cast(coalesce(charged.amount, 0) as decimal(38, 24)) as amount,
    paid_for.path_count
from paid_for
left join charged on paid_for.payer_id = charged.payer_id
