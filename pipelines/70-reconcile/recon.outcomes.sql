-- Every outcome, however it was found: the partition of all usage and all debits of the period.
-- Grain: as declared. A debit of an account above or below the one that used is of the hierarchy.
-- What was captured beyond the worth of usage is corrected where it was taken: it paid for nothing.
with
found as (
    select * from recon.plain_outcomes
    union all by name
    select * from recon.life_outcomes
    union all by name
    select * from recon.group_outcomes
    union all by name
    select * from recon.entry_outcomes
),

placed as (
    select
        *,
        products <> ''
        and usage_asset = debit_asset
        and (usage_account_id = debit_account_id or usage_payer_id = debit_payer_id)
            as is_from_own_wallet
    from found
)

select
    placed.* exclude (is_from_own_wallet) replace (
        case
            when placed.code = 'ACCOUNT_MISMATCH'
                and (above.account_id is not null or below.account_id is not null)
                then 'HIERARCHY_MISMATCH'
            else placed.code
        end as code
    ),
    cast(
        case
            when placed.is_from_own_wallet and placed.fate = 'match' then placed.captured
            when placed.is_from_own_wallet and placed.fate = 'break' and placed.code <> 'UNRATED'
                then greatest(least(placed.captured, placed.expected), 0)
            else 0
        end
        as decimal(38, 24)
    ) as paid
from placed
left join recon.kin as above
    on placed.usage_account_id = above.account_id
    and placed.debit_account_id = above.ancestor_id
left join recon.kin as below
    on placed.debit_account_id = below.account_id
    and placed.usage_account_id = below.ancestor_id
