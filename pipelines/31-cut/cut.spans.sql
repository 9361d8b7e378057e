-- Days of accounts, cut wherever the run cut them that is re-priced, or rates and paths of today.
-- Grain: account_id, from_at. What was in the period still is: payers and periods have not changed.
with
boundaries as (
    select boundary_at from kept.boundaries where meter = ''
    union all
    select boundary_at from run.boundaries where meter = ''
),

instants as (
    select account_id, from_at from cut.stretches
    union all
    select account_id, unnest(
        generate_series(
            date_trunc('day', from_at) + interval 1 day, to_at - interval 1 microsecond,
            interval 1 day
        )
    ) as from_at
    from cut.stretches
    where is_kept
    union all
    select stretches.account_id, boundaries.boundary_at as from_at
    from cut.stretches as stretches
    inner join boundaries
        on stretches.from_at < boundaries.boundary_at
        and stretches.to_at > boundaries.boundary_at
    where stretches.is_kept
),

cuts as (
    select account_id, from_at from instants group by account_id, from_at
),

segments as (
    select timestamp '0001-01-01' as segment_at
    union all
    select boundary_at as segment_at from run.boundaries where meter = ''
),

kept_segments as (
    select timestamp '0001-01-01' as segment_at
    union all
    select boundary_at as segment_at from kept.boundaries where meter = ''
)

select
    cuts.account_id,
    cuts.from_at,
    cast(cuts.from_at as date) as event_on,
    kept.owner_no as kept_owner_no,
    kept_segments.segment_at as kept_segment_at,
    now.owner_no,
    segments.segment_at
from cuts
asof join (select * from cut.stretches where is_kept) as kept
    on cuts.account_id = kept.account_id and cuts.from_at >= kept.from_at
asof join (select * from cut.stretches where not is_kept) as now
    on cuts.account_id = now.account_id and cuts.from_at >= now.from_at
asof join kept_segments on cuts.from_at >= kept_segments.segment_at
asof join segments on cuts.from_at >= segments.segment_at
where cuts.from_at < kept.to_at and cuts.from_at < now.to_at
