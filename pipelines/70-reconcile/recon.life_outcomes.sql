-- Outcome of every event whose debits have a history: holds, several captures, reversals, or a
-- name shared with another source. Few, and judged by everything that can have gone wrong.
-- Grain: as declared.
with
usage as (
    select
        values_of_event.*,
        case
            when shared.event_id is null then values_of_event.event_id
            else 'ambiguous:' || values_of_event.source || '/' || values_of_event.event_id
        end as event_key,
        values_of_event.account_id in (select account_id from recon.logged_accounts)
        or values_of_event.payer_id in (select account_id from recon.logged_accounts)
            as is_audited,
        -- Each branch is cast alone: together they would take the scale of the coarser one.
        case
            when assets.kind = 'unit'
                then cast(coalesce(values_of_event.counted_quantity, 0) as decimal(38, 24))
            else cast(values_of_event.rated_amount as decimal(38, 24))
        end as expected_amount
    from compiled.event_values as values_of_event
    semi join recon.busy_ids as busy_ids on hash(values_of_event.event_id) = busy_ids.key_hash
    inner join rules.assets as assets on values_of_event.wallet_asset = assets.asset
    left join mediated.shared_event_ids as shared on values_of_event.event_id = shared.event_id
    where values_of_event.wallet_shape <> 'aggregated'
),

sides as (
    select
        usage.event_key is not null as is_used,
        positions.event_key is not null as is_debited,
        coalesce(usage.event_key, positions.event_key) as event_key,
        usage.payer_id as usage_payer_id,
        usage.account_id as usage_account_id,
        usage.wallet_asset as usage_asset,
        coalesce(usage.is_in_period, false) as is_used_in_period,
        coalesce(usage.is_audited, true) as is_audited,
        coalesce(usage.is_unrated, false) as is_unrated,
        coalesce(usage.expected_amount, 0) as worth,
        case when usage.is_in_period then usage.expected_amount else 0 end as expected,
        usage.counted_quantity,
        case when usage.is_in_period and not usage.is_unrated then usage.rated_amount end as money,
        usage.currency,
        coalesce(usage.products, '') as products,
        usage.event_at,
        positions.payer_id as debit_payer_id,
        positions.account_id as debit_account_id,
        positions.asset as debit_asset,
        coalesce(positions.captured, 0) as captured,
        coalesce(positions.returned, 0) as returned,
        coalesce(positions.hold_authorized, 0) as authorized,
        coalesce(positions.hold_captured_before, 0) as captured_before,
        coalesce(positions.open_hold, 0) as open_hold,
        coalesce(positions.released, 0) as released,
        coalesce(positions.expired, 0) as expired,
        coalesce(positions.period_amount, 0) as actual,
        positions.quantity as debit_quantity,
        coalesce(positions.is_declined, false) as is_declined,
        coalesce(positions.is_reversed, false) as is_reversed,
        coalesce(positions.is_captured_late, false) as is_captured_late,
        coalesce(
            usage.wallet_shape = 'two_phase'
            and positions.has_authorization
            and positions.hold_authorized = 0
            and positions.captured <> 0,
            false
        ) as is_forced,
        coalesce(positions.is_by_authorization, false) as is_by_authorization,
        coalesce(positions.capture_count, 0) as capture_count,
        coalesce(positions.period_entry_count, 0) as period_entry_count,
        positions.first_booked_at,
        positions.captured_at,
        positions.entry_ids
    from usage
    full outer join recon.positions as positions on usage.event_key = positions.event_key
    where coalesce(usage.is_in_period, false) or coalesce(positions.period_entry_count, 0) > 0
),

measured as (
    select
        sides.*,
        tolerance_of(
            sides.worth,
            coalesce(assets.tolerance, 0),
            coalesce(assets.tolerance_percent, 0),
            assets.tolerance_cap
        ) as tolerance,
        rate_change(assets.rate_changes, sides.captured_at) as rate_at,
        coalesce(assets.kind, 'currency') as kind,
        coalesce(assets.is_tolerant, true) as is_tolerant,
        coalesce(assets.tolerance, 0) as half_unit,
        sides.is_forced and is_hold_known(
            sides.captured_at, parameters.period_start, parameters.open_hold_hours
        ) as is_unheld,
        coalesce(
            sides.first_booked_at
                + to_hours(cast(parameters.open_hold_hours as integer)) < parameters.as_of,
            false
        ) as is_old
    from sides
    cross join run.parameters as parameters
    left join recon.wallet_assets as assets on sides.usage_asset = assets.asset
),

judged as (
    select
        measured.*,
        case
            when not is_used then case
                -- More came back than was ever taken.
                when captured < 0 then 'LIFECYCLE_INVALID'
                when captured <> 0 or actual <> 0 then 'DEBITED_NOT_METERED'
                when open_hold > 0 and is_old then 'OPEN_HOLD'
                when open_hold > 0 then 'pending'
                else 'closed'
            end
            when not is_audited and not is_debited then 'unauditable'
            when is_unrated and is_used_in_period then 'UNRATED'
            when not is_debited then 'METERED_NOT_DEBITED'
            when capture_count = 0 and is_declined then 'METERED_ON_DECLINED'
            when capture_count = 0 and is_reversed then 'METERED_ON_REVERSED'
            when capture_count = 0 and released > 0 then 'METERED_ON_RELEASED'
            when capture_count = 0 and expired > 0 then 'METERED_ON_EXPIRED'
            when capture_count = 0 and is_old then 'OPEN_HOLD'
            when capture_count = 0 then 'TIMING_CUTOFF'
            when is_captured_late or is_unheld then 'LIFECYCLE_INVALID'
            when authorized > 0 and captured_before + captured > authorized then 'OVER_CAPTURE'
            -- More was given back of the hold than was left of it.
            when authorized > 0 and open_hold < 0 then 'LIFECYCLE_INVALID'
            when debit_asset <> usage_asset then 'ASSET_MISMATCH'
            when debit_account_id <> usage_account_id then 'ACCOUNT_MISMATCH'
            when not is_used_in_period or actual is distinct from captured then 'TIMING_CUTOFF'
            -- Parts of a split may say their own quantity, or each the whole one.
            when kind = 'currency' and counted_quantity <> debit_quantity
                and not (
                    capture_count > 1 and authorized = 0
                    and (
                        abs(captured - worth) > tolerance
                        or debit_quantity = counted_quantity * capture_count
                    )
                )
                then quantity_code(counted_quantity, debit_quantity)
            when authorized > 0 and open_hold > 0 and is_old then 'UNDER_CAPTURE'
            when captured = worth then case
                when is_by_authorization then 'R3'
                when capture_count > 1 then 'R5'
                else 'R1'
            end
            when abs(captured - worth) <= tolerance then case
                when is_by_authorization then 'R3'
                when capture_count > 1 then 'R5'
                when is_tolerant then 'R2'
                else 'AMOUNT_ROUNDING'
            end
            when returned > 0 and abs(captured + returned - worth) <= tolerance
                then 'METERED_ON_REVERSED'
            when capture_count > 1 and authorized = 0 then 'SPLIT_INCOMPLETE'
            else amount_code(worth, captured, kind, half_unit)
        end as code
    from measured
),

fated as (
    select
        judged.*,
        case
            when code in ('R1', 'R2', 'R3', 'R5') then 'match'
            when code in ('closed', 'pending', 'unauditable') then code
            else 'break'
        end as fate
    from judged
)

select
    fate,
    code,
    case when fate = 'break' then event_key else '' end as break_key,
    usage_payer_id,
    usage_account_id,
    usage_asset,
    debit_payer_id,
    debit_account_id,
    debit_asset,
    case when fate = 'break' then event_key end as event_id,
    cast(sum(expected) as decimal(38, 24)) as expected,
    cast(sum(actual) as decimal(38, 24)) as actual,
    cast(sum(money) as decimal(38, 24)) as money,
    currency,
    cast(sum(captured) as decimal(38, 24)) as captured,
    cast(sum(case when fate = 'match' then abs(captured - worth) else 0 end) as decimal(38, 24))
        as accepted,
    products,
    rate_at,
    count(*) filter (where is_used_in_period) as usage_count,
    cast(sum(period_entry_count) as bigint) as entry_count,
    min(least(coalesce(event_at, first_booked_at), coalesce(first_booked_at, event_at)))
        as first_at,
    cast(case when fate = 'break' then max(counted_quantity) end as decimal(38, 12))
        as counted_quantity,
    cast(case when fate = 'break' then max(debit_quantity) end as decimal(38, 12))
        as debited_quantity,
    case when fate = 'break' then max(capture_count) end as debit_count,
    coalesce(case when fate = 'break' then max(entry_ids) end, '') as entry_ids,
    case
        when fate <> 'break' then ''
        else 'worth ' || plain(max(worth)) || ', captured ' || plain(max(captured))
            || case when max(authorized) > 0
                then ', authorized ' || plain(max(authorized))
                    || ', released ' || plain(max(released))
                    || ', expired ' || plain(max(expired))
                else ''
            end
            || coalesce(', counted ' || plain(max(counted_quantity)), '')
            || coalesce(', debited for ' || plain(max(debit_quantity)), '')
    end as detail
from fated
group by
    fate,
    code,
    case when fate = 'break' then event_key else '' end,
    case when fate = 'break' then event_key end,
    usage_payer_id,
    usage_account_id,
    usage_asset,
    debit_payer_id,
    debit_account_id,
    debit_asset,
    currency,
    products,
    rate_at
