-- What each tier that a line entered comes to, before discounts, maximum and minimum.
-- Grain: line_id, tier_no. What needs more decimals than there are is cut.
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
        case when rates.kind in ('flat', 'events') then 1 else discounted.sign end as sign,
        tier_amounts.quantity,
        tier_amounts.flat_fee,
        tier_amounts.amount,
        power_of_ten(rates.amount_scale) * lines.denominator as divisor
    from pricing.tier_amounts as tier_amounts
    inner join pricing.lines as lines on tier_amounts.line_id = lines.line_id
    inner join pricing.discounted as discounted on tier_amounts.line_id = discounted.line_id
    inner join rules.charges as rates
        on lines.rate_id = rates.rate_id
        and lines.quantity_scale = rates.quantity_scale
    inner join rules.charge_tiers as tiers
        on lines.rate_id = tiers.rate_id
        and lines.quantity_scale = tiers.quantity_scale
        and tier_amounts.tier_no = tiers.tier_no
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
        else units_quantity(sign * quantity, tier_scale)
    end as quantity,
    written_price as unit_price,
    exact_units(
        case when flat_fee < 0 then -1 else 1 end
            * share_cut(abs(flat_fee), 1000000000000000000000000, divisor)
    ) as flat_fee,
    exact_units(
        case when amount < 0 then -1 else 1 end
            * sign * share_cut(abs(amount), 1000000000000000000000000, divisor)
    ) as amount
from signed
