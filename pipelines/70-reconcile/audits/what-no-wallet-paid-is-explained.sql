-- Usage that no wallet paid for is explained, per account and asset: rated at list price - paid =
-- accepted differences + what breaks left unpaid + usage of postpaid wallets and of those without a
-- log. Rated comes from the charges, paid by product from the payments, the rest from the matching.
with
sides as (
    select account_id, asset, rated - repriced as unpaid, cast(0 as decimal(38, 24)) as explained
    from recon.tie_outs
    union all
    select account_id, asset, -asset_amount as unpaid, cast(0 as decimal(38, 24)) as explained
    from recon.wallet_payments
    union all
    select usage_account_id as account_id, usage_asset as asset,
        cast(0 as decimal(38, 24)) as unpaid, expected - paid as explained
    from recon.outcomes
    where usage_account_id is not null
)

select account_id, asset, sum(unpaid) as unpaid, sum(explained) as explained
from sides
group by account_id, asset
having sum(unpaid) is distinct from sum(explained)
order by account_id, asset
