-- What wallets say that they charged for disputes: their own prices, where the log has them.
-- Grain: break_id. Only entries that state one are looked at: a log without costs nothing.
with
wanted as (
    select
        disputes.break_id,
        disputes.account_id,
        disputes.asset,
        disputes.actual,
        unnest(string_split(outcomes.entry_ids, ' ')) as listed_id
    from recon.disputes as disputes
    inner join recon.outcomes as outcomes
        on disputes.break_key = outcomes.break_key
        and disputes.code = outcomes.code
        and disputes.account_id = outcomes.usage_account_id
        and disputes.asset = outcomes.usage_asset
    where disputes.is_money and outcomes.fate = 'break'
),

-- Each branch asks one column whether it is there: blocks without it are passed over.
stating as (
    select entry_id, entry_type, account_id, asset, amount, quantity, unit_price, price_version
    from mediated.debit_entries
    where unit_price is not null
    union all
    select entry_id, entry_type, account_id, asset, amount, quantity, unit_price, price_version
    from mediated.debit_entries
    where price_version is not null and unit_price is null
),

taken as (
    select
        wanted.break_id,
        wanted.actual,
        stating.amount,
        stating.unit_price,
        stating.price_version,
        -- One wild number must not stop a night: what no amount can hold is not known.
        try(stating.quantity * stating.unit_price) as worth
    from wanted
    inner join stating
        on wanted.listed_id = listed_id(stating.entry_id)
        and wanted.account_id = stating.account_id
        and wanted.asset = stating.asset
    where stating.entry_type = 'capture'
),

found as (
    select
        break_id,
        -- Of several debits all must say what they cost, or nothing is known of their sum.
        case
            when count(*) = count(*) filter (where worth < 1000000000) and sum(amount) = actual
                then sum(worth) filter (where worth < 1000000000)
        end as worth,
        string_agg(distinct plain(unit_price), ', ' order by plain(unit_price)) as unit_prices,
        string_agg(distinct price_version, ', ' order by price_version) as price_versions
    from taken
    group by break_id, actual
)

select
    break_id,
    cast(worth as decimal(38, 24)) as worth,
    unit_prices,
    price_versions
from (
    select * from found
    union all by name
    select * from carried.stated_prices
)
-- A day that is not looked at again is found again all the same.
group by all
