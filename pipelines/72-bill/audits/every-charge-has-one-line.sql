-- I16: no charge is lost on its way to a line, none is in two.
with
shown as (
    select
        charges.payer_id,
        coalesce(shown.line_account_id, charges.account_id) as account_id,
        charges.pool_id,
        charges.product,
        charges.meter,
        charges.attributes,
        charges.rate_id
    from rolled.charges as charges
    left join billed.line_accounts as shown
        on charges.payer_id = shown.payer_id
        and charges.account_id = shown.account_id
    group by all
),

counted as (
    select
        (select count(*) from shown) as charge_count,
        (select count(*) from billed.lines) as line_count
)

select charge_count, line_count
from counted
where charge_count is distinct from line_count
