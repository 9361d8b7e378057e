-- Hashes of event ids that more than one stored row carries.
-- Grain: key_hash. A cheap first look: only these ids are compared in full. Sorted neighbours take
-- less time and memory than a group for every id.
with
hashed as (
    select hash(event_id) as key_hash
    from raw.usage_rows
    where event_id is not null
),

neighbours as (
    select key_hash, lag(key_hash) over (order by key_hash) as key_hash_before
    from hashed
)

select key_hash
from neighbours
where key_hash = key_hash_before
group by key_hash
