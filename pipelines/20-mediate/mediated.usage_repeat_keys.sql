-- Hashes of event ids that more than one stored row carries.
-- Grain: key_hash. A cheap first look: only these ids are compared in full.
select hash(event_id) as key_hash
from raw.usage_rows
where event_id is not null
group by hash(event_id)
having count(*) > 1
