-- I16: no charge is lost on its way to a line, none becomes two.
with
counted as (
    select
        (select count(*) from rolled.charges) as charge_count,
        (select count(*) from invoice.line_items) as line_count
)

select charge_count, line_count
from counted
where charge_count is distinct from line_count
