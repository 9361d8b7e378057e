-- I7: the slices of graduated tiers are a partition of the quantity that reached the model.
select
    quantities.line_id,
    quantities.group_id,
    quantities.quantity,
    coalesce(sum(tier_amounts.quantity), 0) as sliced
from pricing.quantities as quantities
inner join pricing.charges as charges
    on quantities.line_id = charges.line_id
    and charges.kind in ('slices', 'whole')
left join pricing.tier_amounts as tier_amounts
    on quantities.line_id = tier_amounts.line_id
    and quantities.group_id = tier_amounts.group_id
group by quantities.line_id, quantities.group_id, quantities.quantity
having quantities.quantity is distinct from coalesce(sum(tier_amounts.quantity), 0)
order by quantities.line_id, quantities.group_id
