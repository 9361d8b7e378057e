-- The period of each payer, cut where a window of a commitment or a span of a grant begins or ends.
-- Grain: payer_id, span_start. Mostly one: the whole period.
with
edges as (
    select payer_id, window_start as edge_at from rules.commitments
    union all
    select payer_id, window_end as edge_at from rules.commitments
    union all
    select payer_id, starts_at as edge_at from rules.grants
    union all
    select payer_id, expires_at as edge_at from rules.grants
),

starts as (
    select payer_id, period_end, period_start as span_start
    from rolled.payers
    union all
    select payers.payer_id, payers.period_end, edges.edge_at as span_start
    from edges
    inner join rolled.payers as payers
        on edges.payer_id = payers.payer_id
        and edges.edge_at > payers.period_start
        and edges.edge_at < payers.period_end
    group by payers.payer_id, payers.period_end, edges.edge_at
)

select
    payer_id,
    span_start,
    coalesce(lead(span_start) over (partition by payer_id order by span_start), period_end)
        as span_end
from starts
