-- The discounts of each line.
-- Grain: line_id, position.
select
    lines.line_id,
    discounts.position,
    discounts.factor,
    discounts.subtrahend * lines.denominator as subtrahend
from pricing.lines as lines
inner join rules.charge_discounts as discounts
    on lines.rate_id = discounts.rate_id
    and lines.quantity_scale = discounts.quantity_scale
