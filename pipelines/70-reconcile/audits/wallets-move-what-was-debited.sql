-- What wallets moved for usage is what was debited for it, per account and asset: two counts of one
-- log, of which one is rolled forward and the other tied out.
with
counted as (
    select account_id, asset, -sum(balance_effect(entry_type, amount)) as debited,
        cast(0 as decimal(38, 24)) as tied
    from recon.wallet_movements
    where is_in_period and is_usage_debit(entry_type)
    group by account_id, asset
    union all
    select account_id, asset, cast(0 as decimal(38, 24)) as debited, amount as tied
    from recon.sides
    where side = 'debits'
)

select account_id, asset, sum(debited) as debited, sum(tied) as tied
from counted
group by account_id, asset
having sum(debited) is distinct from sum(tied)
order by account_id, asset
