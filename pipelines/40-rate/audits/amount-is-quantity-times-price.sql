-- I6: the stored amount is the stored quantity times the stored price, to the last digit.
select meter, account_id, attributes, event_on, quantity, unit_price, amount
from rated.usage
where amount is distinct from quantity * unit_price
order by meter, account_id, attributes, event_on
