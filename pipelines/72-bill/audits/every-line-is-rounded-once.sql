-- I13: what terms priced together is rounded once: its parts add up to within half a minor unit of
-- their exact amounts, and each is within one of its own. Any other line is rounded by itself.
-- Over a contract's term two totals are rounded, before and now: there it is twice that.
with
units as (
    select
        currency,
        case exponent
            when 0 then 1 when 1 then 0.1 when 2 then 0.01 when 3 then 0.001 else 0.0001
        end as minor_unit
    from rules.currencies
),

priced as (
    select
        charges.line_id as rounded_as,
        units.minor_unit
            * case when rates.terms ->> 'tier_scope' = 'contract_term' then 2 else 1 end
            as minor_unit,
        sum(charges.amount) as amount_exact,
        sum(charges.rounded) as amount,
        max(abs(charges.amount - charges.rounded)) as widest
    from rolled.charges as charges
    inner join units on charges.currency = units.currency
    inner join rules.rates as rates on charges.rate_id = rates.rate_id
    where charges.line_id is not null
    group by charges.line_id, units.minor_unit, rates.terms
),

alone as (
    select
        lines.line_key as rounded_as,
        units.minor_unit,
        lines.amount_exact,
        lines.amount,
        abs(lines.amount_exact - lines.amount) as widest
    from billed.lines as lines
    inner join rules.rates as rates
        on lines.rate_id = rates.rate_id
        and rates.terms is null
    inner join units on lines.currency = units.currency
),

billed as (
    select lines.rate_id as rounded_as, sum(lines.amount) as amount
    from billed.lines as lines
    inner join rules.rates as rates
        on lines.rate_id = rates.rate_id
        and rates.terms is not null
    group by lines.rate_id
),

rounded as (
    select rate_id as rounded_as, sum(rounded) as amount
    from rolled.charges
    where line_id is not null
    group by rate_id
)

select rounded_as, amount_exact, amount
from (select * from priced union all select * from alone)
where abs(amount_exact - amount) * 2 > minor_unit or widest >= minor_unit
union all
select coalesce(billed.rounded_as, rounded.rounded_as), rounded.amount, billed.amount
from billed
full outer join rounded on billed.rounded_as = rounded.rounded_as
where billed.amount is distinct from rounded.amount
order by rounded_as
