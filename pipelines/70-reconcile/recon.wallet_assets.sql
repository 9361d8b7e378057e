-- Assets with the instants at which one unit becomes worth something else.
-- Grain: asset. Nearly all have one rate or none: then nobody asks when a debit was booked.
with
changes as (
    select asset, list_sort(list(distinct rate_from)) as instants
    from rules.asset_rates
    group by asset
    having count(distinct rate_from) > 1
)

select
    assets.asset,
    assets.kind,
    assets.tolerance,
    assets.tolerance_percent,
    assets.tolerance_cap,
    cast(assets.tolerance as decimal(38, 24)) as tolerance_amount,
    not exists (
        select * from rules.off_rules as off where off.asset = assets.asset and off.rule = 'R2'
    ) as is_tolerant,
    not exists (
        select * from rules.off_rules as off where off.asset = assets.asset and off.rule = 'R4'
    ) as is_by_day,
    changes.instants as rate_changes
from rules.assets as assets
left join changes on assets.asset = changes.asset
