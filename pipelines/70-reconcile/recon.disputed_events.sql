-- Events of disputes in money, with everything that meters read: few of all.
-- Grain: source, event_id. Prices of another time are tried on them.
select events.*
from compiled.events as events
inner join recon.disputes as disputes
    on events.event_id = disputes.event_id
    and events.account_id = disputes.account_id
where disputes.is_money and events.is_in_period
