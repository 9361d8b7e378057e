-- What each commitment lacks when its window ends, and what bills that.
-- Grain: owner_id, commitment_id. Never below zero: what was used above one is overage.
with
charged as (
    select owner_id, commitment_id, sum(size) as size
    from drawing.charges
    group by owner_id, commitment_id
),

counted as (
    select
        commitments.*,
        commitments.counted_before + coalesce(charged.size, 0) as counted
    from drawing.commitments as commitments
    left join charged
        on commitments.owner_id = charged.owner_id
        and commitments.commitment_id = charged.commitment_id
),

lacking as (
    select *, greatest(committed - counted, 0) as shortfall
    from counted
),

billed as (
    select
        *,
        case true_up
            when 'due' then shortfall * within_factor
            when 'none' then 0
            else error('true_up: ' || true_up || ' is not due or none')
        end as exact
    from lacking
)

select
    owner_id,
    commitment_id,
    cast(counted as hugeint) as counted,
    cast(shortfall as hugeint) as shortfall,
    cast(exact as hugeint) as exact,
    cast(divide_rounded(exact, rounding_divisor, rounding_mode) as hugeint) as rounded
from billed
