-- What each tier that a line entered comes to, before discounts, maximum and minimum.
-- Grain: line_id, tier_no. What needs more decimals than there are is cut. Over a contract's term
-- a tier has what this period put in it, or took out of it where all of it has a new price.
with
signed as (
    select
        tier_amounts.line_id,
        tier_amounts.tier_no,
        lines.payer_id,
        lines.account_id,
        lines.rate_id,
        tiers.from_quantity,
        tiers.to_quantity,
        tiers.written_price,
        rates.tier_scale,
        rates.kind,
        case when tier_amounts.group_id = 'before' then -1 else 1 end as side,
        case when rates.kind in ('flat', 'events') then 1 else discounted.sign end as sign,
        tier_amounts.quantity,
        tier_amounts.flat_fee,
        tier_amounts.amount,
        power_of_ten(rates.amount_scale) * lines.denominator as divisor
    from pricing.tier_amounts as tier_amounts
    inner join pricing.lines as lines on tier_amounts.line_id = lines.line_id
    inner join pricing.discounted as discounted
        on tier_amounts.line_id = discounted.line_id
        and tier_amounts.group_id = discounted.group_id
    inner join rules.charges as rates
        on lines.rate_id = rates.rate_id
        and lines.quantity_scale = rates.quantity_scale
    inner join rules.charge_tiers as tiers
        on lines.rate_id = tiers.rate_id
        and lines.quantity_scale = tiers.quantity_scale
        and tier_amounts.tier_no = tiers.tier_no
),

netted as (
    select
        line_id,
        tier_no,
        payer_id,
        account_id,
        rate_id,
        from_quantity,
        to_quantity,
        written_price,
        tier_scale,
        kind,
        divisor,
        sum(side * case when kind = 'flat' then 1 else sign end * quantity) as quantity,
        sum(side * flat_fee) as flat_fee,
        sum(side * sign * amount) as amount
    from signed
    group by all
    -- What was in a tier before and stays there is no part of this period.
    having count(*) = 1
        or sum(side * sign * quantity) <> 0
        or sum(side * sign * amount) <> 0
)

select
    line_id,
    tier_no,
    payer_id,
    account_id,
    rate_id,
    units_quantity(from_quantity, tier_scale) as from_quantity,
    units_quantity(to_quantity, tier_scale) as to_quantity,
    case
        when kind = 'flat' then cast(quantity as decimal(38, 12))
        else units_quantity(cast(quantity as hugeint), tier_scale)
    end as quantity,
    written_price as unit_price,
    exact_units(
        case when flat_fee < 0 then -1 else 1 end
            * share_cut(abs(flat_fee), 1000000000000000000000000, divisor)
    ) as flat_fee,
    exact_units(
        case when amount < 0 then -1 else 1 end
            * share_cut(abs(amount), 1000000000000000000000000, divisor)
    ) as amount
from netted
