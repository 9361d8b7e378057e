-- Hashes of event ids whose debits are more than one plain capture, or a hold captured whole.
-- Grain: key_hash. Everything else is one capture of one event and needs no history.
with
reversals as (
    select reversal_of
    from recon.entries
    where reversal_of is not null
    group by reversal_of
),

-- Entries that name an authorization alone may turn out to belong to any event of it.
unnamed as (
    select authorization_id
    from recon.entries
    where event_id is null and authorization_id is not null and not is_aggregated
    group by authorization_id
),

-- A hold captured whole is two entries of one event, and not busy for that.
hashed as (
    select hash(entries.event_id) as key_hash
    from mediated.debit_entries as entries
    anti join recon.whole_captures as whole on hash(entries.event_id) = whole.key_hash
    where entries.event_id is not null and is_usage_debit(entries.entry_type)
),

neighbours as (
    select key_hash, lag(key_hash) over (order by key_hash) as key_hash_before
    from hashed
),

busy as (
    select key_hash
    from neighbours
    where key_hash = key_hash_before
    union all
    -- Other entries than plain captures; those that undo a day's are no captures either.
    select hash(entries.event_id) as key_hash
    from mediated.debit_entries as entries
    anti join recon.whole_captures as whole on hash(entries.event_id) = whole.key_hash
    where entries.event_id is not null and is_usage_debit(entries.entry_type)
        and (entries.entry_type <> 'capture' or entries.aggregated is not null)
    union all
    -- An entry beside the hold and its capture: that makes three.
    select hash(entries.event_id) as key_hash
    from recon.entries as entries
    semi join recon.whole_captures as whole on hash(entries.event_id) = whole.key_hash
    where entries.authorization_id is null or entries.is_aggregated
    union all
    select hash(entries.event_id) as key_hash
    from recon.entries as entries
    semi join reversals on entries.entry_id = reversals.reversal_of
    where entries.event_id is not null
    union all
    select hash(entries.event_id) as key_hash
    from recon.entries as entries
    semi join unnamed on entries.authorization_id = unnamed.authorization_id
    where entries.event_id is not null
    union all
    select hash(values_of_event.event_id) as key_hash
    from compiled.event_values as values_of_event
    semi join unnamed on values_of_event.authorization_id = unnamed.authorization_id
    union all
    select hash(entries.event_id) as key_hash
    from mediated.debit_entries as entries
    semi join recon.shared_holds as holds on entries.authorization_id = holds.authorization_id
    where entries.event_id is not null
    union all
    select hash(event_id) as key_hash
    from mediated.shared_event_ids
)

select key_hash
from busy
group by key_hash
