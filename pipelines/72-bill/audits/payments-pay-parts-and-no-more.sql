-- Of what wallets paid for an account and product, its parts above zero are paid, each up to its
-- size: all of the payment, or all of the parts where more was paid than charged.
with
paid as (
    select payer_id, account_id, product, sum(amount_minor) as payment
    from billed.payments
    group by payer_id, account_id, product
),

covered as (
    select
        parts.payer_id,
        parts.account_id,
        parts.product,
        sum(greatest(parts.amount_minor, 0)) as charged,
        sum(coalesce(paid_parts.paid, 0)) as paid,
        count(*) filter (
            where paid_parts.paid <= 0 or paid_parts.paid > greatest(parts.amount_minor, 0)
        ) as wrong_count
    from billed.parts as parts
    left join billed.paid_parts as paid_parts
        on parts.payer_id = paid_parts.payer_id
        and parts.charge_no = paid_parts.charge_no
    group by parts.payer_id, parts.account_id, parts.product
)

select covered.payer_id, covered.account_id, covered.product, paid.payment, covered.charged,
    covered.paid
from covered
left join paid
    on covered.payer_id = paid.payer_id
    and covered.account_id = paid.account_id
    and covered.product = paid.product
where covered.paid is distinct from least(coalesce(paid.payment, 0), covered.charged)
    or covered.wrong_count > 0
order by covered.payer_id, covered.account_id, covered.product
