-- Lines beside usage: what commitments cost, what was paid already, below zero, and what corrects
-- lines of closed periods.
-- Grain: line_type, payer_id, account_id, product, source_id.
with
consumed as (
    select payer_id, grant_id, product, sum(amount_minor) as amount_minor, sum(drawn) as drawn
    from invoice.draw_downs
    group by payer_id, grant_id, product
),

-- Fees and true-ups are for their window, as far as it lies in the period.
windows as (
    select
        commitments.*,
        currencies.exponent,
        payers.period_start,
        payers.period_end,
        greatest(commitments.window_start, payers.period_start) as service_start,
        least(commitments.window_end, payers.period_end) as service_end
    from rules.commitments as commitments
    inner join rolled.payers as payers on commitments.payer_id = payers.payer_id
    inner join rules.currencies as currencies on commitments.currency = currencies.currency
)

select
    'overage' as line_type,
    windows.payer_id,
    windows.account_id,
    overages.product,
    windows.commitment_id as source_id,
    'Overage: ' || windows.description as description,
    windows.period_start as service_start,
    windows.period_end as service_end,
    overages.amount_minor,
    windows.currency,
    windows.commitment_id,
    cast(null as varchar) as grant_id,
    cast(null as varchar) as asset,
    cast(null as decimal(38, 24)) as asset_amount,
    cast(null as varchar) as corrects_line_key,
    cast(null as varchar) as corrects_period,
    cast(null as varchar) as backfill_id
from invoice.overages as overages
inner join windows
    on overages.payer_id = windows.payer_id
    and overages.commitment_id = windows.commitment_id
union all
select
    'commitment_fee' as line_type,
    payer_id,
    account_id,
    product,
    commitment_id as source_id,
    'Commitment fee: ' || description as description,
    service_start,
    service_end,
    minor_units(fee, exponent) as amount_minor,
    currency,
    commitment_id,
    null as grant_id,
    null as asset,
    null as asset_amount,
    null as corrects_line_key,
    null as corrects_period,
    null as backfill_id
from windows
where fee <> 0
union all
select
    'true_up' as line_type,
    windows.payer_id,
    windows.account_id,
    windows.product,
    windows.commitment_id as source_id,
    'True-up: ' || windows.description as description,
    windows.service_start,
    windows.service_end,
    minor_units(statements.true_up, windows.exponent) as amount_minor,
    windows.currency,
    windows.commitment_id,
    null as grant_id,
    null as asset,
    null as asset_amount,
    null as corrects_line_key,
    null as corrects_period,
    null as backfill_id
from windows
inner join invoice.commitments as statements
    on windows.payer_id = statements.payer_id
    and windows.commitment_id = statements.commitment_id
    and statements.true_up <> 0
union all
select
    case when grants.commitment_id is null then 'balance_consumed' else 'commitment_consumed' end
        as line_type,
    consumed.payer_id,
    grants.account_id,
    consumed.product,
    consumed.grant_id as source_id,
    case when grants.commitment_id is null then 'Balance' else 'Commitment' end
        || ' consumed: ' || grants.description as description,
    payers.period_start as service_start,
    payers.period_end as service_end,
    cast(-consumed.amount_minor as hugeint) as amount_minor,
    grants.currency,
    grants.commitment_id,
    consumed.grant_id,
    grants.asset,
    cast(consumed.drawn as decimal(38, 24)) as asset_amount,
    null as corrects_line_key,
    null as corrects_period,
    null as backfill_id
from consumed
inner join rules.grants as grants
    on consumed.payer_id = grants.payer_id
    and consumed.grant_id = grants.grant_id
inner join rolled.payers as payers on consumed.payer_id = payers.payer_id
union all
select
    'wallet_settlement' as line_type,
    settlements.payer_id,
    settlements.account_id,
    settlements.product,
    settlements.asset as source_id,
    'Paid from the wallet: ' || plain(settlements.asset_amount) || ' ' || settlements.asset
        as description,
    payers.period_start as service_start,
    payers.period_end as service_end,
    cast(-settlements.amount_minor as hugeint) as amount_minor,
    settlements.currency,
    null as commitment_id,
    null as grant_id,
    settlements.asset,
    settlements.asset_amount,
    null as corrects_line_key,
    null as corrects_period,
    null as backfill_id
from billed.settlements as settlements
inner join rolled.payers as payers on settlements.payer_id = payers.payer_id
where settlements.asset_amount <> 0
union all
select
    case when amount_minor < 0 then 'credit_adjustment' else 'debit_adjustment' end as line_type,
    payer_id,
    account_id,
    product,
    kind || '/' || backfill_id || '/' || corrects_line_key as source_id,
    description,
    service_start,
    service_end,
    amount_minor,
    currency,
    null as commitment_id,
    null as grant_id,
    null as asset,
    null as asset_amount,
    corrects_line_key,
    corrects_period,
    backfill_id
from rules.corrections
