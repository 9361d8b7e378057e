-- What prepaid wallets paid of the usage of the period, by product: it is not invoiced again.
-- Grain: payer_id, account_id, product, asset, rate_from. Units settle at the rate that their asset
-- had when they were debited. What was paid for several products together is shared among them by
-- what the account used of each at list price, cut to the last decimal; decimals that are left go
-- to the largest remainders, equals in the order of products.
with
paid as (
    select
        usage_payer_id as payer_id,
        usage_account_id as account_id,
        usage_asset as asset,
        currency,
        rate_at,
        list_sort(list_distinct(string_split(products, chr(31)))) as products,
        cast(sum(paid) as decimal(38, 24)) as amount
    from recon.outcomes
    where paid > 0
    group by all
),

-- Units have twelve decimals, so that they times a rate are exact; money has all of them.
settled as (
    select
        paid.payer_id,
        paid.account_id,
        paid.asset,
        paid.products,
        rates.rate_from,
        rates.rate,
        rates.currency,
        power_of_ten(case when assets.kind = 'unit' then 12 else 0 end) as step,
        sum(amount_units(paid.amount)) as units
    from paid
    inner join rules.assets as assets on paid.asset = assets.asset
    inner join rules.asset_rates as rates
        on paid.asset = rates.asset
        and paid.currency = rates.currency
        and (rates.is_first or rates.rate_from <= coalesce(paid.rate_at, rates.rate_from))
        and (rates.rate_to is null or rates.rate_to > coalesce(paid.rate_at, rates.rate_from))
    group by all
),

used as (
    select
        payer_id,
        account_id,
        wallet_asset as asset,
        product,
        whole_units(cast(sum(amount) as decimal(38, 12)), 12) as weight
    from rated.usage
    group by payer_id, account_id, wallet_asset, product
),

named as (
    select *, unnest(products) as product
    from settled
),

weighed as (
    select
        named.*,
        cast(named.units as hugeint) // named.step as whole_units,
        coalesce(used.weight, 0) as weight,
        cast(sum(coalesce(used.weight, 0)) over together as hugeint) as whole
    from named
    left join used
        on named.payer_id = used.payer_id
        and named.account_id = used.account_id
        and named.asset = used.asset
        and named.product = used.product
    window together as (
        partition by named.payer_id, named.account_id, named.asset, named.products, named.rate_from
    )
),

cut as (
    select
        *,
        case when whole = 0 then 0 else share_cut(whole_units, weight, whole) end as part,
        case when whole = 0 then 0 else share_rest(whole_units, weight, whole) end as rest
    from weighed
),

ranked as (
    select
        *,
        whole_units - sum(part) over together as units_left,
        row_number() over (together order by rest desc, product) as rest_no
    from cut
    window together as (partition by payer_id, account_id, asset, products, rate_from)
),

-- Where nothing of them has a price, the first has it all.
shared as (
    select
        *,
        part + case
            when whole = 0 and rest_no = 1 then units_left
            when whole > 0 and rest_no <= units_left then 1
            else 0
        end as own_units
    from ranked
),

summed as (
    select
        payer_id,
        account_id,
        product,
        asset,
        rate_from,
        rate,
        currency,
        step,
        exact_units(sum(own_units) * step) as asset_amount
    from shared
    group by payer_id, account_id, product, asset, rate_from, rate, currency, step
)

select
    payer_id,
    account_id,
    product,
    asset,
    rate_from,
    asset_amount,
    rate,
    case
        when step = 1 then asset_amount
        else cast(asset_amount as decimal(38, 12)) * rate
    end as amount,
    currency
from summed
where asset_amount <> 0
