-- Prepaid units are drawn by usage of their meter, accounts and products, within their time; of a
-- part they pay no more than no wallet paid, and all of that where they cover all of it. No balance
-- gives more than it has.
with
scopes as (
    select payer_id, holder_id, list(product) as products
    from rules.holder_products
    group by payer_id, holder_id
),

drawn as (
    select
        draws.payer_id,
        draws.charge_no,
        draws.grant_id,
        draws.amount_minor,
        sum(draws.drawn) over (of_part) as units,
        sum(draws.amount_minor) over (of_part) as paid_minor,
        sum(draws.drawn) over (partition by draws.payer_id, draws.grant_id) as given
    from billed.unit_draws as draws
    window of_part as (partition by draws.payer_id, draws.charge_no)
),

compared as (
    select
        drawn.*,
        greatest(parts.amount_minor - coalesce(paid_parts.paid, 0), 0) as unpaid,
        coalesce(
            holders.account_id is not null
            and parts.line_type = 'usage'
            and parts.meter = grants.meter
            and parts.span_start >= grants.starts_at
            and parts.span_end <= grants.expires_at
            and coalesce(list_contains(scopes.products, parts.product), true),
            false
        ) as is_in_reach,
        without_point(parts.quantity) as quantity,
        without_point(cast(grants.opening + grants.granted as decimal(38, 12))) as available
    from drawn
    left join billed.parts as parts
        on drawn.payer_id = parts.payer_id
        and drawn.charge_no = parts.charge_no
    left join billed.paid_parts as paid_parts
        on drawn.payer_id = paid_parts.payer_id
        and drawn.charge_no = paid_parts.charge_no
    left join rules.grants as grants
        on drawn.payer_id = grants.payer_id
        and drawn.grant_id = grants.grant_id
    left join rules.holder_accounts as holders
        on drawn.payer_id = holders.payer_id
        and drawn.grant_id = holders.holder_id
        and parts.account_id = holders.account_id
    left join scopes
        on drawn.payer_id = scopes.payer_id
        and drawn.grant_id = scopes.holder_id
)

select payer_id, charge_no, grant_id, units, paid_minor, unpaid, given, available
from compared
where not is_in_reach
    or amount_minor < 0
    or paid_minor > unpaid
    or (units = quantity and paid_minor <> unpaid)
    or units > quantity
    or given > available
order by payer_id, charge_no, grant_id
