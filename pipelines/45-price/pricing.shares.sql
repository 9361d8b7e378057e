-- Each member's part of its line, by quantity; alike where nothing was used.
-- Grain: line_id, account_id, attributes. Minor units that are left go to the largest remainders,
-- the 24th decimals that are left to the largest member; equals in the order of their keys.
with
weighed as (
    select
        members.*,
        amounts.units,
        amounts.rounded_units,
        amounts.decimals,
        case
            when sum(members.quantity) over of_line = 0 then 1
            else whole_units(members.quantity, 12)
        end as weight
    from pricing.members as members
    inner join pricing.line_amounts as amounts on members.line_id = amounts.line_id
    window of_line as (partition by members.line_id)
),

totalled as (
    select *, cast(sum(weight) over (partition by line_id) as hugeint) as whole
    from weighed
),

cut as (
    select
        *,
        share_cut(abs(units), weight, whole) as units_part,
        share_cut(abs(rounded_units), weight, whole) as rounded_part,
        share_rest(abs(rounded_units), weight, whole) as rest
    from totalled
),

ranked as (
    select
        *,
        abs(units) - sum(units_part) over (partition by line_id) as units_left,
        abs(rounded_units) - sum(rounded_part) over (partition by line_id) as rounded_left,
        row_number() over (partition by line_id order by weight desc, account_id, attributes)
            as size_no,
        row_number() over (partition by line_id order by rest desc, account_id, attributes)
            as rest_no
    from cut
),

given as (
    select
        *,
        case when units < 0 then -1 else 1 end
            * (units_part + case when size_no = 1 then units_left else 0 end) as own_units,
        case when rounded_units < 0 then -1 else 1 end
            * (rounded_part + case when rest_no <= rounded_left then 1 else 0 end) as own_rounded
    from ranked
)

select
    line_id,
    rate_id,
    payer_id,
    pool_id,
    account_id,
    attributes,
    quantity,
    event_count,
    exact_units(own_units) as amount,
    cast(exact_units(own_rounded * power_of_ten(24 - decimals)) as decimal(38, 12)) as rounded,
    cast(own_rounded as hugeint) as rounded_units,
    cast(exact_units(own_units) - listed as decimal(38, 24)) as repriced
from given
