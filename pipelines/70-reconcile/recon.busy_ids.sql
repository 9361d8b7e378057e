-- Hashes of event ids whose debits are more than one plain capture.
-- Grain: key_hash. Everything else is one capture of one event and needs no history.
with
reversals as (
    select reversal_of
    from recon.entries
    where reversal_of is not null
    group by reversal_of
),

busy as (
    select hash(event_id) as key_hash
    from recon.entries
    where event_id is not null
    group by hash(event_id)
    having count(*) > 1 or bool_or(entry_type <> 'capture' or is_aggregated)
    union all
    select hash(entries.event_id) as key_hash
    from recon.entries as entries
    semi join reversals on entries.entry_id = reversals.reversal_of
    where entries.event_id is not null
    union all
    select hash(event_id) as key_hash
    from mediated.shared_event_ids
)

select key_hash
from busy
group by key_hash
