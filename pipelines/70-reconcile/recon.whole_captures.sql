-- Hashes of event ids with one hold and one capture of all of it: judged like a capture alone.
-- Grain: key_hash. Nearly all of a log in two phases; nothing is left of such a hold, so that its
-- life says no more than its capture does. Sorted neighbours take less time and memory than a
-- group for every id.
with
phases as (
    select
        hash(event_id) as key_hash,
        entry_type,
        -- Only what is the same in both can be told from one of them.
        hash(authorization_id, account_id, asset, is_in_period) as shared_hash,
        amount,
        booked_at
    from recon.entries
    where authorization_id is not null and event_id is not null and not is_aggregated
),

placed as (
    select
        key_hash,
        entry_type,
        shared_hash,
        amount,
        booked_at,
        lag(key_hash) over in_order as key_before,
        lag(key_hash, 2) over in_order as key_before_that,
        lead(key_hash) over in_order as key_after,
        lag(entry_type) over in_order as type_before,
        lag(shared_hash) over in_order as shared_before,
        lag(amount) over in_order as amount_before,
        lag(booked_at) over in_order as booked_before
    from phases
    window in_order as (order by key_hash)
)

select key_hash
from placed
where key_hash = key_before
    and key_hash is distinct from key_before_that
    and key_hash is distinct from key_after
    and shared_hash = shared_before
    and amount = amount_before
    and case
        when type_before = 'authorize' and entry_type = 'capture' then booked_before < booked_at
        when type_before = 'capture' and entry_type = 'authorize' then booked_at < booked_before
        else false
    end
