-- What was held, taken and given back in each life of debits.
-- Grain: event_key. Captures that are all there is of their event are not here: they need no life.
with
placed as (
    -- The live capture speaks for the life; without one, what moved the wallet first does. One of
    -- nothing speaks only where no other does: the same order as in recon.histories.
    select *,
        case
            when entry_type = 'capture' and fate = 'main' and debit_amount <> 0 then 0
            when entry_type = 'capture' and fate = 'main' then 500000
            when debit_amount <> 0 then 1000000
            else 2000000
        end + entry_no as order_no,
        entry_type = 'capture' and input in (select input from rules.final_inputs) as is_final
    from recon.histories
    where fate in ('main', 'reversed')
),

lives as (
    select
        event_key,
        arg_min(account_id, order_no) as account_id,
        arg_min(payer_id, order_no) as payer_id,
        arg_min(asset, order_no) as asset,
        arg_min(booked_at, order_no) as captured_at,
        cast(
            sum(case when fate = 'main' then debit_amount else 0 end)
                + coalesce(sum(amount) filter (where fate = 'reversed'), 0)
            as decimal(38, 24)
        ) as captured,
        cast(
            coalesce(
                sum(amount) filter (where entry_type in ('reverse', 'refund') and fate = 'main'), 0
            ) - coalesce(sum(amount) filter (where fate = 'reversed'), 0)
            as decimal(38, 24)
        ) as returned,
        cast(sum(case when entry_type = 'authorize' then amount else 0 end) as decimal(38, 24))
            as authorized,
        cast(sum(case when entry_type = 'release' then amount else 0 end) as decimal(38, 24))
            as released,
        cast(sum(case when entry_type = 'expire' then amount else 0 end) as decimal(38, 24))
            as expired,
        -- What a capture took of its hold stays taken, whatever comes back to the wallet.
        sum(case when entry_type = 'capture' then amount else 0 end) as taken,
        cast(sum(case when is_in_period then debit_amount else 0 end) as decimal(38, 24))
            as period_amount,
        cast(
            sum(quantity) filter (where entry_type = 'capture' and fate = 'main') as decimal(38, 12)
        )
            as quantity,
        bool_or(entry_type = 'decline') as is_declined,
        bool_or(fate = 'reversed') as is_reversed,
        -- What a hold has left after a capture that ends it was given back without an entry.
        bool_or(is_final) as is_hold_ended,
        coalesce(
            min(entry_no) filter (where entry_type in ('release', 'expire'))
                < max(entry_no) filter (where entry_type = 'capture' and fate = 'main'),
            false
        ) as is_captured_late,
        bool_or(is_by_authorization) as is_by_authorization,
        bool_or(authorization_id is not null) as has_authorization,
        count(*) filter (where entry_type = 'capture' and fate = 'main') as capture_count,
        count(*) as entry_count,
        count(*) filter (where is_in_period) as period_entry_count,
        min(booked_at) as first_booked_at,
        max(booked_at) as last_booked_at,
        string_agg(listed_id(entry_id), ' ' order by entry_no) as entry_ids
    from placed
    group by event_key
),

-- A hold for several events is compared with all their captures, each event in its turn.
turns as (
    select
        placed.authorization_id,
        placed.event_key,
        sum(case when placed.entry_type = 'capture' then placed.amount else 0 end) as captured,
        sum(case when placed.entry_type = 'authorize' then placed.amount else 0 end) as authorized,
        sum(case when placed.entry_type in ('release', 'expire') then placed.amount else 0 end)
            as given_back,
        bool_or(placed.is_final) as is_hold_ended,
        min(placed.booked_at) filter (where placed.entry_type = 'capture') as captured_at
    from placed
    semi join recon.shared_holds as holds on placed.authorization_id = holds.authorization_id
    group by placed.authorization_id, placed.event_key
),

together as (
    select
        event_key,
        sum(authorized) over hold as authorized,
        sum(authorized - captured - given_back) over hold as open_hold,
        bool_or(is_hold_ended) over hold as is_hold_ended,
        sum(captured) over (hold order by captured_at, event_key) - captured as captured_before,
        row_number() over (hold order by captured_at desc, event_key desc) = 1 as is_last
    from turns
    window hold as (partition by authorization_id)
),

held as (
    select
        event_key,
        max(authorized) as authorized,
        sum(case when is_last then open_hold else 0 end) as open_hold,
        bool_or(is_hold_ended) as is_hold_ended,
        max(captured_before) as captured_before
    from together
    group by event_key
)

select
    lives.* exclude (taken, is_hold_ended),
    cast(coalesce(held.authorized, lives.authorized) as decimal(38, 24)) as hold_authorized,
    cast(coalesce(held.captured_before, 0) as decimal(38, 24)) as hold_captured_before,
    cast(
        least(
            coalesce(
                held.open_hold,
                lives.authorized - lives.taken - lives.released - lives.expired
            ),
            -- Null, where the hold goes on, is no limit.
            case when coalesce(held.is_hold_ended, lives.is_hold_ended) then 0 end
        )
        as decimal(38, 24)
    ) as open_hold
from lives
left join held on lives.event_key = held.event_key
