-- Every outcome, however it was found: the partition of all usage and all debits of the period.
-- Grain: as declared. A debit of an account above or below the one that used is of the hierarchy.
-- What was captured beyond the worth of usage is corrected where it was taken: it paid for nothing.
-- What an earlier run found of rows that this one does not look at again is counted with the rest.
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
),

-- The authorization that a person looks for is that of the first entry of a break.
holds as (
    select listed_id(entry_id) as listed_id, max(authorization_id) as authorization_id
    from recon.entries
    where authorization_id is not null
        and entry_id in (
            select unnest([
                split_part(breaks.entry_ids, ' ', 1),
                replace(split_part(breaks.entry_ids, ' ', 1), '%20', ' ')
            ])
            from found as breaks
            where breaks.fate = 'break'
        )
    group by listed_id(entry_id)
),

judged as (
    select
        placed.* exclude (is_from_own_wallet) replace (
            case
                when placed.code = 'ACCOUNT_MISMATCH'
                    and (above.account_id is not null or below.account_id is not null)
                    then 'HIERARCHY_MISMATCH'
                else placed.code
            end as code
        ),
        holds.authorization_id,
        cast(
            case
                when placed.is_from_own_wallet and placed.fate = 'match' then placed.captured
                when placed.is_from_own_wallet and placed.fate = 'break'
                    and placed.code <> 'UNRATED'
                    then greatest(least(placed.captured, placed.expected), 0)
                else 0
            end
            as decimal(38, 24)
        ) as paid
    from placed
    left join holds
        on placed.fate = 'break'
        and split_part(placed.entry_ids, ' ', 1) = holds.listed_id
    left join recon.kin as above
        on placed.usage_account_id = above.account_id
        and placed.debit_account_id = above.ancestor_id
    left join recon.kin as below
        on placed.debit_account_id = below.account_id
        and placed.usage_account_id = below.ancestor_id
),

counted as (
    select * from judged
    union all by name
    select * from carried.outcomes
)

select
    fate,
    code,
    break_key,
    usage_payer_id,
    usage_account_id,
    usage_asset,
    debit_payer_id,
    debit_account_id,
    debit_asset,
    event_id,
    authorization_id,
    cast(sum(expected) as decimal(38, 24)) as expected,
    cast(sum(actual) as decimal(38, 24)) as actual,
    cast(sum(money) as decimal(38, 24)) as money,
    currency,
    cast(sum(captured) as decimal(38, 24)) as captured,
    cast(sum(accepted) as decimal(38, 24)) as accepted,
    products,
    rate_at,
    cast(sum(usage_count) as bigint) as usage_count,
    cast(sum(entry_count) as bigint) as entry_count,
    min(first_at) filter (where fate = 'break') as first_at,
    counted_quantity,
    debited_quantity,
    debit_count,
    entry_ids,
    detail,
    cast(sum(paid) as decimal(38, 24)) as paid
from counted
group by all
