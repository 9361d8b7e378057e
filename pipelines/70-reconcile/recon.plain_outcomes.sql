-- Outcome of every event that has at most one plain capture, and of every such capture: nearly all.
-- Grain: as declared. Breaks stand alone by break_key; matches are summed by account and rule, so
-- that ten million agreeing events cost a few rows. Kept narrow: this join is the largest of all.
with
usage as (
    select event_id, payer_id, account_id, wallet_asset, currency, is_in_period, is_unrated,
        event_at, rated_amount, counted_quantity, products, wallet_shape
    from compiled.event_values as values_of_event
    anti join recon.busy_ids as busy_ids on hash(values_of_event.event_id) = busy_ids.key_hash
    where values_of_event.wallet_shape <> 'aggregated'
),

captures as (
    select entry_id, event_id, account_id, payer_id, asset, amount, quantity, is_in_period,
        booked_at,
        whole.key_hash is not null as is_held,
        -- All that an authorization has is this capture: nothing was held for it.
        authorization_id is not null
        and whole.key_hash is null
        and is_hold_known(booked_at, parameters.period_start, parameters.open_hold_hours)
            as is_unheld
    from recon.entries as entries
    cross join run.parameters as parameters
    left join recon.whole_captures as whole on hash(entries.event_id) = whole.key_hash
    anti join recon.busy_ids as busy_ids on hash(entries.event_id) = busy_ids.key_hash
    where entries.event_id is not null
        and not entries.is_aggregated
        and entries.entry_type = 'capture'
),

sides as (
    select
        usage.event_id is not null as is_used,
        captures.event_id is not null as is_debited,
        coalesce(usage.event_id, captures.event_id) as event_id,
        usage.payer_id as usage_payer_id,
        usage.account_id as usage_account_id,
        usage.wallet_asset as usage_asset,
        usage.currency,
        coalesce(usage.is_in_period, false) as is_used_in_period,
        coalesce(usage.is_unrated, false) as is_unrated,
        usage.rated_amount,
        usage.counted_quantity,
        coalesce(usage.products, '') as products,
        captures.payer_id as debit_payer_id,
        captures.account_id as debit_account_id,
        captures.asset as debit_asset,
        cast(coalesce(captures.amount, 0) as decimal(38, 24)) as captured,
        captures.quantity as debit_quantity,
        coalesce(usage.wallet_shape = 'two_phase' and captures.is_unheld, false) as is_forced,
        coalesce(captures.is_held, false) as is_held,
        coalesce(captures.is_in_period, false) as is_debited_in_period,
        coalesce(usage.event_at, captures.booked_at) as event_at,
        coalesce(captures.booked_at, usage.event_at) as booked_at,
        captures.entry_id
    from usage
    full outer join captures on usage.event_id = captures.event_id
    where coalesce(usage.is_in_period, false) or coalesce(captures.is_in_period, false)
),

measured as (
    select
        sides.*,
        sides.usage_account_id in (select account_id from recon.logged_accounts)
        or sides.usage_payer_id in (select account_id from recon.logged_accounts)
            as is_audited,
        assets.kind,
        assets.tolerance,
        assets.tolerance_percent,
        assets.tolerance_cap,
        assets.tolerance_amount,
        assets.is_tolerant,
        rate_change(assets.rate_changes, sides.booked_at) as rate_at,
        case
            when not sides.is_used then 0
            when assets.kind = 'unit'
                then cast(coalesce(sides.counted_quantity, 0) as decimal(38, 24))
            else sides.rated_amount
        end as worth
    from sides
    left join recon.wallet_assets as assets on sides.usage_asset = assets.asset
),

judged as (
    select
        measured.*,
        case
            when not is_used and captured = 0 then 'closed'
            when not is_used then 'DEBITED_NOT_METERED'
            when not is_debited and not is_audited then 'unauditable'
            when is_unrated and is_used_in_period then 'UNRATED'
            when not is_debited then 'METERED_NOT_DEBITED'
            when is_forced and captured <> 0 then 'LIFECYCLE_INVALID'
            when debit_asset <> usage_asset then 'ASSET_MISMATCH'
            when debit_account_id <> usage_account_id then 'ACCOUNT_MISMATCH'
            when not is_used_in_period or (not is_debited_in_period and captured <> 0)
                then 'TIMING_CUTOFF'
            when kind = 'currency' and counted_quantity <> debit_quantity
                then quantity_code(counted_quantity, debit_quantity)
            when captured = worth then 'R1'
            -- The amount alone first: it is the same for all, and a share is not.
            when abs(captured - worth) <= tolerance_amount
                or (
                    tolerance_percent <> 0
                    and abs(captured - worth)
                    <= tolerance_of(worth, tolerance, tolerance_percent, tolerance_cap)
                )
                then case when is_tolerant then 'R2' else 'AMOUNT_ROUNDING' end
            else amount_code(worth, captured, kind, tolerance)
        end as code
    from measured
),

keyed as (
    select
        judged.*,
        case when code in ('R1', 'R2', 'closed', 'unauditable') then '' else event_id end
            as break_key
    from judged
),

outcomes as (
    select
        code,
        break_key,
        usage_payer_id,
        usage_account_id,
        usage_asset,
        debit_payer_id,
        debit_account_id,
        debit_asset,
        currency,
        products,
        rate_at,
        sum(case when is_used_in_period then worth else 0 end) as expected,
        sum(case when is_debited_in_period then captured else 0 end) as actual,
        sum(rated_amount) filter (where is_used_in_period and not is_unrated) as money,
        count(*) filter (where is_used_in_period) as usage_count,
        -- A hold that was captured whole is a second entry.
        sum(case when not is_debited_in_period then 0 when is_held then 2 else 1 end)
            as entry_count,
        bool_or(is_held) filter (where break_key <> '') as is_held,
        min(least(event_at, booked_at)) as first_at,
        max(entry_id) filter (where break_key <> '') as entry_ids,
        max(worth) filter (where break_key <> '') as worth,
        max(captured) filter (where break_key <> '') as captured,
        sum(case when code in ('R1', 'R2') then abs(captured - worth) else 0 end) as accepted,
        max(counted_quantity) filter (where break_key <> '') as counted_quantity,
        max(debit_quantity) filter (where break_key <> '') as debit_quantity
    from keyed
    group by
        code,
        break_key,
        usage_payer_id,
        usage_account_id,
        usage_asset,
        debit_payer_id,
        debit_account_id,
        debit_asset,
        currency,
        products,
        rate_at
),

-- The holds of breaks: what happened to them is told with what was captured of them.
holds as (
    select event_id, entry_id, booked_at, cast(amount as decimal(38, 24)) as amount
    from recon.entries
    where entry_type = 'authorize'
        and event_id in (select break_key from outcomes where is_held)
)

select
    case
        when code in ('R1', 'R2') then 'match'
        when code in ('closed', 'unauditable') then code
        else 'break'
    end as fate,
    code,
    break_key,
    usage_payer_id,
    usage_account_id,
    usage_asset,
    debit_payer_id,
    debit_account_id,
    debit_asset,
    nullif(break_key, '') as event_id,
    cast(expected as decimal(38, 24)) as expected,
    cast(actual as decimal(38, 24)) as actual,
    cast(money as decimal(38, 24)) as money,
    currency,
    case when break_key = '' then cast(actual as decimal(38, 24)) else captured end as captured,
    cast(accepted as decimal(38, 24)) as accepted,
    products,
    rate_at,
    usage_count,
    cast(entry_count as bigint) as entry_count,
    least(first_at, coalesce(holds.booked_at, first_at)) as first_at,
    cast(counted_quantity as decimal(38, 12)) as counted_quantity,
    cast(debit_quantity as decimal(38, 12)) as debited_quantity,
    case when break_key <> '' then cast(1 as bigint) end as debit_count,
    coalesce(listed_id(holds.entry_id) || ' ', '') || coalesce(listed_id(entry_ids), '')
        as entry_ids,
    case
        when break_key = '' then ''
        else 'worth ' || plain(worth) || ', captured ' || plain(captured)
            || coalesce(
                ', authorized ' || plain(holds.amount) || ', released 0, expired 0', ''
            )
            || coalesce(', counted ' || plain(counted_quantity), '')
            || coalesce(', debited for ' || plain(debit_quantity), '')
    end as detail
from outcomes
left join holds on outcomes.break_key = holds.event_id and outcomes.is_held
