-- Each settlement spread over the accounts whose wallets paid it, by what they paid.
-- Grain: payer_id, account_id, product, asset. Minor units that are left go to the largest
-- remainders; equals in the order of their accounts. What was given back pays for nothing.
with
paid as (
    select
        payments.payer_id,
        payments.account_id,
        coalesce(shown.line_account_id, payments.account_id) as line_account_id,
        payments.product,
        payments.asset,
        greatest(without_point(cast(sum(payments.amount) as decimal(38, 12))), 0) as weight
    from recon.wallet_payments as payments
    left join billed.line_accounts as shown
        on payments.payer_id = shown.payer_id
        and payments.account_id = shown.account_id
    group by
        payments.payer_id,
        payments.account_id,
        coalesce(shown.line_account_id, payments.account_id),
        payments.product,
        payments.asset
),

totalled as (
    select
        paid.*,
        settlements.amount_minor as settled,
        cast(
            sum(paid.weight) over (
                partition by paid.payer_id, paid.line_account_id, paid.product, paid.asset
            )
            as hugeint
        ) as whole
    from paid
    inner join billed.settlements as settlements
        on paid.payer_id = settlements.payer_id
        and paid.line_account_id = settlements.account_id
        and paid.product = settlements.product
        and paid.asset = settlements.asset
        and settlements.amount_minor > 0
),

cut as (
    select
        *,
        share_cut(settled, weight, whole) as minor_part,
        share_rest(settled, weight, whole) as rest
    from totalled
),

ranked as (
    select
        *,
        settled - sum(minor_part) over of_settlement as minor_left,
        row_number() over (
            partition by payer_id, line_account_id, product, asset
            order by rest desc, account_id
        ) as rest_no
    from cut
    window of_settlement as (partition by payer_id, line_account_id, product, asset)
)

select
    payer_id,
    account_id,
    product,
    asset,
    cast(minor_part + case when rest_no <= minor_left then 1 else 0 end as hugeint)
        as amount_minor
from ranked
