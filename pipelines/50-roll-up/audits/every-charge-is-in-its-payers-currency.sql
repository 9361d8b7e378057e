-- I14: no sum crosses currencies.
select charges.payer_id, charges.product, charges.currency, payers.currency as payer_currency
from rolled.charges as charges
inner join rolled.payers as payers on charges.payer_id = payers.payer_id
where charges.currency <> payers.currency
order by charges.payer_id, charges.product
