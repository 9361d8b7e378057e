-- The tiers of each line, prorated.
-- Grain: line_id, tier_no. Prices of usage are for the usage there was; fees are for a share.
select
    lines.line_id,
    tiers.tier_no,
    tiers.from_quantity,
    tiers.to_quantity,
    tiers.unit_price * lines.denominator as unit_price,
    tiers.flat_fee * lines.numerator as flat_fee,
    tiers.package_size,
    tiers.package_price * lines.denominator as package_price
from pricing.lines as lines
inner join rules.charge_tiers as tiers
    on lines.rate_id = tiers.rate_id
    and lines.quantity_scale = tiers.quantity_scale
