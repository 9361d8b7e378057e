-- Usage without a debit and a debit without usage that may be one: a person decides (R6).
-- Grain: break_id. Both stay breaks. Same account and asset, an equal amount or quantity, close in
-- time; only where each is the one candidate of the other, so that no tie is ever broken.
with
-- Time in windows: what is at most one apart is in the same or in neighbouring ones.
sides as (
    select
        break_id_of(
            outcomes.code, outcomes.break_key,
            coalesce(outcomes.usage_account_id, outcomes.debit_account_id),
            coalesce(outcomes.usage_asset, outcomes.debit_asset),
            outcomes.debit_account_id, outcomes.debit_asset
        ) as break_id,
        outcomes.code = 'METERED_NOT_DEBITED' as is_usage,
        outcomes.expected,
        outcomes.actual,
        outcomes.counted_quantity,
        outcomes.debited_quantity,
        outcomes.first_at,
        coalesce(outcomes.usage_account_id, outcomes.debit_account_id) as account_id,
        coalesce(outcomes.usage_asset, outcomes.debit_asset) as asset,
        epoch_us(outcomes.first_at) // (rules.window_minutes * 60000000) as window_no,
        rules.window_minutes,
        rules.is_tolerant
    from recon.outcomes as outcomes
    cross join rules.suggest_rules as rules
    where outcomes.fate = 'break'
        and outcomes.code in ('METERED_NOT_DEBITED', 'DEBITED_NOT_METERED')
        -- A day is no event.
        and outcomes.event_id is not null
),

near as (
    select *, unnest([window_no - 1, window_no, window_no + 1]) as near_no
    from sides
    where not is_usage
),

pairs as (
    select
        used.break_id,
        debited.break_id as other_break_id,
        used.account_id,
        used.asset,
        used.expected as amount,
        debited.actual as other_amount,
        used.counted_quantity = debited.debited_quantity as is_same_quantity,
        date_diff('second', used.first_at, debited.first_at) as seconds_apart
    from sides as used
    inner join near as debited
        on used.account_id = debited.account_id
        and used.asset = debited.asset
        and used.window_no = debited.near_no
    inner join rules.assets as assets on used.asset = assets.asset
    where used.is_usage
        and abs(epoch_us(used.first_at) - epoch_us(debited.first_at))
            <= used.window_minutes * 60000000
        and (
            used.expected = debited.actual
            or used.counted_quantity = debited.debited_quantity
            or (used.is_tolerant and abs(used.expected - debited.actual) <= tolerance_of(
                used.expected, assets.tolerance, assets.tolerance_percent, assets.tolerance_cap
            ))
        )
),

alone as (
    select *
    from pairs
    qualify count(*) over (partition by break_id) = 1
        and count(*) over (partition by other_break_id) = 1
)

select
    alone.break_id,
    alone.other_break_id,
    alone.account_id,
    alone.asset,
    used.break_key,
    debited.break_key as other_break_key,
    alone.amount,
    alone.other_amount,
    case
        when alone.amount = alone.other_amount then 'the same amount'
        when alone.is_same_quantity then 'the same quantity'
        else 'amounts within tolerance'
    end
        || ', ' || abs(alone.seconds_apart) || ' s '
        || case when alone.seconds_apart < 0 then 'before' else 'after' end
        || ' the usage; nothing else fits either' as why
from alone
inner join recon.breaks as used on alone.break_id = used.break_id
inner join recon.breaks as debited on alone.other_break_id = debited.break_id
