-- Invoice lines of all kinds.
-- Grain: line_key. The key says what the line is, never when or by which run it was made.
with
names as (
    select account_id, arg_max(account_name, valid_from) as account_name
    from accounts.paths
    group by account_id
),

used as (
    select
        lines.* exclude (pool_id),
        rates.card,
        rates.card_version,
        rates.description || coalesce(
            ' (' || nullif(
                array_to_string(
                    list_transform(
                        list_sort(json_keys(lines.attributes)),
                        lambda name: lines.attributes ->> ('$."' || name || '"')
                    ),
                    ', '
                ),
                ''
            ) || ')',
            ''
        ) as description,
        cast(null as varchar) as commitment_id,
        cast(null as varchar) as grant_id,
        cast(null as varchar) as asset,
        cast(null as decimal(38, 24)) as asset_amount,
        cast(null as varchar) as corrects_line_key,
        cast(null as varchar) as corrects_period,
        cast(null as varchar) as backfill_id
    from billed.lines as lines
    inner join rules.rates as rates on lines.rate_id = rates.rate_id
),

-- One of what it is: a fee, a payment.
others as (
    select
        sha256(
            to_json([
                lines.line_type, lines.payer_id, lines.account_id, lines.product,
                lines.source_id, payers.period_start::varchar, payers.period_end::varchar,
                lines.currency
            ])::varchar
        ) as line_key,
        lines.line_type,
        lines.payer_id,
        lines.account_id,
        lines.product,
        '' as meter,
        '{}' as attributes,
        '' as rate_id,
        '' as unit,
        minor_amount(lines.amount_minor, currencies.exponent) as unit_price,
        cast(1 as decimal(38, 12)) as quantity,
        cast(minor_amount(lines.amount_minor, currencies.exponent) as decimal(38, 24))
            as amount_exact,
        minor_amount(lines.amount_minor, currencies.exponent) as amount,
        lines.amount_minor,
        lines.currency,
        lines.service_start,
        lines.service_end,
        '' as card,
        '' as card_version,
        lines.description,
        lines.commitment_id,
        lines.grant_id,
        lines.asset,
        lines.asset_amount,
        lines.corrects_line_key,
        lines.corrects_period,
        lines.backfill_id
    from invoice.other_lines as lines
    inner join rolled.payers as payers on lines.payer_id = payers.payer_id
    inner join rules.currencies as currencies on lines.currency = currencies.currency
)

select
    lines.line_key,
    lines.payer_id || '/'
        || strftime(timezone(payers.time_zone, timezone('UTC', payers.period_start)), '%Y-%m')
        || '/' || lines.currency as invoice_key,
    lines.line_type,
    lines.payer_id,
    payers.payer_name,
    lines.account_id,
    coalesce(names.account_name, lines.account_id) as account_name,
    lines.product,
    lines.meter,
    lines.attributes,
    lines.description,
    payers.period_start,
    payers.period_end,
    lines.service_start,
    lines.service_end,
    payers.time_zone,
    lines.quantity,
    lines.unit,
    lines.unit_price,
    lines.rate_id,
    lines.card,
    lines.card_version,
    lines.amount_exact,
    lines.amount,
    lines.amount_minor,
    lines.currency,
    lines.commitment_id,
    lines.grant_id,
    lines.asset,
    lines.asset_amount,
    lines.corrects_line_key,
    lines.corrects_period,
    lines.backfill_id,
    holds.recon_status
from (
    select * from used
    union all by name
    select * from others
) as lines
inner join rolled.payers as payers on lines.payer_id = payers.payer_id
inner join recon.holds as holds on lines.payer_id = holds.payer_id
left join names on lines.account_id = names.account_id
