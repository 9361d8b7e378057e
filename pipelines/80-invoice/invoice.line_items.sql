-- Invoice lines: one per charge, or per charges that are summed up in one account, rounded once.
-- Grain: line_key. The key says what the line is, never when or by which run it was made.
with
names as (
    select account_id, arg_max(account_name, valid_from) as account_name
    from accounts.paths
    group by account_id
),

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
        cast(sum(charges.amount) as decimal(38, 24)) as amount,
        case when count(charges.rounded) = count(*) then sum(charges.rounded) end as rounded,
        max(charges.currency) as currency,
        min(charges.service_start) as service_start,
        max(charges.service_end) as service_end
    from rolled.charges as charges
    left join invoice.line_accounts as shown
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

described as (
    select
        charges.*,
        payers.payer_name,
        payers.period_start,
        payers.period_end,
        payers.time_zone,
        names.account_name,
        rates.card,
        rates.card_version,
        rates.description || coalesce(
            ' (' || nullif(
                array_to_string(
                    list_transform(
                        list_sort(json_keys(charges.attributes)),
                        lambda name: charges.attributes ->> ('$."' || name || '"')
                    ),
                    ', '
                ),
                ''
            ) || ')',
            ''
        ) as description,
        currencies.exponent,
        cast(
            coalesce(charges.rounded, money_round(charges.amount, currencies.exponent))
            as decimal(38, 12)
        ) as rounded_once,
        holds.recon_status
    from summed as charges
    inner join rolled.payers as payers on charges.payer_id = payers.payer_id
    inner join rules.rates as rates on charges.rate_id = rates.rate_id
    inner join rules.currencies as currencies on charges.currency = currencies.currency
    inner join recon.holds as holds on charges.payer_id = holds.payer_id
    inner join names on charges.account_id = names.account_id
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
    payer_id || '/' || strftime(timezone(time_zone, timezone('UTC', period_start)), '%Y-%m')
        || '/' || currency as invoice_key,
    'usage' as line_type,
    payer_id,
    payer_name,
    account_id,
    account_name,
    product,
    meter,
    attributes,
    description,
    period_start,
    period_end,
    service_start,
    service_end,
    time_zone,
    quantity,
    unit,
    unit_price,
    rate_id,
    card,
    card_version,
    amount as amount_exact,
    rounded_once as amount,
    cast(
        rounded_once * case exponent
            when 0 then 1 when 1 then 10 when 2 then 100 when 3 then 1000 else 10000
        end
        as hugeint
    ) as amount_minor,
    currency,
    recon_status
from described
