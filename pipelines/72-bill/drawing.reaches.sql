-- Accounts that grants are for, where those are not all that the payer pays for.
-- Grain: owner_id, grant_id, account_id.
with
paid_for as (
    select payer_id, count(distinct account_id) as account_count
    from accounts.paths
    group by payer_id
),

held as (
    select payer_id, holder_id, count(*) as account_count
    from rules.holder_accounts
    group by payer_id, holder_id
)

select grants.payer_id as owner_id, grants.grant_id, holders.account_id
from rules.grants as grants
inner join rules.holder_accounts as holders
    on grants.payer_id = holders.payer_id
    and grants.grant_id = holders.holder_id
inner join held
    on grants.payer_id = held.payer_id
    and grants.grant_id = held.holder_id
inner join paid_for on grants.payer_id = paid_for.payer_id
where held.account_count < paid_for.account_count
    and grants.meter is null
