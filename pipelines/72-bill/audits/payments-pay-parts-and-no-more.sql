-- What is settled of a line is paid by its parts above zero, each up to its size: all of it, or all
-- of the parts where more was paid than charged.
with
settled as (
    select line_key, sum(amount_minor) as amount_minor
    from billed.line_settlements
    where line_key is not null
    group by line_key
),

covered as (
    select
        parts.line_key,
        sum(greatest(parts.amount_minor, 0)) as charged,
        sum(coalesce(paid_parts.paid, 0)) as paid,
        count(*) filter (
            where paid_parts.paid <= 0 or paid_parts.paid > greatest(parts.amount_minor, 0)
        ) as wrong_count
    from billed.parts as parts
    left join billed.paid_parts as paid_parts
        on parts.payer_id = paid_parts.payer_id
        and parts.charge_no = paid_parts.charge_no
    group by parts.line_key
)

select covered.line_key, settled.amount_minor as settled, covered.charged, covered.paid
from covered
left join settled on covered.line_key = settled.line_key
where covered.paid is distinct from least(coalesce(settled.amount_minor, 0), covered.charged)
    or covered.wrong_count > 0
order by covered.line_key
