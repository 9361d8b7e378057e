-- Lines of usage and fees: one per charge, or per charges that one account sums up, rounded once.
-- Grain: line_key. The key says what the line is, never when or by which run it was made.
with
-- What terms priced was rounded with all of its line, so its parts are only added up.
summed as (
    select
        charges.payer_id,
        coalesce(shown.line_account_id, charges.account_id) as account_id,
        charges.pool_id,
        charges.product,
        charges.meter,
        charges.attributes,
        charges.rate_id,
        max(charges.unit) as unit,
        max(charges.unit_price) as unit_price,
        cast(sum(charges.quantity) as decimal(38, 12)) as quantity,
        cast(sum(charges.amount) as decimal(38, 24)) as amount_exact,
        case when count(charges.rounded) = count(*) then sum(charges.rounded) end as rounded,
        max(charges.currency) as currency,
        min(charges.service_start) as service_start,
        max(charges.service_end) as service_end
    from rolled.charges as charges
    left join billed.line_accounts as shown
        on charges.payer_id = shown.payer_id
        and charges.account_id = shown.account_id
    group by
        charges.payer_id,
        coalesce(shown.line_account_id, charges.account_id),
        charges.pool_id,
        charges.product,
        charges.meter,
        charges.attributes,
        charges.rate_id
),

rounded_once as (
    select
        summed.*,
        rates.model,
        payers.period_start,
        payers.period_end,
        currencies.exponent,
        cast(
            coalesce(summed.rounded, money_round(summed.amount_exact, currencies.exponent))
            as decimal(38, 12)
        ) as amount
    from summed
    inner join rolled.payers as payers on summed.payer_id = payers.payer_id
    inner join rules.rates as rates on summed.rate_id = rates.rate_id
    inner join rules.currencies as currencies on summed.currency = currencies.currency
)

select
    sha256(
        to_json(
            list_concat(
                [
                    'usage', payer_id, account_id, product, meter, attributes, rate_id,
                    period_start::varchar, period_end::varchar, currency
                ],
                case when pool_id = '' then [] else [pool_id] end
            )
        )::varchar
    ) as line_key,
    case when model = 'flat' then 'fee' else 'usage' end as line_type,
    payer_id,
    account_id,
    pool_id,
    product,
    meter,
    attributes,
    rate_id,
    unit,
    unit_price,
    quantity,
    amount_exact,
    amount,
    minor_units(amount, exponent) as amount_minor,
    currency,
    service_start,
    service_end
from rounded_once
