-- Entries of the period that are odd in themselves, whatever usage says: counted by wallet and day.
-- Grain: as declared. A debit that left less than nothing; balances that differ by something else
-- than what the entry moved; units that the wallet converted to money at another rate than ours.
with
balances as (
    select 'OVERDRAFT' as code, input, account_id, asset, wallet_id, booked_on,
        cast(0 as decimal(38, 12)) as amount
    from recon.stated_entries
    where is_in_period and closing < 0 and effect < 0
    union all
    select 'BALANCE_DISCONTINUITY' as code, input, account_id, asset, wallet_id, booked_on,
        closing - opening - effect as amount
    from recon.stated_entries
    where is_in_period and closing - opening <> effect
),

-- Only where the wallet says what a debit of units was worth in money can two rates be compared.
converted as (
    select
        entries.input,
        entries.account_id,
        entries.asset,
        entries.wallet_id,
        entries.booked_at,
        entries.booked_on,
        entries.amount,
        entries.money_amount,
        coalesce(entries.money_currency, paths.currency) as currency
    from mediated.debit_entries as entries
    cross join run.parameters as parameters
    inner join rules.assets as assets on entries.asset = assets.asset and assets.kind = 'unit'
    left join accounts.paths as paths
        on entries.account_id = paths.account_id
        and entries.booked_at >= paths.valid_from
        and entries.booked_at < paths.valid_to
    where entries.money_amount is not null
        and entries.entry_type = 'capture'
        and entries.booked_at >= coalesce(paths.period_start, parameters.period_start)
        and entries.booked_at < coalesce(paths.period_end, parameters.period_end)
),

rated as (
    select
        converted.*,
        rates.rate_from,
        converted.amount * rates.rate as worth,
        coalesce(money.tolerance, 0) as tolerance
    from converted
    left join rules.asset_rates as rates
        on converted.asset = rates.asset
        and converted.currency = rates.currency
        and (rates.is_first or rates.rate_from <= converted.booked_at)
        and (rates.rate_to is null or rates.rate_to > converted.booked_at)
    left join rules.assets as money on converted.currency = money.asset
    where converted.currency is not null
),

found as (
    select code, input, account_id, asset, wallet_id, booked_on,
        cast(null as varchar) as currency, cast(null as timestamp) as rate_from,
        count(*) as entry_count, sum(amount) as amount, cast(0 as decimal(38, 24)) as money
    from balances
    group by code, input, account_id, asset, wallet_id, booked_on
    union all by name
    select
        case when worth is null then 'CONVERSION_MISSING' else 'CONVERSION_RATE' end as code,
        input, account_id, asset, wallet_id, booked_on, currency, rate_from,
        count(*) as entry_count,
        sum(amount) as amount,
        coalesce(sum(worth - money_amount), 0) as money
    from rated
    where worth is null or abs(worth - money_amount) > tolerance
    group by worth is null, input, account_id, asset, wallet_id, booked_on, currency, rate_from
    union all by name
    select * from carried.odd_entries
)

select
    code,
    input,
    account_id,
    asset,
    wallet_id,
    booked_on,
    currency,
    rate_from,
    cast(sum(entry_count) as bigint) as entry_count,
    cast(sum(amount) as decimal(38, 24)) as amount,
    cast(sum(money) as decimal(38, 24)) as money
from found
group by code, input, account_id, asset, wallet_id, booked_on, currency, rate_from
