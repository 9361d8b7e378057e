-- Authorizations with captures for more than one event: their hold is for all of these together.
-- Grain: authorization_id.
select authorization_id
from mediated.debit_entries
where entry_type = 'capture'
    and authorization_id is not null
    and event_id is not null
    and aggregated is null
group by authorization_id
having min(event_id) <> max(event_id)
