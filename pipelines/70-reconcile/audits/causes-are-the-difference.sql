-- Rated - debited of an account and asset is the sum of its causes, exactly.
with
sides as (
    select account_id, asset, difference, cast(0 as decimal(38, 24)) as explained
    from recon.tie_outs
    union all
    select account_id, asset, cast(0 as decimal(38, 24)) as difference, amount as explained
    from recon.difference_causes
)

select account_id, asset, sum(difference) as difference, sum(explained) as explained
from sides
group by account_id, asset
having sum(difference) is distinct from sum(explained)
order by account_id, asset
