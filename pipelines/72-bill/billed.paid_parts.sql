-- What of each part of a line was paid from a wallet: payments of an account and product, spread
-- over the parts of them that are above zero, by their size.
-- Grain: payer_id, charge_no. Where more was paid than charged all parts are paid, and no more: the
-- rest is in the settlement alone. A share cut at a whole unit leaves each part room for one more.
with
paid as (
    select payer_id, account_id, product, sum(amount_minor) as amount_minor
    from billed.payments
    group by payer_id, account_id, product
),

totalled as (
    select
        parts.payer_id,
        parts.charge_no,
        parts.account_id,
        parts.product,
        parts.amount_minor as size,
        paid.amount_minor as paid_minor,
        cast(
            sum(parts.amount_minor) over (
                partition by parts.payer_id, parts.account_id, parts.product
            )
            as hugeint
        ) as whole
    from billed.parts as parts
    inner join paid
        on parts.payer_id = paid.payer_id
        and parts.account_id = paid.account_id
        and parts.product = paid.product
    where parts.amount_minor > 0
),

cut as (
    select
        *,
        least(paid_minor, whole) as spread,
        share_cut(least(paid_minor, whole), size, whole) as minor_part,
        share_rest(least(paid_minor, whole), size, whole) as rest
    from totalled
),

ranked as (
    select
        *,
        spread - sum(minor_part) over (partition by payer_id, account_id, product) as minor_left,
        row_number() over (
            partition by payer_id, account_id, product
            order by rest desc, charge_no
        ) as rest_no
    from cut
)

select
    payer_id,
    charge_no,
    cast(minor_part + case when rest_no <= minor_left then 1 else 0 end as hugeint) as paid
from ranked
where minor_part > 0 or rest_no <= minor_left
