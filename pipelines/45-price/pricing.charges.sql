-- How the quantity of each line becomes an amount: the charge of its rate, prorated.
-- Grain: line_id. Amounts are in units of 1/denominator, so that a share of a fee is whole.
select
    lines.line_id,
    charges.kind,
    charges.is_clamped,
    charges.conversion_factor,
    charges.conversion_divisor,
    charges.conversion_step,
    charges.conversion_rounding,
    charges.included,
    charges.is_included_whole,
    charges.is_zero_charged,
    charges.free_events,
    charges.free_amount,
    charges.fixed_fee * lines.denominator as fixed_fee,
    charges.event_minimum * lines.denominator as event_minimum,
    charges.event_maximum * lines.denominator as event_maximum,
    charges.maximum * lines.numerator as maximum,
    charges.minimum * lines.numerator as minimum,
    charges.rounding_divisor * lines.denominator as rounding_divisor,
    charges.rounding_mode
from pricing.lines as lines
inner join rules.charges as charges
    on lines.rate_id = charges.rate_id
    and lines.quantity_scale = charges.quantity_scale
