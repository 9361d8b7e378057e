-- The quantity that reaches the charge model: its size, converted, less what is included.
-- Grain: line_id, group_id.
with
sized as (
    select
        usages.line_id,
        usages.group_id,
        case when usages.quantity < 0 and not charges.is_clamped then -1 else 1 end as sign,
        case when usages.quantity < 0 and charges.is_clamped then 0 else abs(usages.quantity) end
            as size
    from pricing.usages as usages
    inner join pricing.charges as charges on usages.line_id = charges.line_id
),

converted as (
    select
        sized.line_id,
        sized.group_id,
        sized.sign,
        divide_rounded(
            sized.size * charges.conversion_factor,
            charges.conversion_divisor,
            charges.conversion_rounding
        ) * charges.conversion_step as quantity
    from sized
    inner join pricing.charges as charges on sized.line_id = charges.line_id
)

select
    converted.line_id,
    converted.group_id,
    cast(converted.sign as hugeint) as sign,
    case
        when converted.quantity <= charges.included then 0
        when charges.is_included_whole then converted.quantity
        else converted.quantity - charges.included
    end as quantity
from converted
inner join pricing.charges as charges on converted.line_id = charges.line_id
