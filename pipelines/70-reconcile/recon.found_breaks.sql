-- Every difference between usage and debits, with its effect on the tie-out and its worth.
-- Grain: break_id. The worth in money is the usage's own; a debit of units without usage takes
-- the average that its payer's usage of that asset came to.
with
averages as (
    select usage_payer_id as payer_id, usage_asset as asset, currency, sum(money) as money,
        sum(expected) as counted
    from recon.outcomes as outcomes
    where fate in ('match', 'break') and money is not null and usage_asset is not null
    group by usage_payer_id, usage_asset, currency
    having sum(expected) > 0
),

found as (
    select
        outcomes.* replace (
            case
                when outcomes.code = 'UNRATED' and unconverted.account_id is not null
                    then 'CONVERSION_MISSING'
                else outcomes.code
            end as code
        ),
        coalesce(usage_payer_id, debit_payer_id) as payer_id,
        coalesce(usage_account_id, debit_account_id) as account_id,
        coalesce(usage_asset, debit_asset) as asset,
        usage_account_id is null
        or debit_account_id is null
        or (usage_account_id = debit_account_id and usage_asset = debit_asset) as is_one_sided
    from recon.outcomes as outcomes
    left join recon.unconverted_accounts as unconverted
        on outcomes.usage_payer_id = unconverted.payer_id
        and outcomes.usage_account_id = unconverted.account_id
    where fate = 'break'
),

amounted as (
    select
        found.*,
        -- With two accounts or assets the difference in the first is all that usage says.
        expected - case when is_one_sided then actual else 0 end as amount
    from found
),

priced as (
    select
        amounted.*,
        case
            -- What usage without a price is worth nobody knows: it is not zero.
            when amounted.code in ('UNRATED', 'CONVERSION_MISSING') then null
            when assets.kind = 'currency' then amounted.amount
            when amounted.amount = 0 then 0
            else coalesce(
                cast(money_share(amounted.money, amounted.amount, amounted.expected)
                    as decimal(38, 24)),
                cast(money_share(averages.money, amounted.amount, averages.counted)
                    as decimal(38, 24))
            )
        end as money_amount,
        case
            when assets.kind = 'currency' then amounted.asset
            else coalesce(amounted.currency, averages.currency)
        end as money_currency
    from amounted
    left join rules.assets as assets on amounted.asset = assets.asset
    left join averages
        on amounted.payer_id = averages.payer_id
        and amounted.asset = averages.asset
        and assets.kind = 'unit'
)

select
    break_id_of(code, break_key, account_id, asset, debit_account_id, debit_asset) as break_id,
    code,
    case
        when break_key like 'authorization:%' then substr(break_key, 15)
        when break_key like 'entry:%' then substr(break_key, 7)
        when code = 'OPEN_HOLD' and usage_account_id is null
            then coalesce(authorization_id, break_key)
        else break_key
    end as break_key,
    payer_id,
    account_id,
    asset,
    cast(amount as decimal(38, 24)) as amount,
    expected,
    actual,
    cast(money_amount as decimal(38, 24)) as money_amount,
    money_currency as currency,
    event_id,
    authorization_id,
    entry_ids,
    first_at,
    date_diff('day', first_at, parameters.as_of) as age_days,
    detail
from priced
cross join run.parameters as parameters

union all

select
    sha256(to_json(['SEQUENCE_GAP', input, wallet_id, missing])::varchar) as break_id,
    'SEQUENCE_GAP' as code,
    wallet_id as break_key,
    payer_id,
    account_id,
    asset,
    cast(0 as decimal(38, 24)) as amount,
    cast(0 as decimal(38, 24)) as expected,
    cast(0 as decimal(38, 24)) as actual,
    -- What the missing entries were worth nobody knows: it is not zero, and it holds the payer.
    cast(null as decimal(38, 24)) as money_amount,
    cast(null as varchar) as currency,
    cast(null as varchar) as event_id,
    cast(null as varchar) as authorization_id,
    '' as entry_ids,
    first_at,
    date_diff('day', first_at, parameters.as_of) as age_days,
    missing_count || ' number(s) missing between ' || first_sequence || ' and ' || last_sequence
        || ': ' || missing as detail
from recon.sequence_gaps
cross join run.parameters as parameters

union all by name

-- What was accepted of a payer is over its limit: once for each account, whatever made it.
select
    accepted.break_id,
    'AMOUNT_ROUNDING' as code,
    accepted.account_id as break_key,
    accepted.payer_id,
    accepted.account_id,
    accepted.asset,
    accepted.difference as amount,
    accepted.expected,
    accepted.actual,
    case
        when assets.kind = 'currency' then accepted.difference
        else cast(money_share(accepted.money, accepted.difference, accepted.expected)
            as decimal(38, 24))
    end as money_amount,
    accepted.currency,
    '' as entry_ids,
    -- It is of the whole period: nobody keeps when each of so many matches was.
    parameters.period_start as first_at,
    date_diff('day', parameters.period_start, parameters.as_of) as age_days,
    'differences of ' || plain(accepted.accepted) || ' without their signs; of the payer '
        || plain(accepted.of_payer) || ', more than ' || plain(assets.tolerance_total) as detail
from recon.accepted_differences as accepted
inner join rules.assets as assets on accepted.asset = assets.asset
cross join run.parameters as parameters
where not accepted.is_within

union all by name

select * from recon.form_breaks
