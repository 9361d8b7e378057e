-- Commitments in the units that their charges are in.
-- Grain: owner_id, commitment_id. A missing unit of a quantity has a price: both are in 10^-12, so
-- their product is exact in 10^-24. What went on of a prepaid one was paid at its price: overage
-- begins above both.
with
carried as (
    select payer_id, commitment_id, sum(opening + granted) as size
    from rules.grants
    where is_rollover
    group by payer_id, commitment_id
)

select
    case commitments.measure
        when 'amount' then commitments.payer_id
        when 'quantity' then units_owner(commitments.payer_id)
        else error('rules.commitments: ' || commitments.measure || ' is not amount or quantity')
    end as owner_id,
    commitments.commitment_id,
    case
        when commitments.measure = 'amount'
            then minor_units(
                cast(commitments.committed + coalesce(carried.size, 0) as decimal(38, 12)),
                currencies.exponent
            )
        else without_point(
            cast(commitments.committed + coalesce(carried.size, 0) as decimal(38, 12))
        )
    end as committed,
    case
        when commitments.measure = 'amount'
            then minor_units(commitments.counted_before, currencies.exponent)
        else without_point(commitments.counted_before)
    end as counted_before,
    case when commitments.is_due then 'due' else 'none' end as true_up,
    case
        when commitments.measure = 'amount' then cast(1 as hugeint)
        when commitments.is_due then without_point(commitments.shortfall_price)
        else cast(0 as hugeint)
    end as within_factor,
    case
        when commitments.measure = 'amount' then cast(1 as hugeint)
        else power_of_ten(24 - currencies.exponent)
    end as rounding_divisor,
    'half_away' as rounding_mode
from rules.commitments as commitments
inner join rules.currencies as currencies on commitments.currency = currencies.currency
left join carried
    on commitments.payer_id = carried.payer_id
    and commitments.commitment_id = carried.commitment_id
