-- Days whose partials are of no use: they are cut in another way now, finer or coarser. Coarser
-- ones could be added, but each was rounded to its twelfth decimal.
-- Grain: account_id, event_on.
with
cells as (
    select account_id, event_on, kept_owner_no, kept_segment_at, owner_no, segment_at
    from cut.spans
    group by all
),

counted as (
    select
        *,
        count(*) over (
            partition by account_id, event_on, kept_owner_no, kept_segment_at
        ) as now_count,
        count(*) over (partition by account_id, event_on, owner_no, segment_at) as kept_count
    from cells
)

select account_id, event_on
from counted
where now_count > 1 or kept_count > 1
group by account_id, event_on
