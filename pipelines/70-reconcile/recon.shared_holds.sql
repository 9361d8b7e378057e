-- Authorizations with captures for more than one event: their hold is for all of these together.
-- Grain: authorization_id. A first look at hashes: only what has several captures is compared.
with
hashed as (
    select hash(authorization_id) as key_hash
    from mediated.debit_entries
    where entry_type = 'capture'
        and authorization_id is not null
        and event_id is not null
        and aggregated is null
),

neighbours as (
    select key_hash, lag(key_hash) over (order by key_hash) as key_hash_before
    from hashed
)

select authorization_id
from mediated.debit_entries
where entry_type = 'capture'
    and authorization_id is not null
    and event_id is not null
    and aggregated is null
    and hash(authorization_id) in (
        select key_hash from neighbours where key_hash = key_hash_before
    )
group by authorization_id
having min(event_id) <> max(event_id)
