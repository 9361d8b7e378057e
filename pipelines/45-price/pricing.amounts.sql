-- The amount between its maximum and minimum, exact and rounded once.
-- Grain: line_id, group_id. The minimum comes last: it wins.
with
bounded as (
    select
        discounted.line_id,
        discounted.group_id,
        discounted.sign,
        greatest(
            least(discounted.amount, coalesce(charges.maximum, discounted.amount)),
            coalesce(charges.minimum, 0)
        ) as amount,
        charges.rounding_divisor,
        charges.rounding_mode
    from pricing.discounted as discounted
    inner join pricing.charges as charges on discounted.line_id = charges.line_id
)

select
    line_id,
    group_id,
    cast(sign * amount as hugeint) as exact,
    cast(
        sign * divide_rounded(amount, rounding_divisor, rounding_mode)
        as hugeint
    ) as rounded
from bounded
