-- What the charge model gives, after discounts, each on what the one before it left.
-- Grain: line_id, group_id. A line without a tier entered comes to zero.
with recursive
modelled as (
    select
        usages.line_id,
        usages.group_id,
        coalesce(max(quantities.sign), 1) as quantity_sign,
        coalesce(sum(tier_amounts.amount), 0) as amount
    from pricing.usages as usages
    left join pricing.quantities as quantities
        on usages.line_id = quantities.line_id
        and usages.group_id = quantities.group_id
    left join pricing.tier_amounts as tier_amounts
        on usages.line_id = tier_amounts.line_id
        and usages.group_id = tier_amounts.group_id
    group by usages.line_id, usages.group_id
),

-- Events carry their own signs; a fee of the period has none; the rest follows its quantity.
signed as (
    select
        modelled.line_id,
        modelled.group_id,
        case
            when charges.kind = 'events' then case when modelled.amount < 0 then -1 else 1 end
            when charges.kind = 'flat' then 1
            else modelled.quantity_sign
        end as sign,
        abs(modelled.amount) as amount
    from modelled
    inner join pricing.charges as charges on modelled.line_id = charges.line_id
),

steps as (
    select line_id, group_id, sign, cast(0 as bigint) as position, cast(amount as hugeint) as amount
    from signed
    union all
    select
        steps.line_id,
        steps.group_id,
        steps.sign,
        discounts.position,
        cast(greatest(steps.amount * discounts.factor - discounts.subtrahend, 0) as hugeint)
            as amount
    from steps
    inner join pricing.discounts as discounts
        on steps.line_id = discounts.line_id
        and steps.position + 1 = discounts.position
)

select
    line_id,
    group_id,
    cast(max(sign) as hugeint) as sign,
    cast(arg_max(amount, position) as hugeint) as amount
from steps
group by line_id, group_id
