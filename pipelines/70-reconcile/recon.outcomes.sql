-- Every outcome, however it was found: the partition of all usage and all debits of the period.
-- Grain: as declared. A debit of an account above or below the one that used is of the hierarchy.
with
found as (
    select * from recon.plain_outcomes
    union all by name
    select * from recon.life_outcomes
    union all by name
    select * from recon.group_outcomes
    union all by name
    select * from recon.entry_outcomes
)

select
    found.* replace (
        case
            when found.code = 'ACCOUNT_MISMATCH'
                and (above.account_id is not null or below.account_id is not null)
                then 'HIERARCHY_MISMATCH'
            else found.code
        end as code
    )
from found
left join recon.kin as above
    on found.usage_account_id = above.account_id
    and found.debit_account_id = above.ancestor_id
left join recon.kin as below
    on found.debit_account_id = below.account_id
    and found.usage_account_id = below.ancestor_id
