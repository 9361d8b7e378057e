-- Hashes of entry ids that more than one stored row carries.
-- Grain: key_hash. A cheap first look: only these ids are compared in full.
select hash(entry_id) as key_hash
from raw.debit_rows
where entry_id is not null
group by hash(entry_id)
having count(*) > 1
