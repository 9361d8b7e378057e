-- Invoice lines: one per charge, rounded once.
-- Grain: line_key. The key says what the line is, never when or by which run it was made.
with
names as (
    select account_id, arg_max(account_name, valid_from) as account_name
    from accounts.paths
    group by account_id
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
            ' (' || array_to_string(
                list_transform(
                    list_sort(json_keys(charges.attributes)),
                    lambda name: charges.attributes ->> ('$."' || name || '"')
                ),
                ', '
            ) || ')',
            ''
        ) as description,
        currencies.exponent,
        money_round(charges.amount, currencies.exponent) as rounded,
        holds.recon_status
    from rolled.charges as charges
    inner join rolled.payers as payers on charges.payer_id = payers.payer_id
    inner join rules.rates as rates on charges.rate_id = rates.rate_id
    inner join rules.currencies as currencies on charges.currency = currencies.currency
    inner join recon.holds as holds on charges.payer_id = holds.payer_id
    inner join names on charges.account_id = names.account_id
)

select
    sha256(
        to_json([
            'usage', payer_id, account_id, product, meter, attributes, rate_id,
            period_start::varchar, period_end::varchar, currency
        ])::varchar
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
    rounded as amount,
    cast(
        rounded * case exponent
            when 0 then 1 when 1 then 10 when 2 then 100 when 3 then 1000 else 10000
        end
        as hugeint
    ) as amount_minor,
    currency,
    recon_status
from described
