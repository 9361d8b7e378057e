-- What accounts would be charged, used or not, by a rate in another currency than their payer's.
-- Grain: rate_id, payer_id, pool_id, account_id. Nothing is charged for it, and its payer is held.
select
    account_rates.rate_id,
    account_rates.payer_id,
    account_rates.pool_id,
    account_rates.account_id,
    rates.product,
    rates.meter,
    rates.unit,
    account_rates.currency,
    case when missing.evidence is null then 'RATE_CURRENCY' else 'CONVERSION_MISSING' end as code,
    missing.evidence
from pricing.account_rates as account_rates
inner join rules.rates as rates on account_rates.rate_id = rates.rate_id
inner join pricing.payers as payers on account_rates.payer_id = payers.payer_id
left join rules.missing_conversions as missing
    on account_rates.currency = missing.from_currency
    and payers.currency = missing.to_currency
where account_rates.is_foreign
