-- A class of tokens below zero means the counts of an event contradict each other.
select meter, account_id, attributes, event_on, quantity
from metered.usage
where quantity < 0
order by meter, account_id, attributes, event_on
