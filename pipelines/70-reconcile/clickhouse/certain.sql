-- Events whose outcome is certain here: a match, nobody to audit them, or none at all.
-- Grain: event_id. What 70-reconcile/recon.plain_outcomes.sql finds of them; all others go back.
with
captures as (
    select
        assumeNotNull(event_id) as event_id,
        maxIf(account_id, entry_type = 'capture') as account_id,
        maxIf(payer_id, entry_type = 'capture') as payer_id,
        maxIf(asset, entry_type = 'capture') as asset,
        maxIf(amount, entry_type = 'capture') as amount,
        maxIf(quantity, entry_type = 'capture') as quantity,
        maxIf(is_in_period, entry_type = 'capture') as is_in_period,
        maxIf(booked_us, entry_type = 'capture') as booked_us,
        count(authorization_id) > 0 as is_authorized,
        toInt64(count()) as entry_count
    from entries
    where isNotNull(event_id) and event_id not in (select event_id from touched_events)
    group by event_id
),

measured as (
    select
        usage.event_id as event_id,
        usage.is_counted as is_counted,
        usage.is_safe as is_safe,
        usage.payer_id as usage_payer_id,
        usage.account_id as usage_account_id,
        usage.wallet_asset as usage_asset,
        usage.wallet_shape as wallet_shape,
        usage.currency as currency,
        usage.products as products,
        usage.is_in_period as is_used_in_period,
        usage.is_unrated as is_unrated,
        usage.rated_amount as rated_amount,
        usage.counted_quantity as counted_quantity,
        captures.entry_count > 0 as is_debited,
        captures.entry_count > 1 as is_held,
        captures.is_authorized as is_authorized,
        captures.account_id as debit_account_id,
        captures.payer_id as debit_payer_id,
        captures.asset as debit_asset,
        captures.quantity as debit_quantity,
        captures.entry_count as entry_count,
        captures.is_in_period as is_debited_in_period,
        toDecimal256(captures.amount, 24) as captured,
        usage.account_id in (select account_id from logged_accounts)
        or usage.payer_id in (select account_id from logged_accounts) as is_audited,
        wallet_assets.asset <> '' as is_asset_known,
        wallet_assets.tolerance as tolerance,
        wallet_assets.is_tolerant as is_tolerant,
        wallet_assets.kind as kind,
        if(
            wallet_assets.kind = 'unit',
            toDecimal256(ifNull(usage.counted_quantity, toDecimal256(0, 12)), 24),
            usage.rated_amount
        ) as worth,
        if(captures.entry_count > 0, captures.booked_us, usage.event_us) as booked_us,
        if(
            empty(wallet_assets.rate_changes),
            null,
            if(
                wallet_assets.rate_changes[1] > booked_us,
                wallet_assets.rate_changes[1],
                arrayLast(of -> of <= booked_us, wallet_assets.rate_changes)
            )
        ) as rate_us
    from event_values as usage
    left any join captures on usage.event_id = captures.event_id
    left any join wallet_assets on usage.wallet_asset = wallet_assets.asset
),

judged as (
    select
        *,
        multiIf(
            not is_safe or wallet_shape = 'aggregated' or not is_asset_known, '',
            not is_counted, if(is_debited, '', 'none'),
            not is_used_in_period and not (is_debited and is_debited_in_period), 'none',
            not is_debited, if(is_audited, '', 'unauditable'),
            not is_used_in_period or not is_debited_in_period, '',
            is_unrated, '',
            wallet_shape = 'two_phase' and is_authorized and not is_held, '',
            debit_asset <> usage_asset or debit_account_id <> usage_account_id, '',
            kind = 'currency' and ifNull(counted_quantity <> debit_quantity, 0), '',
            captured = worth, 'R1',
            is_tolerant and abs(captured - worth) <= tolerance, 'R2',
            ''
        ) as code
    from measured
)

select
    event_id,
    code,
    usage_payer_id,
    usage_account_id,
    usage_asset,
    currency,
    products,
    rate_us,
    if(is_debited, debit_payer_id, null) as debit_payer_id,
    if(is_debited, debit_account_id, null) as debit_account_id,
    if(is_debited, debit_asset, null) as debit_asset,
    is_used_in_period,
    is_unrated,
    is_counted,
    rated_amount,
    worth,
    captured,
    counted_quantity,
    entry_count
from judged
where code <> '' and rated_amount < 100000000000000
