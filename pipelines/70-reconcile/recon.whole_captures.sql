-- Hashes of event ids with one hold and one capture of all of it: judged like a capture alone.
-- Grain: key_hash. Nearly all of a log in two phases; nothing is left of such a hold, so that its
-- life says no more than its capture does.
with
phases as (
    select
        hash(event_id) as key_hash,
        case entry_type when 'authorize' then 1 when 'capture' then 10 else 100 end as phase,
        -- Only what is the same in both can be told from one of them.
        hash(authorization_id, account_id, asset, is_in_period) as shared_hash,
        amount,
        booked_at
    from recon.entries
    where authorization_id is not null and event_id is not null and not is_aggregated
)

select key_hash
from phases
group by key_hash
having sum(phase) = 11
    and min(shared_hash) = max(shared_hash)
    and min(amount) = max(amount)
    and max(case when phase = 1 then booked_at end) < max(case when phase = 10 then booked_at end)
