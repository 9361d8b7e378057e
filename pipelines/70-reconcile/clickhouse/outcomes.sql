-- Outcomes of what is certain here, added up as 70-reconcile/recon.outcomes.sql adds them up.
-- Grain: code and whose it is. Decimals are written as text: no format rounds them.
select
    code,
    usage_payer_id,
    usage_account_id,
    usage_asset,
    debit_payer_id,
    debit_account_id,
    debit_asset,
    currency,
    products,
    rate_us,
    toString(sum(worth)) as expected,
    toString(sum(captured)) as actual,
    toString(sumOrNullIf(rated_amount, not is_unrated)) as money,
    toString(sumIf(abs(captured - worth), code in ('R1', 'R2'))) as accepted,
    toString(
        sumIf(
            captured,
            code in ('R1', 'R2')
            and products <> ''
            and (usage_account_id = debit_account_id or usage_payer_id = debit_payer_id)
        )
    ) as paid,
    toInt64(count()) as usage_count,
    toInt64(sum(entry_count)) as entry_count
from certain
where code <> 'none'
group by
    code, usage_payer_id, usage_account_id, usage_asset, debit_payer_id, debit_account_id,
    debit_asset, currency, products, rate_us
