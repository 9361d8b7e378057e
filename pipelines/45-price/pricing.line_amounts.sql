-- What each line comes to, in money.
-- Grain: line_id. A share of a period may have no last decimal: it is cut at the 24th. What counts
-- over a contract's term comes to its total less what that was before, each cut and rounded by
-- itself: so the periods of a term add up to the whole.
with
divided as (
    select
        lines.line_id,
        lines.payer_id,
        lines.currency,
        case when amounts.group_id = 'before' then -1 else 1 end as side,
        case when amounts.exact < 0 then -1 else 1 end * share_cut(
            abs(amounts.exact),
            1000000000000000000000000,
            charges.rounding_divisor * power_of_ten(rates.decimals)
        ) as units,
        amounts.rounded as rounded_units,
        rates.decimals
    from pricing.lines as lines
    inner join pricing.charges as charges on lines.line_id = charges.line_id
    inner join pricing.amounts as amounts on lines.line_id = amounts.line_id
    inner join rules.charges as rates
        on lines.rate_id = rates.rate_id
        and lines.quantity_scale = rates.quantity_scale
),

summed as (
    select
        line_id,
        payer_id,
        currency,
        decimals,
        cast(sum(side * units) as hugeint) as units,
        cast(sum(side * rounded_units) as hugeint) as rounded_units
    from divided
    group by line_id, payer_id, currency, decimals
)

select
    line_id,
    payer_id,
    currency,
    exact_units(units) as amount,
    units,
    rounded_units,
    decimals
from summed
