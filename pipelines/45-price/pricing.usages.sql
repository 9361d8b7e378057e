-- The quantity of each line in whole units.
-- Grain: line_id, group_id. One that could come near 38 digits stops here, with its name.
select
    lines.line_id,
    '' as group_id,
    case
        when whole_units(lines.quantity, lines.quantity_scale) > charges.quantity_limit then error(
            'overflow: ' || plain(lines.quantity) || ' of ' || lines.payer_id || ' at rate '
            || lines.rate_id || ' may take more than 38 digits'
        )
        else whole_units(lines.quantity, lines.quantity_scale)
    end as quantity
from pricing.lines as lines
inner join rules.charges as charges
    on lines.rate_id = charges.rate_id
    and lines.quantity_scale = charges.quantity_scale
