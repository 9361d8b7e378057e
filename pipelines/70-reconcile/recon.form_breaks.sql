-- Breaks of form: what someone has to look at although it moves no tie-out.
-- Grain: break_id. One per wallet, asset or event, however many entries show it. Where it has no
-- worth, what shows it is part of the id: a decision does not cover what comes to light later.
with
-- Which objects the copies stand in is said beside: how inputs are cut into objects is no result.
copies as (
    select
        source,
        record_id,
        cast(content ->> 'account_id' as varchar) as account_id,
        cast(content ->> 'event_at' as timestamp) as event_at,
        count(*) over same_event as copy_count,
        row_number() over (same_event order by object_no, line_no) as copy_no
    from mediated.usage_repeats
    where kind = 'conflict'
    window same_event as (partition by source, record_id)
),

conflicts as (
    select
        'DUP_METER_CONFLICT' as code,
        [copies.source, copies.record_id, copies.copy_count::varchar] as keys,
        copies.record_id as break_key,
        paths.payer_id,
        copies.account_id,
        paths.wallet_asset as asset,
        cast(0 as decimal(38, 24)) as money_amount,
        paths.currency,
        copies.record_id as event_id,
        copies.event_at as first_at,
        copies.copy_count || ' other copy(s) of source ' || copies.source
            || ' say something else: repeats.csv has them, and the places of all' as detail
    from copies
    inner join accounts.paths as paths
        on copies.account_id = paths.account_id
        and copies.event_at >= paths.valid_from
        and copies.event_at < paths.valid_to
    where copies.event_at >= paths.period_start and copies.event_at < paths.period_end
        and copies.copy_no = 1
),

payers as (
    select account_id, arg_max(payer_id, valid_from) as payer_id,
        arg_max(currency, valid_from) as currency, max(period_start) as period_start
    from accounts.paths
    group by account_id
),

discontinuities as (
    select
        'BALANCE_DISCONTINUITY' as code,
        [
            found.input, found.account_id, found.asset, coalesce(found.wallet_id, ''),
            found.place_count::varchar, found.entry_count::varchar, found.first_place,
            coalesce(plain(balances.unexplained), '')
        ] as keys,
        coalesce(found.wallet_id, found.account_id || '|' || found.asset) as break_key,
        payers.payer_id,
        found.account_id,
        found.asset,
        -- What the entries between were worth nobody knows: it is not zero, and it holds the payer.
        cast(null as decimal(38, 24)) as money_amount,
        cast(null as varchar) as currency,
        cast(null as varchar) as event_id,
        coalesce(found.first_at, payers.period_start, parameters.period_start) as first_at,
        found.place_count || ' balance(s) that do not follow from the one before'
            || found.first_place
            || case when found.entry_count > 0
                then '; ' || found.entry_count || ' entry(s) that moved another amount'
                else ''
            end
            || coalesce(
                '; the wallet ends ' || plain(-balances.unexplained)
                    || ' from where its entries lead',
                ''
            ) as detail
    from recon.discontinuities as found
    cross join run.parameters as parameters
    left join payers on found.account_id = payers.account_id
    left join recon.wallet_balances as balances
        on found.input = balances.input
        and found.account_id = balances.account_id
        and found.asset = balances.asset
        and found.wallet_id is not distinct from balances.wallet_id
),

overdrawn as (
    select
        odd.input,
        odd.account_id,
        odd.asset,
        odd.wallet_id,
        sum(odd.entry_count) as entry_count,
        cast(min(odd.booked_on) as timestamp) as first_at
    from recon.odd_entries as odd
    where odd.code = 'OVERDRAFT'
    group by odd.input, odd.account_id, odd.asset, odd.wallet_id
),

-- How far below zero the wallet ended; units at what they are worth at the end of the period.
overdrafts as (
    select
        'OVERDRAFT' as code,
        [overdrawn.input, overdrawn.account_id, overdrawn.asset, coalesce(overdrawn.wallet_id, '')]
            as keys,
        coalesce(overdrawn.wallet_id, overdrawn.account_id || '|' || overdrawn.asset) as break_key,
        payers.payer_id,
        overdrawn.account_id,
        overdrawn.asset,
        case
            when assets.kind = 'currency' then greatest(-balances.stated, 0)
            when balances.stated >= 0 then 0
            else cast(-balances.stated as decimal(38, 12)) * rates.rate
        end as money_amount,
        case when assets.kind = 'currency' then overdrawn.asset else payers.currency end
            as currency,
        cast(null as varchar) as event_id,
        overdrawn.first_at,
        overdrawn.entry_count || ' debit(s) left less than nothing; at the end there was '
            || coalesce(plain(balances.stated), 'nobody says how much') as detail
    from overdrawn
    inner join rules.assets as assets on overdrawn.asset = assets.asset
    left join payers on overdrawn.account_id = payers.account_id
    left join recon.wallet_balances as balances
        on overdrawn.input = balances.input
        and overdrawn.account_id = balances.account_id
        and overdrawn.asset = balances.asset
        and overdrawn.wallet_id is not distinct from balances.wallet_id
    left join rules.asset_rates as rates
        on overdrawn.asset = rates.asset
        and payers.currency = rates.currency
        and rates.rate_to is null
),

conversions as (
    select
        odd.code,
        [
            odd.account_id, odd.asset, odd.currency, coalesce(odd.rate_from::varchar, ''),
            case
                when odd.code = 'CONVERSION_MISSING' then sum(odd.entry_count)::varchar
                else ''
            end
        ] as keys,
        odd.account_id || '|' || odd.asset || '|' || odd.currency as break_key,
        arg_max(payers.payer_id, odd.booked_on) as payer_id,
        odd.account_id,
        odd.asset,
        case when odd.code = 'CONVERSION_RATE' then sum(odd.money) end as money_amount,
        odd.currency,
        cast(null as varchar) as event_id,
        cast(min(odd.booked_on) as timestamp) as first_at,
        sum(odd.entry_count) || ' debit(s) of ' || plain(sum(odd.amount)) || ' '
            || case
                when odd.code = 'CONVERSION_RATE'
                    then 'converted to ' || odd.currency || ' at another rate than ours'
                else 'converted to ' || odd.currency || ', for which we have no rate'
            end as detail
    from recon.odd_entries as odd
    left join payers on odd.account_id = payers.account_id
    where odd.code in ('CONVERSION_RATE', 'CONVERSION_MISSING')
    group by odd.code, odd.account_id, odd.asset, odd.currency, odd.rate_from
),

found as (
    select * from conflicts
    union all by name
    select * from discontinuities
    union all by name
    select * from overdrafts
    union all by name
    select * from conversions
)

select
    sha256(to_json(list_prepend(code, keys))::varchar) as break_id,
    code,
    break_key,
    payer_id,
    account_id,
    asset,
    cast(0 as decimal(38, 24)) as amount,
    cast(0 as decimal(38, 24)) as expected,
    cast(0 as decimal(38, 24)) as actual,
    cast(money_amount as decimal(38, 24)) as money_amount,
    currency,
    event_id,
    cast(null as varchar) as authorization_id,
    '' as entry_ids,
    first_at,
    date_diff('day', first_at, parameters.as_of) as age_days,
    detail
from found
cross join run.parameters as parameters
