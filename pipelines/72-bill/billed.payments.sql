-- What wallets paid, spread exactly over the parts of lines that it was paid for.
-- Grain: payer_id, account_id, product, asset, charge_no. By amounts at list price, at which
-- wallets are debited, or by size where nothing has one; decimals that are left go to the largest
-- remainders. What paid for nothing above zero, or was given back, has no line and stays by itself.
with
paid as (
    select
        payer_id,
        account_id,
        product,
        asset,
        currency,
        sum(amount) as amount,
        amount_units(sum(amount)) as units
    from recon.wallet_payments
    group by payer_id, account_id, product, asset, currency
),

listed as (
    select
        parts.payer_id,
        parts.account_id,
        parts.product,
        parts.charge_no,
        parts.line_key,
        greatest(parts.amount_minor, 0) as size,
        greatest(
            without_point(cast(parts.quantity * lines.unit_price as decimal(38, 12))), 0
        ) as listed
    from billed.parts as parts
    inner join billed.lines as lines on parts.line_key = lines.line_key
),

weighed as (
    select
        *,
        case
            when sum(listed) over (partition by payer_id, account_id, product) > 0 then listed
            else size
        end as weight
    from listed
),

totalled as (
    select
        *,
        cast(sum(weight) over (partition by payer_id, account_id, product) as hugeint) as whole
    from weighed
    where weight > 0
),

cut as (
    select
        paid.*,
        totalled.charge_no,
        totalled.line_key,
        share_cut(paid.units, totalled.weight, totalled.whole) as part,
        share_rest(paid.units, totalled.weight, totalled.whole) as rest
    from paid
    left join totalled
        on paid.payer_id = totalled.payer_id
        and paid.account_id = totalled.account_id
        and paid.product = totalled.product
        and paid.amount > 0
),

ranked as (
    select
        *,
        units - sum(part) over together as units_left,
        row_number() over (together order by rest desc, charge_no) as rest_no
    from cut
    window together as (partition by payer_id, account_id, product, asset, currency)
)

select
    payer_id,
    account_id,
    product,
    asset,
    charge_no,
    line_key,
    exact_units(
        case
            when line_key is null then units
            else part + case when rest_no <= units_left then 1 else 0 end
        end
    ) as amount_exact,
    currency
from ranked
where line_key is null or part > 0 or rest_no <= units_left
