-- The quantity of each line in whole units; over a contract's term also what was used before.
-- Grain: line_id, group_id. One that could come near 38 digits stops here, with its name.
with
totals as (
    select
        line_id,
        payer_id,
        rate_id,
        quantity_scale,
        '' as group_id,
        quantity + coalesce(opening, 0) as quantity
    from pricing.lines
    union all
    select
        line_id,
        payer_id,
        rate_id,
        quantity_scale,
        'before' as group_id,
        opening as quantity
    from pricing.lines
    where opening is not null
)

select
    totals.line_id,
    totals.group_id,
    case
        when whole_units(totals.quantity, totals.quantity_scale) > charges.quantity_limit
            then error(
            'overflow: ' || plain(totals.quantity) || ' of ' || totals.payer_id || ' at rate '
            || totals.rate_id || ' may take more than 38 digits'
        )
        else whole_units(totals.quantity, totals.quantity_scale)
    end as quantity
from totals
inner join rules.charges as charges
    on totals.rate_id = charges.rate_id
    and totals.quantity_scale = charges.quantity_scale
