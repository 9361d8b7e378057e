-- What counted is what counted before and the parts of lines that count towards it, as they are
-- billed: money in minor units, quantities as they are.
with
counted as (
    select
        parts.payer_id,
        counted_parts.commitment_id,
        sum(parts.quantity) as quantity,
        sum(parts.amount_minor) as amount_minor
    from billed.parts as parts
    inner join billed.counted_parts as counted_parts
        on parts.payer_id = counted_parts.payer_id
        and parts.charge_no = counted_parts.charge_no
    group by parts.payer_id, counted_parts.commitment_id
)

select
    commitments.payer_id,
    commitments.commitment_id,
    commitments.counted_before,
    statements.counted,
    counted.quantity,
    counted.amount_minor
from rules.commitments as commitments
inner join rules.currencies as currencies on commitments.currency = currencies.currency
left join invoice.commitments as statements
    on commitments.payer_id = statements.payer_id
    and commitments.commitment_id = statements.commitment_id
left join counted
    on commitments.payer_id = counted.payer_id
    and commitments.commitment_id = counted.commitment_id
where case
    when commitments.measure = 'quantity'
        then statements.counted is distinct from
            commitments.counted_before + coalesce(counted.quantity, 0)
    else minor_units(statements.counted, currencies.exponent) is distinct from
        minor_units(commitments.counted_before, currencies.exponent)
            + coalesce(counted.amount_minor, 0)
    end
order by commitments.payer_id, commitments.commitment_id
