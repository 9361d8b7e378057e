-- Entries that are breaks of their own: repeats of a debit, reversals of nothing or of a reversal,
-- and parts of a life that moved another wallet than the rest of it (closed where they cancel).
-- Grain: as declared. The key is the event for a repeat, the entry for a reversal.
with
alone as (
    select
        *,
        case when is_reversal then entry_id else event_key end as break_key,
        case when not is_reversal then event_key end as event_id
    from (
        select *, fate in ('ORPHAN_REVERSAL', 'LIFECYCLE_INVALID') as is_reversal
        from recon.histories
        where fate not in ('main', 'reversed')
    )
)

select
    case
        when fate in ('ACCOUNT_MISMATCH', 'ASSET_MISMATCH')
            and sum(case when is_in_period then debit_amount else 0 end) = 0 then 'closed'
        else 'break'
    end as fate,
    fate as code,
    break_key,
    cast(null as varchar) as usage_payer_id,
    cast(null as varchar) as usage_account_id,
    cast(null as varchar) as usage_asset,
    arg_min(payer_id, entry_no) as debit_payer_id,
    account_id as debit_account_id,
    asset as debit_asset,
    event_id,
    cast(0 as decimal(38, 24)) as expected,
    cast(sum(case when is_in_period then debit_amount else 0 end) as decimal(38, 24)) as actual,
    cast(null as decimal(38, 24)) as money,
    cast(null as varchar) as currency,
    cast(sum(debit_amount) as decimal(38, 24)) as captured,
    cast(0 as decimal(38, 24)) as accepted,
    '' as products,
    cast(null as timestamp) as rate_at,
    cast(0 as bigint) as usage_count,
    count(*) filter (where is_in_period) as entry_count,
    min(booked_at) as first_at,
    cast(null as decimal(38, 12)) as counted_quantity,
    cast(null as decimal(38, 12)) as debited_quantity,
    count(*) as debit_count,
    string_agg(listed_id(entry_id), ' ' order by entry_no) as entry_ids,
    'debited ' || plain(sum(debit_amount)) || ' in ' || count(*) || ' entry(s)' as detail
from alone
group by fate, break_key, event_id, account_id, asset
having bool_or(is_in_period)
