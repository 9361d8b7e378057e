-- What is priced together, in which units, and for which share of the period.
-- Grain: line_id. The share is the days or seconds that the rate held while the account was there.
with
gathered as (
    select
        members.line_id,
        members.rate_id,
        members.payer_id,
        terms.tier_scope,
        case when terms.tier_scope not in ('pool', 'contract_term') then max(members.account_id) end
            as account_id,
        max(members.pool_id) as pool_id,
        terms.is_in_advance,
        terms.is_by_event,
        terms.proration_unit,
        sum(members.quantity) as quantity
    from pricing.members as members
    inner join rules.terms as terms on members.rate_id = terms.rate_id
    group by
        members.line_id,
        members.rate_id,
        members.payer_id,
        terms.tier_scope,
        terms.is_in_advance,
        terms.is_by_event,
        terms.proration_unit
),

-- What the term of a contract counted before the period.
opened as (
    select
        gathered.*,
        case when gathered.tier_scope = 'contract_term' then coalesce(openings.quantity, 0) end
            as opening
    from gathered
    inner join rules.rates as rates on gathered.rate_id = rates.rate_id
    left join rules.openings as openings
        on gathered.tier_scope = 'contract_term'
        and gathered.pool_id = openings.contract_id
        and rates.product = openings.product
        and rates.meter = openings.meter
),

-- Of a rate, the fewest decimals that hold the usage of all its lines.
scales as (
    select
        rate_id,
        case
            when bool_or(is_by_event) then 12
            when bool_and(used = floor(used) and before = floor(before)) then 0
            when bool_and(used = round(used, 6) and before = round(before, 6)) then 6
            else 12
        end as quantity_scale
    from (
        select rate_id, is_by_event, quantity as used, coalesce(opening, 0) as before
        from opened
    )
    group by rate_id
),

served as (
    select
        opened.*,
        payers.time_zone,
        case when opened.is_in_advance then payers.period_end else payers.period_start end
            as whole_start,
        case when opened.is_in_advance then payers.next_end else payers.period_end end
            as whole_end,
        rates.card,
        rates.currency,
        rates.effective_from,
        coalesce(rates.effective_to, timestamp '9999-12-31') as effective_to
    from opened
    inner join rules.rates as rates on opened.rate_id = rates.rate_id
    inner join pricing.payers as payers on opened.payer_id = payers.payer_id
),

-- A pool is there as long as its payer. But where other cards priced it before or after, this card
-- holds only for its own time.
pools as (
    select payer_id, pool_id, min(valid_from) as first_at, max(valid_to) as last_at
    from accounts.paths
    group by payer_id, pool_id
),

priced as (
    select
        paths.payer_id,
        paths.pool_id,
        book_cards.card,
        min(paths.valid_from) as first_at,
        max(paths.valid_to) as last_at
    from accounts.paths as paths
    inner join rules.book_cards as book_cards on paths.book_id = book_cards.book_id
    group by paths.payer_id, paths.pool_id, book_cards.card
),

bounds as (
    select
        priced.payer_id,
        priced.pool_id,
        priced.card,
        case when priced.first_at > pools.first_at then priced.first_at end as first_at,
        case when priced.last_at < pools.last_at then priced.last_at end as last_at
    from priced
    inner join pools
        on priced.payer_id = pools.payer_id
        and priced.pool_id = pools.pool_id
),

stays as (
    select
        served.line_id,
        greatest(served.whole_start, served.effective_from, paths.valid_from) as stay_start,
        least(served.whole_end, served.effective_to, paths.valid_to) as stay_end
    from served
    inner join accounts.paths as paths
        on served.payer_id = paths.payer_id
        and served.account_id = paths.account_id
    inner join rules.book_cards as book_cards
        on paths.book_id = book_cards.book_id
        and served.card = book_cards.card
    union all
    select
        served.line_id,
        greatest(served.whole_start, served.effective_from, bounds.first_at) as stay_start,
        least(served.whole_end, served.effective_to, bounds.last_at) as stay_end
    from served
    left join bounds
        on served.payer_id = bounds.payer_id
        and served.pool_id = bounds.pool_id
        and served.card = bounds.card
    where served.tier_scope = 'pool'
    union all
    select
        served.line_id,
        greatest(served.whole_start, served.effective_from, paths.valid_from) as stay_start,
        least(served.whole_end, served.effective_to, paths.valid_to) as stay_end
    from served
    inner join accounts.paths as paths on served.payer_id = paths.payer_id
    inner join rules.book_cards as book_cards
        on paths.book_id = book_cards.book_id
        and served.card = book_cards.card
    left join rules.book_contracts as contracts on paths.book_id = contracts.book_id
    where served.tier_scope = 'contract_term'
        and served.pool_id = coalesce(contracts.contract_id, '')
),

counted as (
    select
        served.line_id,
        min(stays.stay_start) as service_start,
        max(stays.stay_end) as service_end,
        sum(
            case served.proration_unit
                when 'day' then
                    local_day(stays.stay_end, served.time_zone)
                    - local_day(stays.stay_start, served.time_zone)
                else
                    epoch_us(stays.stay_end) // 1000000 - epoch_us(stays.stay_start) // 1000000
            end
        ) as part,
        max(
            case served.proration_unit
                when 'day' then
                    local_day(served.whole_end, served.time_zone)
                    - local_day(served.whole_start, served.time_zone)
                else
                    epoch_us(served.whole_end) // 1000000 - epoch_us(served.whole_start) // 1000000
            end
        ) as whole
    from served
    inner join stays
        on served.line_id = stays.line_id
        and stays.stay_start < stays.stay_end
    group by served.line_id
)

select
    served.line_id,
    served.rate_id,
    served.payer_id,
    served.account_id,
    served.currency,
    cast(served.quantity as decimal(38, 12)) as quantity,
    cast(served.opening as decimal(38, 12)) as opening,
    cast(scales.quantity_scale as bigint) as quantity_scale,
    cast(
        case
            when served.proration_unit is null then 1
            else counted.part // gcd(counted.part, cast(counted.whole as hugeint))
        end
        as hugeint
    ) as numerator,
    cast(
        case
            when served.proration_unit is null then 1
            else counted.whole // gcd(counted.part, cast(counted.whole as hugeint))
        end
        as hugeint
    ) as denominator,
    counted.service_start,
    counted.service_end
from served
inner join scales on served.rate_id = scales.rate_id
inner join counted on served.line_id = counted.line_id
