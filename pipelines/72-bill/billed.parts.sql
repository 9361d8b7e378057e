-- The rounded amount of each line, spread over who used it and when.
-- Grain: payer_id, charge_no. By quantity, for all of a line has one rate; alike where nothing was
-- used. Minor units that are left go to the largest remainders; equals in the order of their keys.
with
weighed as (
    select
        portions.*,
        lines.line_type,
        lines.product,
        lines.meter,
        lines.amount_minor as line_minor,
        case
            when sum(portions.quantity) over of_line = 0 then 1
            else without_point(portions.quantity)
        end as weight
    from billed.portions as portions
    inner join billed.lines as lines on portions.line_key = lines.line_key
    window of_line as (partition by portions.line_key)
),

totalled as (
    select *, cast(sum(weight) over (partition by line_key) as hugeint) as whole
    from weighed
),

cut as (
    select
        *,
        share_cut(abs(line_minor), weight, whole) as minor_part,
        share_rest(abs(line_minor), weight, whole) as rest
    from totalled
),

ranked as (
    select
        *,
        abs(line_minor) - sum(minor_part) over (partition by line_key) as minor_left,
        row_number() over (
            partition by line_key
            order by rest desc, account_id, span_start, span_end
        ) as rest_no
    from cut
)

select
    payer_id,
    line_key,
    account_id,
    span_start,
    span_end,
    quantity,
    row_number() over (
        partition by payer_id
        order by span_start, span_end, product, line_key, account_id
    ) as charge_no,
    line_type,
    product,
    meter,
    cast(
        case when line_minor < 0 then -1 else 1 end
            * (minor_part + case when rest_no <= minor_left then 1 else 0 end)
        as hugeint
    ) as amount_minor
from ranked
