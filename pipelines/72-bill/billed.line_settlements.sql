-- What of a line was paid, in minor units: what remains to be paid of it is rounded once, and the
-- settlement is the rest. So a line that was paid in full leaves nothing, however it was rounded.
-- Grain: payer_id, account_id, product, asset, line_key. Assets that paid one line are taken
-- together and share its settlement by what they paid; a payment without a line is rounded by
-- itself.
with
paid as (
    select
        payments.payer_id,
        coalesce(shown.line_account_id, payments.account_id) as account_id,
        payments.product,
        payments.asset,
        payments.line_key,
        cast(sum(payments.amount_exact) as decimal(38, 24)) as amount_exact,
        payments.currency
    from billed.payments as payments
    left join billed.line_accounts as shown
        on payments.payer_id = shown.payer_id
        and payments.account_id = shown.account_id
    group by
        payments.payer_id,
        coalesce(shown.line_account_id, payments.account_id),
        payments.product,
        payments.asset,
        payments.line_key,
        payments.currency
),

-- Terms may have rounded a line to less than what remains of it: then it settles nothing.
settled as (
    select
        paid.*,
        case
            when paid.line_key is null
                then minor_units(
                    money_round(paid.amount_exact, currencies.exponent), currencies.exponent
                )
            else greatest(
                0,
                lines.amount_minor - minor_units(
                    money_round(
                        lines.amount_exact
                        - sum(paid.amount_exact) over (partition by paid.line_key),
                        currencies.exponent
                    ),
                    currencies.exponent
                )
            )
        end as settled,
        greatest(without_point(cast(paid.amount_exact as decimal(38, 12))), 1) as weight
    from paid
    inner join rules.currencies as currencies on paid.currency = currencies.currency
    left join billed.lines as lines on paid.line_key = lines.line_key
),

totalled as (
    select *, cast(sum(weight) over (partition by line_key) as hugeint) as whole
    from settled
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
        settled - sum(minor_part) over (partition by line_key) as minor_left,
        row_number() over (partition by line_key order by rest desc, asset) as rest_no
    from cut
)

select
    payer_id,
    account_id,
    product,
    asset,
    line_key,
    amount_exact,
    cast(
        case
            when line_key is null then settled
            else minor_part + case when rest_no <= minor_left then 1 else 0 end
        end
        as hugeint
    ) as amount_minor,
    currency
from ranked
