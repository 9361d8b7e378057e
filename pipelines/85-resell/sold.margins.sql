-- What each seller of a channel buys, uses itself, sells, and keeps.
-- Grain: seller_id, product, currency. Exact amounts, before lines are rounded.
with
sellers as (
    select seller_id
    from accounts.channels
    group by seller_id
),

resold as (
    select seller_id, account_id
    from sold.charges
    group by seller_id, account_id
),

paid as (
    select payer_id, account_id, product, currency, amount
    from rolled.charges
    union all
    select buyer_id as payer_id, account_id, product, currency, amount
    from sold.charges
),

parts as (
    select
        sellers.seller_id,
        paid.product,
        paid.currency,
        paid.amount as bought,
        case when resold.account_id is null then paid.amount else 0 end as own_use,
        0 as sold
    from paid
    inner join sellers on paid.payer_id = sellers.seller_id
    left join resold
        on paid.payer_id = resold.seller_id
        and paid.account_id = resold.account_id
    union all
    select seller_id, product, currency, 0 as bought, 0 as own_use, amount as sold
    from sold.charges
),

summed as (
    select
        seller_id,
        product,
        currency,
        cast(sum(bought) as decimal(38, 24)) as bought,
        cast(sum(own_use) as decimal(38, 24)) as own_use,
        cast(sum(sold) as decimal(38, 24)) as sold
    from parts
    group by seller_id, product, currency
)

select
    seller_id,
    product,
    currency,
    bought,
    own_use,
    sold,
    case
        when count(*) over (partition by seller_id, product) = 1
            then cast(sold - (bought - own_use) as decimal(38, 24))
    end as margin
from summed
