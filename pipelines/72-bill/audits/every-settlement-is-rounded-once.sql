-- A settlement is within half a minor unit of what wallets paid, and is spread whole over those who
-- paid it.
with
spread as (
    select
        payments.payer_id,
        coalesce(shown.line_account_id, payments.account_id) as account_id,
        payments.product,
        payments.asset,
        sum(payments.amount_minor) as amount_minor
    from billed.payments as payments
    left join billed.line_accounts as shown
        on payments.payer_id = shown.payer_id
        and payments.account_id = shown.account_id
    group by all
)

select
    settlements.payer_id,
    settlements.account_id,
    settlements.product,
    settlements.asset,
    settlements.amount_exact,
    settlements.amount_minor,
    spread.amount_minor as spread_minor
from billed.settlements as settlements
inner join rules.currencies as currencies on settlements.currency = currencies.currency
left join spread
    on settlements.payer_id = spread.payer_id
    and settlements.account_id = spread.account_id
    and settlements.product = spread.product
    and settlements.asset = spread.asset
where abs(
        without_point(settlements.amount_exact)
        - settlements.amount_minor * power_of_ten(24 - currencies.exponent)
    ) * 2 > power_of_ten(24 - currencies.exponent)
    or coalesce(spread.amount_minor, 0) is distinct from greatest(settlements.amount_minor, 0)
order by settlements.payer_id, settlements.account_id, settlements.product, settlements.asset
