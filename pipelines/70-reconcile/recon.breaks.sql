-- Every difference that someone has to look at, and the rule that accepts it, if any.
-- Grain: break_id. A break belongs to the first rule that names its code and that it is small
-- enough for. Of these the rule accepts the smallest first, equals in the order of their ids, until
-- what it may accept is used up: no order of rows changes which.
with
found as materialized (
    select * from recon.found_breaks
),

fitting as (
    select breaks.break_id, min(rules.rule_no) as rule_no
    from found as breaks
    inner join rules.accept_rules as rules
        on breaks.code = rules.code
        and abs(breaks.money_amount) <= rules.up_to
        and (rules.currency is null or rules.currency = breaks.currency)
    group by breaks.break_id
),

spent as (
    select
        breaks.break_id,
        rules.rule,
        rules.total,
        sum(abs(breaks.money_amount)) over (
            partition by
                rules.rule_no,
                breaks.currency,
                case when rules.is_by_payer then breaks.payer_id end
            order by abs(breaks.money_amount), breaks.break_id
            rows between unbounded preceding and current row
        ) as so_far
    from found as breaks
    inner join fitting on breaks.break_id = fitting.break_id
    inner join rules.accept_rules as rules
        on fitting.rule_no = rules.rule_no
        and breaks.code = rules.code
)

select
    breaks.*,
    coalesce(spent.rule, '') as accepted_by
from found as breaks
left join spent
    on breaks.break_id = spent.break_id
    and spent.so_far <= spent.total
