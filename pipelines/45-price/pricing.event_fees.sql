-- What each event pays: percent of its amount and a fixed fee, after the free part, between the
-- per-event minimum and maximum.
-- Grain: line_id, group_id, event_no. An event is wholly free while no limit was reached before it
-- and its value fits in what is left; the first that does not fit ends the free part.
with
-- A bare quantity of a model that looks at events is one amount; none at all when it is zero.
valued as (
    select line_id, group_id, event_no, value
    from pricing.events
    union all
    select quantities.line_id, quantities.group_id, cast(1 as bigint) as event_no,
        quantities.quantity as value
    from pricing.quantities as quantities
    inner join pricing.charges as charges
        on quantities.line_id = charges.line_id
        and charges.kind = 'amount'
    where quantities.quantity > 0
),

counted as (
    select
        events.line_id,
        events.group_id,
        events.event_no,
        case when events.value < 0 then -1 else 1 end as sign,
        abs(events.value) as size,
        events.value < 0 as is_negative,
        count(*) filter (where events.value >= 0) over before_and_this as event_count,
        coalesce(sum(events.value) filter (where events.value >= 0) over before_and_this, 0)
            as running
    from valued as events
    inner join pricing.charges as charges on events.line_id = charges.line_id
    where not (events.value < 0 and charges.is_clamped)
    window before_and_this as (
        partition by events.line_id, events.group_id
        order by events.event_no
        rows between unbounded preceding and current row
    )
),

freed as (
    select
        counted.*,
        charges.fixed_fee,
        charges.event_minimum,
        charges.event_maximum,
        tiers.unit_price,
        case
            when counted.is_negative then 0
            when charges.free_events is null and charges.free_amount is null then 0
            when charges.free_events is not null and counted.event_count > charges.free_events
                then 0
            when charges.free_amount is null then counted.size
            else least(
                counted.size,
                greatest(charges.free_amount - (counted.running - counted.size), 0)
            )
        end as free_part,
        not counted.is_negative
        and (charges.free_events is not null or charges.free_amount is not null)
        and (charges.free_events is null or counted.event_count <= charges.free_events)
        and (
            charges.free_amount is null
            or (
                counted.running - counted.size < charges.free_amount
                and counted.running <= charges.free_amount
            )
        ) as is_free
    from counted
    inner join pricing.charges as charges on counted.line_id = charges.line_id
    inner join pricing.tiers as tiers
        on counted.line_id = tiers.line_id
        and tiers.tier_no = 1
)

select
    line_id,
    group_id,
    event_no,
    cast(sign * (size - free_part) as hugeint) as paid,
    cast(case when is_free then 0 else sign * fixed_fee end as hugeint) as fixed_fee,
    cast(
        case
            when is_free then 0
            else sign * greatest(
                least(
                    (size - free_part) * unit_price + fixed_fee,
                    coalesce(event_maximum, (size - free_part) * unit_price + fixed_fee)
                ),
                coalesce(event_minimum, 0)
            )
        end
        as hugeint
    ) as fee
from freed
