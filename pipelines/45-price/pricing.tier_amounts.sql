-- What each tier entered comes to.
-- Grain: line_id, group_id, tier_no. A bound belongs to the tier it ends; a quantity enters a tier
-- when it is above its beginning.
with
entered as (
    select
        quantities.line_id,
        quantities.group_id,
        tiers.tier_no,
        charges.kind,
        quantities.quantity,
        tiers.from_quantity,
        tiers.to_quantity,
        tiers.unit_price,
        tiers.flat_fee,
        tiers.package_size,
        tiers.package_price
    from pricing.quantities as quantities
    inner join pricing.charges as charges on quantities.line_id = charges.line_id
    inner join pricing.tiers as tiers on quantities.line_id = tiers.line_id
    where charges.kind in ('slices', 'whole')
        and (
            quantities.quantity > tiers.from_quantity
            or (quantities.quantity = 0 and charges.is_zero_charged and tiers.tier_no = 1)
        )
        and (
            charges.kind = 'slices'
            or tiers.to_quantity is null
            or quantities.quantity <= tiers.to_quantity
        )
),

sliced as (
    select
        *,
        case
            when kind = 'whole' then quantity
            else least(quantity, coalesce(to_quantity, quantity)) - from_quantity
        end as slice
    from entered
),

-- The first step in order that holds every dimension.
steps as (
    select tiers.line_id, min(tiers.tier_no) as tier_no
    from pricing.tiers as tiers
    inner join pricing.charges as charges
        on tiers.line_id = charges.line_id
        and charges.kind = 'steps'
    where not exists (
        select 1
        from pricing.step_bounds as step_bounds
        inner join pricing.dimension_usages as dimension_usages
            on step_bounds.line_id = dimension_usages.line_id
            and step_bounds.dimension = dimension_usages.dimension
        where step_bounds.line_id = tiers.line_id
            and step_bounds.tier_no = tiers.tier_no
            and dimension_usages.quantity > step_bounds.to_quantity
    )
    and (
        charges.is_zero_charged
        or exists (
            select 1
            from pricing.dimension_usages as used
            where used.line_id = tiers.line_id and used.quantity > 0
        )
    )
    group by tiers.line_id
)

select
    line_id,
    group_id,
    tier_no,
    cast(slice as hugeint) as quantity,
    flat_fee,
    cast(
        flat_fee + case
            when package_size is null then slice * unit_price
            else divide_rounded(slice, package_size, 'up') * package_price
        end
        as hugeint
    ) as amount
from sliced

union all

select
    steps.line_id,
    '' as group_id,
    steps.tier_no,
    cast(0 as hugeint) as quantity,
    tiers.flat_fee,
    tiers.flat_fee as amount
from steps
inner join pricing.tiers as tiers
    on steps.line_id = tiers.line_id
    and steps.tier_no = tiers.tier_no

union all

select
    usages.line_id,
    usages.group_id,
    tiers.tier_no,
    cast(1 as hugeint) as quantity,
    tiers.flat_fee,
    tiers.flat_fee as amount
from pricing.usages as usages
inner join pricing.charges as charges
    on usages.line_id = charges.line_id
    and charges.kind = 'flat'
inner join pricing.tiers as tiers on usages.line_id = tiers.line_id

union all

select
    line_id,
    group_id,
    cast(1 as bigint) as tier_no,
    cast(sum(paid) as hugeint) as quantity,
    cast(sum(fixed_fee) as hugeint) as flat_fee,
    cast(sum(fee) as hugeint) as amount
from pricing.event_fees
group by line_id, group_id
