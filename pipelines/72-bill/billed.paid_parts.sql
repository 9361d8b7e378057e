-- What of each part of a line is settled: the settlement of the line, by what was paid for them.
-- Grain: payer_id, charge_no. Minor units that are left go to the largest remainders. No part takes
-- more than its size: what is beyond goes to those with room, in their order, and of a settlement
-- above the line the rest is in the settlement alone.
with
settled as (
    select line_key, sum(amount_minor) as amount_minor
    from billed.line_settlements
    where line_key is not null
    group by line_key
),

paid as (
    select
        payer_id,
        charge_no,
        greatest(without_point(cast(sum(amount_exact) as decimal(38, 12))), 1) as weight
    from billed.payments
    where line_key is not null
    group by payer_id, charge_no
),

weighed as (
    select
        parts.payer_id,
        parts.charge_no,
        parts.line_key,
        parts.amount_minor as size,
        least(settled.amount_minor, lines.amount_minor) as spread,
        coalesce(paid.weight, 0) as weight,
        cast(sum(coalesce(paid.weight, 0)) over (partition by parts.line_key) as hugeint) as whole
    from billed.parts as parts
    inner join settled on parts.line_key = settled.line_key
    inner join billed.lines as lines
        on parts.line_key = lines.line_key
        and lines.amount_minor > 0
    left join paid
        on parts.payer_id = paid.payer_id
        and parts.charge_no = paid.charge_no
),

cut as (
    select
        *,
        share_cut(spread, weight, whole) as minor_part,
        share_rest(spread, weight, whole) as rest
    from weighed
),

ranked as (
    select
        *,
        spread - sum(minor_part) over (partition by line_key) as minor_left,
        row_number() over (partition by line_key order by rest desc, charge_no) as rest_no
    from cut
),

shared as (
    select
        *,
        least(size, minor_part + case when rest_no <= minor_left then 1 else 0 end) as share
    from ranked
),

-- What no share took yet, and the room up to and with this part.
roomy as (
    select
        *,
        spread - sum(share) over (partition by line_key) as beyond,
        sum(size - share) over (partition by line_key order by charge_no) as room
    from shared
),

filled as (
    select
        payer_id,
        charge_no,
        share + least(size - share, greatest(beyond - room + size - share, 0)) as paid
    from roomy
)

select payer_id, charge_no, cast(paid as hugeint) as paid
from filled
where paid > 0
