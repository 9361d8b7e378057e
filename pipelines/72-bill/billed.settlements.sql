-- What wallets paid of the usage of a period, as the lines that take it off will say it.
-- Grain: payer_id, account_id, product, asset. In minor units it is what its lines say.
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
),

settled as (
    select payer_id, account_id, product, asset, currency, sum(amount_minor) as amount_minor
    from billed.line_settlements
    group by payer_id, account_id, product, asset, currency
)

select
    paid.payer_id,
    paid.account_id,
    paid.product,
    paid.asset,
    cast(paid.asset_amount as decimal(38, 24)) as asset_amount,
    paid.rate,
    cast(paid.amount_exact as decimal(38, 24)) as amount_exact,
    cast(settled.amount_minor as hugeint) as amount_minor,
    paid.currency
from paid
inner join settled
    on paid.payer_id = settled.payer_id
    and paid.account_id = settled.account_id
    and paid.product = settled.product
    and paid.asset = settled.asset
    and paid.currency = settled.currency
