-- What each charge comes to with its overage, exact and rounded once.
-- Grain: owner_id, charge_no.
with
priced as (
    select
        charges.owner_id,
        charges.charge_no,
        charges.asset,
        parts.within * charges.within_factor as at_price,
        parts.above * charges.above_factor as overage,
        charges.rounding_divisor,
        charges.rounding_mode
    from drawing.charges as charges
    inner join drawn.parts as parts
        on charges.owner_id = parts.owner_id
        and charges.charge_no = parts.charge_no
)

select
    owner_id,
    charge_no,
    asset,
    cast(at_price + overage as hugeint) as exact,
    cast(overage as hugeint) as overage,
    cast(
        sign(at_price + overage)
        * divide_rounded(abs(at_price + overage), rounding_divisor, rounding_mode)
        as hugeint
    ) as rounded,
    cast(
        sign(overage) * divide_rounded(abs(overage), rounding_divisor, rounding_mode)
        as hugeint
    ) as rounded_overage
from priced
