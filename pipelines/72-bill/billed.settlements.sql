-- What wallets paid of the usage of a period, as the lines that take it off will say it.
-- Grain: payer_id, account_id, product, asset. Rounded once, half away from zero.
with
paid as (
    select
        payments.payer_id,
        coalesce(shown.line_account_id, payments.account_id) as account_id,
        payments.product,
        payments.asset,
        sum(payments.asset_amount) as asset_amount,
        case when min(payments.rate) = max(payments.rate) then max(payments.rate) end as rate,
        sum(payments.amount) as amount_exact,
        payments.currency
    from recon.wallet_payments as payments
    left join billed.line_accounts as shown
        on payments.payer_id = shown.payer_id
        and payments.account_id = shown.account_id
    group by
        payments.payer_id,
        coalesce(shown.line_account_id, payments.account_id),
        payments.product,
        payments.asset,
        payments.currency
)

select
    paid.payer_id,
    paid.account_id,
    paid.product,
    paid.asset,
    cast(paid.asset_amount as decimal(38, 24)) as asset_amount,
    paid.rate,
    cast(paid.amount_exact as decimal(38, 24)) as amount_exact,
    minor_units(money_round(paid.amount_exact, currencies.exponent), currencies.exponent)
        as amount_minor,
    paid.currency
from paid
inner join rules.currencies as currencies on paid.currency = currencies.currency
