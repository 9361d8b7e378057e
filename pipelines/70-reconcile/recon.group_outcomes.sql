-- Outcome of aggregated debits: all events of an account and day against its entries (R4).
-- Grain: as declared. Where a log carries no event ids, a day is the finest thing that can agree.
with
valued as (
    select
        values_of_event.*,
        logged.account_id is not null or logged_payer.account_id is not null as is_audited,
        assets.is_by_day,
        -- Each branch is cast alone: together they would take the scale of the coarser one.
        case
            when assets.kind = 'unit'
                then cast(coalesce(values_of_event.counted_quantity, 0) as decimal(38, 24))
            else cast(values_of_event.rated_amount as decimal(38, 24))
        end as worth
    from compiled.event_values as values_of_event
    inner join recon.wallet_assets as assets on values_of_event.wallet_asset = assets.asset
    left join recon.logged_accounts as logged on values_of_event.account_id = logged.account_id
    left join recon.logged_accounts as logged_payer
        on values_of_event.payer_id = logged_payer.account_id
    where values_of_event.wallet_shape = 'aggregated'
        -- Says the same by account, so that a log without such wallets costs no scan.
        and values_of_event.account_id in (
            select paths.account_id from accounts.paths as paths
            where paths.wallet_shape = 'aggregated'
        )
),

-- One row per day even where the payer changed within it: a debit of the day is for all of it.
usage as (
    select
        account_id,
        wallet_asset as asset,
        event_on as day,
        arg_max(payer_id, event_at) as payer_id,
        arg_max(currency, event_at) as currency,
        bool_or(is_audited) as is_audited,
        bool_or(is_by_day) as is_by_day,
        bool_or(is_unrated and is_in_period) as is_unrated,
        sum(worth) as worth,
        sum(case when is_in_period then worth else 0 end) as expected,
        case
            when min(currency) = max(currency)
                then cast(sum(rated_amount) filter (where is_in_period) as decimal(38, 24))
        end as money,
        coalesce(
            string_agg(distinct products, chr(31) order by products)
                filter (where is_in_period and products <> ''),
            ''
        ) as products,
        count(*) filter (where is_in_period) as usage_count,
        min(event_at) as first_at
    from valued
    group by account_id, wallet_asset, event_on
),

debits as (
    select
        arg_max(payer_id, booked_at) as payer_id,
        account_id,
        asset,
        cast(coalesce(occurred_at, booked_at) as date) as day,
        sum(debit_amount) as total,
        sum(case when is_in_period then debit_amount else 0 end) as actual,
        count(*) filter (where is_in_period) as entry_count,
        min(booked_at) as first_at,
        string_agg(listed_id(entry_id), ' ' order by booked_at, entry_id, input) as entry_ids
    from recon.entries
    where is_aggregated
    group by account_id, asset, cast(coalesce(occurred_at, booked_at) as date)
),

sides as (
    select
        usage.account_id is not null as is_used,
        debits.account_id is not null as is_debited,
        coalesce(usage.is_audited, true) as is_audited,
        coalesce(usage.is_unrated, false) as is_unrated,
        coalesce(usage.account_id, debits.account_id) || '|' || coalesce(usage.day, debits.day)
            as group_key,
        usage.payer_id as usage_payer_id,
        usage.account_id as usage_account_id,
        usage.asset as usage_asset,
        usage.currency,
        coalesce(usage.worth, 0) as worth,
        coalesce(usage.expected, 0) as expected,
        usage.money,
        coalesce(usage.products, '') as products,
        coalesce(usage.usage_count, 0) as usage_count,
        debits.payer_id as debit_payer_id,
        debits.account_id as debit_account_id,
        debits.asset as debit_asset,
        coalesce(debits.total, 0) as total,
        coalesce(debits.actual, 0) as actual,
        coalesce(debits.entry_count, 0) as entry_count,
        debits.first_at as booked_at,
        least(
            coalesce(usage.first_at, debits.first_at),
            coalesce(debits.first_at, usage.first_at)
        ) as first_at,
        coalesce(debits.entry_ids, '') as entry_ids
    from usage
    full outer join debits
        on usage.account_id = debits.account_id
        and usage.asset = debits.asset
        and case when usage.is_by_day then usage.day end = debits.day
    where coalesce(usage.usage_count, 0) > 0 or coalesce(debits.entry_count, 0) > 0
),

judged as (
    select
        sides.*,
        rate_change(assets.rate_changes, sides.booked_at) as rate_at,
        case
            when not is_used then 'DEBITED_NOT_METERED'
            when not is_debited and not is_audited then 'unauditable'
            -- One event without a price leaves its day without one: what it is worth is unknown.
            when is_unrated then 'UNRATED'
            when not is_debited then 'METERED_NOT_DEBITED'
            -- A part of the day, or of its debits, is of another period.
            when sides.total is distinct from sides.actual
                or sides.worth is distinct from sides.expected then 'TIMING_CUTOFF'
            when abs(sides.actual - sides.expected) <= tolerance_of(
                sides.expected, assets.tolerance, assets.tolerance_percent, assets.tolerance_cap
            ) then 'R4'
            when unit_factor(
                cast(sides.expected as decimal(38, 9)),
                cast(sides.actual as decimal(38, 9)),
                cast(assets.tolerance as decimal(38, 9))
            ) is not null then 'UNIT_MISMATCH'
            when assets.kind = 'unit' then 'AMOUNT_QUANTITY'
            else 'AMOUNT_PRICE'
        end as code
    from sides
    inner join recon.wallet_assets as assets
        on coalesce(sides.usage_asset, sides.debit_asset) = assets.asset
)

select
    case
        when code = 'R4' then 'match'
        when code = 'unauditable' then code
        else 'break'
    end as fate,
    code,
    case when code in ('R4', 'unauditable') then '' else group_key end as break_key,
    usage_payer_id,
    usage_account_id,
    usage_asset,
    debit_payer_id,
    debit_account_id,
    debit_asset,
    cast(null as varchar) as event_id,
    cast(sum(expected) as decimal(38, 24)) as expected,
    cast(sum(actual) as decimal(38, 24)) as actual,
    cast(sum(money) as decimal(38, 24)) as money,
    currency,
    cast(sum(total) as decimal(38, 24)) as captured,
    cast(sum(case when code = 'R4' then abs(actual - expected) else 0 end) as decimal(38, 24))
        as accepted,
    products,
    rate_at,
    cast(sum(usage_count) as bigint) as usage_count,
    cast(sum(entry_count) as bigint) as entry_count,
    min(first_at) as first_at,
    cast(null as decimal(38, 12)) as counted_quantity,
    cast(null as decimal(38, 12)) as debited_quantity,
    -- A debit of a day may be the sum of what its events came to, each rounded.
    case
        when code not in ('R4', 'unauditable') then greatest(max(usage_count), max(entry_count))
    end as debit_count,
    case when code in ('R4', 'unauditable') then '' else max(entry_ids) end as entry_ids,
    case
        when code in ('R4', 'unauditable') then ''
        else sum(usage_count) || ' events worth ' || plain(sum(expected))
            || ', debited ' || plain(sum(total))
    end as detail
from judged
group by
    code,
    case when code in ('R4', 'unauditable') then '' else group_key end,
    usage_payer_id,
    usage_account_id,
    usage_asset,
    debit_payer_id,
    debit_account_id,
    debit_asset,
    currency,
    products,
    rate_at
