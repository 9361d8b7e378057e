-- What was held, taken and given back for each event that any debit names.
-- Grain: event_key. Nearly all are one capture of one event and pass straight through.
with
plain as (
    select
        entries.event_id as event_key,
        entries.account_id,
        entries.payer_id,
        entries.asset,
        cast(entries.amount as decimal(38, 18)) as captured,
        cast(0 as decimal(38, 18)) as returned,
        cast(0 as decimal(38, 18)) as authorized,
        cast(0 as decimal(38, 18)) as released,
        cast(0 as decimal(38, 18)) as expired,
        case when entries.is_in_period then entries.debit_amount else 0 end as period_amount,
        entries.quantity,
        false as is_declined,
        false as is_reversed,
        false as is_captured_late,
        false as is_by_authorization,
        cast(1 as bigint) as capture_count,
        cast(1 as bigint) as entry_count,
        cast(entries.is_in_period as bigint) as period_entry_count,
        entries.booked_at as first_booked_at,
        entries.booked_at as last_booked_at,
        entries.entry_id as entry_ids
    from recon.entries as entries
    anti join recon.busy_ids as busy_ids on hash(entries.event_id) = busy_ids.key_hash
    where entries.event_id is not null and not entries.is_aggregated
),

gathered as (
    select
        event_key,
        arg_min(account_id, order_no) as account_id,
        arg_min(payer_id, order_no) as payer_id,
        arg_min(asset, order_no) as asset,
        cast(
            sum(case when fate = 'main' then debit_amount else 0 end)
                + coalesce(sum(amount) filter (where fate = 'reversed'), 0)
            as decimal(38, 18)
        ) as captured,
        cast(
            coalesce(
                sum(amount) filter (where entry_type in ('reverse', 'refund') and fate = 'main'), 0
            ) - coalesce(sum(amount) filter (where fate = 'reversed'), 0)
            as decimal(38, 18)
        ) as returned,
        cast(sum(case when entry_type = 'authorize' then amount else 0 end) as decimal(38, 18))
            as authorized,
        cast(sum(case when entry_type = 'release' then amount else 0 end) as decimal(38, 18))
            as released,
        cast(sum(case when entry_type = 'expire' then amount else 0 end) as decimal(38, 18))
            as expired,
        cast(sum(case when is_in_period then debit_amount else 0 end) as decimal(38, 18))
            as period_amount,
        sum(quantity) filter (where entry_type = 'capture' and fate = 'main') as quantity,
        bool_or(entry_type = 'decline') as is_declined,
        bool_or(fate = 'reversed') as is_reversed,
        coalesce(
            min(entry_no) filter (where entry_type in ('release', 'expire'))
                < max(entry_no) filter (where entry_type = 'capture' and fate = 'main'),
            false
        ) as is_captured_late,
        bool_or(is_by_authorization) as is_by_authorization,
        count(*) filter (where entry_type = 'capture' and fate = 'main') as capture_count,
        count(*) as entry_count,
        count(*) filter (where is_in_period) as period_entry_count,
        min(booked_at) as first_booked_at,
        max(booked_at) as last_booked_at,
        string_agg(entry_id, ' ' order by entry_no) as entry_ids
    from (
        -- The live capture speaks for the life; without one, what moved the wallet first does.
        select *,
            case
                when entry_type = 'capture' and fate = 'main' then 0
                when debit_amount <> 0 then 1000000
                else 2000000
            end + entry_no as order_no
        from recon.histories
        where fate in ('main', 'reversed')
    )
    group by event_key
)

select
    event_key, account_id, payer_id, asset, captured, returned, authorized, released, expired,
    cast(period_amount as decimal(38, 18)) as period_amount,
    quantity, is_declined, is_reversed, is_captured_late, is_by_authorization, capture_count,
    entry_count, period_entry_count, first_booked_at, last_booked_at, entry_ids
from plain
union all
select
    event_key, account_id, payer_id, asset, captured, returned, authorized, released, expired,
    period_amount,
    cast(quantity as decimal(38, 12)) as quantity,
    is_declined, is_reversed, is_captured_late, is_by_authorization, capture_count, entry_count,
    period_entry_count, first_booked_at, last_booked_at, entry_ids
from gathered
