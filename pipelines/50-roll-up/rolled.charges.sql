-- Charges: usage of the period, by who pays, who used, and at which rate.
-- Grain: payer_id, account_id, pool_id, product, meter, attributes, rate_id.
with
periods as (
    select payer_id, max(period_start) as period_start, max(period_end) as period_end
    from accounts.paths
    group by payer_id
),

-- At a bare price of one unit the amount is known as soon as the usage is rated.
linear as (
    select
        usage.payer_id,
        usage.account_id,
        usage.product,
        usage.meter,
        usage.attributes,
        usage.rate_id,
        max(usage.unit) as unit,
        max(usage.unit_price) as unit_price,
        sum(usage.quantity) as quantity,
        sum(usage.event_count) as event_count,
        sum(usage.amount) as amount,
        max(usage.currency) as currency,
        greatest(max(periods.period_start), max(rates.effective_from)) as service_start,
        least(
            max(periods.period_end),
            coalesce(max(rates.effective_to), max(periods.period_end))
        ) as service_end
    from rated.usage as usage
    inner join periods on usage.payer_id = periods.payer_id
    inner join rules.rates as rates
        on usage.rate_id = rates.rate_id
        and rates.terms is null
    group by
        usage.payer_id,
        usage.account_id,
        usage.product,
        usage.meter,
        usage.attributes,
        usage.rate_id
)

select
    payer_id,
    account_id,
    '' as pool_id,
    product,
    meter,
    attributes,
    rate_id,
    unit,
    unit_price,
    cast(quantity as decimal(38, 12)) as quantity,
    cast(event_count as bigint) as event_count,
    cast(amount as decimal(38, 24)) as amount,
    currency,
    service_start,
    service_end,
    cast(null as varchar) as line_id,
    cast(null as decimal(38, 12)) as rounded,
    cast(null as decimal(38, 24)) as repriced
from linear

union all

select
    shares.payer_id,
    shares.account_id,
    shares.pool_id,
    rates.product,
    rates.meter,
    shares.attributes,
    shares.rate_id,
    rates.unit,
    rates.unit_price,
    shares.quantity,
    shares.event_count,
    shares.amount,
    rates.currency,
    lines.service_start,
    lines.service_end,
    shares.line_id,
    shares.rounded,
    shares.repriced
from pricing.shares as shares
inner join pricing.lines as lines on shares.line_id = lines.line_id
inner join rules.rates as rates on shares.rate_id = rates.rate_id
