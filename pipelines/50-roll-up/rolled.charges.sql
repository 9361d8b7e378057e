-- Charges: usage of the period, by who pays, who used, and at which rate.
-- Grain: payer_id, account_id, pool_id, product, meter, attributes, rate_id.
with
periods as (
    select payer_id, max(period_start) as period_start, max(period_end) as period_end
    from accounts.paths
    group by payer_id
),

-- Of a card that a contract began or ended, the time that it priced the account for.
stays as (
    select payer_id, account_id, min(valid_from) as first_at, max(valid_to) as last_at
    from accounts.paths
    group by payer_id, account_id
),

priced as (
    select
        paths.payer_id,
        paths.account_id,
        book_cards.card,
        min(paths.valid_from) as first_at,
        max(paths.valid_to) as last_at
    from accounts.paths as paths
    inner join rules.book_cards as book_cards on paths.book_id = book_cards.book_id
    group by paths.payer_id, paths.account_id, book_cards.card
),

bounds as (
    select
        priced.payer_id,
        priced.account_id,
        priced.card,
        case when priced.first_at > stays.first_at then priced.first_at end as first_at,
        case when priced.last_at < stays.last_at then priced.last_at end as last_at
    from priced
    inner join stays
        on priced.payer_id = stays.payer_id
        and priced.account_id = stays.account_id
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
        greatest(
            max(periods.period_start), max(rates.effective_from), max(bounds.first_at)
        ) as service_start,
        least(
            max(periods.period_end),
            coalesce(max(rates.effective_to), max(periods.period_end)),
            max(bounds.last_at)
        ) as service_end
    from rated.usage as usage
    inner join periods on usage.payer_id = periods.payer_id
    inner join rules.rates as rates
        on usage.rate_id = rates.rate_id
        and rates.terms is null
    left join bounds
        on usage.payer_id = bounds.payer_id
        and usage.account_id = bounds.account_id
        and rates.card = bounds.card
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
