-- Charges: rated usage of the period, by who pays, who used, and at which rate.
-- Grain: payer_id, account_id, product, meter, attributes, rate_id.
with
periods as (
    select payer_id, max(period_start) as period_start, max(period_end) as period_end
    from accounts.paths
    group by payer_id
)

select
    usage.payer_id,
    usage.account_id,
    usage.product,
    usage.meter,
    usage.attributes,
    usage.rate_id,
    max(usage.unit) as unit,
    max(usage.unit_price) as unit_price,
    cast(sum(usage.quantity) as decimal(38, 12)) as quantity,
    cast(sum(usage.event_count) as bigint) as event_count,
    cast(sum(usage.amount) as decimal(38, 24)) as amount,
    max(usage.currency) as currency,
    greatest(max(periods.period_start), max(rates.effective_from)) as service_start,
    least(
        max(periods.period_end),
        coalesce(max(rates.effective_to), max(periods.period_end))
    ) as service_end
from rated.usage as usage
inner join periods on usage.payer_id = periods.payer_id
inner join rules.rates as rates on usage.rate_id = rates.rate_id
group by
    usage.payer_id,
    usage.account_id,
    usage.product,
    usage.meter,
    usage.attributes,
    usage.rate_id
