-- A line settles what was paid of it, but for its own rounding and half a minor unit; one of which
-- less than half a minor unit is left nets to zero. A payment without a line is rounded by itself.
with
settled as (
    select
        line_key,
        case when line_key is null then payer_id end as payer_id,
        case when line_key is null then account_id end as account_id,
        case when line_key is null then product end as product,
        case when line_key is null then asset end as asset,
        currency,
        sum(amount_exact) as paid_exact,
        sum(amount_minor) as settled_minor
    from billed.line_settlements
    group by all
),

compared as (
    select
        settled.*,
        lines.amount_exact,
        lines.amount_minor,
        power_of_ten(24 - currencies.exponent) as minor_unit,
        amount_units(settled.paid_exact) as paid_units,
        amount_units(lines.amount_exact) as line_units
    from settled
    inner join rules.currencies as currencies on settled.currency = currencies.currency
    left join billed.lines as lines on settled.line_key = lines.line_key
)

select line_key, payer_id, account_id, product, asset, amount_exact, amount_minor, paid_exact,
    settled_minor
from compared
where abs(settled_minor * minor_unit - paid_units) * 2
    > minor_unit + coalesce(abs(amount_minor * minor_unit - line_units), 0) * 2
    or (abs(line_units - paid_units) * 2 < minor_unit and settled_minor <> amount_minor)
order by line_key, payer_id, account_id, product, asset
