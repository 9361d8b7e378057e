-- Accounts whose usage is without a price for one reason alone: no currency rate converts it.
-- Grain: payer_id, account_id. Where other usage has no rate at all nobody knows which lacks what.
select payer_id, account_id
from suspense.unrated_usage
where quantity <> 0
group by payer_id, account_id
having bool_and(code = 'CONVERSION_MISSING')
