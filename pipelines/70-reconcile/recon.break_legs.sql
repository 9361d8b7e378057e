-- How each break enters the tie-out: what usage says on its account and asset, less what was
-- debited on the account and asset it was debited from.
-- Grain: break_id, account_id, asset.
with
legs as (
    select
        break_id_of(
            case when unconverted.account_id is null or code <> 'UNRATED' then code
                else 'CONVERSION_MISSING'
            end,
            break_key,
            coalesce(usage_account_id, debit_account_id),
            coalesce(usage_asset, debit_asset),
            debit_account_id,
            debit_asset
        ) as break_id,
        outcomes.* replace (
            case when unconverted.account_id is null or code <> 'UNRATED' then code
                else 'CONVERSION_MISSING'
            end as code
        )
    from recon.outcomes as outcomes
    left join recon.unconverted_accounts as unconverted
        on outcomes.usage_payer_id = unconverted.payer_id
        and outcomes.usage_account_id = unconverted.account_id
    where fate = 'break'
),

sided as (
    select break_id, code, usage_account_id as account_id, usage_asset as asset, expected as amount
    from legs
    where usage_account_id is not null
    union all
    select break_id, code, debit_account_id as account_id, debit_asset as asset, -actual as amount
    from legs
    where debit_account_id is not null
    union all
    select break_id, 'AMOUNT_ROUNDING' as code, account_id, asset, difference as amount
    from recon.accepted_differences
    where not is_within
)

select break_id, code, account_id, asset, cast(sum(amount) as decimal(38, 24)) as amount
from sided
group by break_id, code, account_id, asset
