-- No balance of prepaid units has something left while usage that counts towards its commitment,
-- within its time, was paid by nothing: it would be billed although it was paid in advance.
with
given as (
    select payer_id, grant_id, sum(drawn) as drawn
    from billed.unit_draws
    group by payer_id, grant_id
),

taken as (
    select payer_id, charge_no, sum(amount_minor) as paid
    from billed.unit_draws
    group by payer_id, charge_no
)

select grants.payer_id, grants.grant_id, parts.charge_no
from rules.grants as grants
inner join billed.parts as parts
    on grants.payer_id = parts.payer_id
    and grants.meter = parts.meter
    and parts.span_start >= grants.starts_at
    and parts.span_end <= grants.expires_at
inner join billed.counted_parts as counted
    on parts.payer_id = counted.payer_id
    and parts.charge_no = counted.charge_no
    and grants.commitment_id = counted.commitment_id
    and counted.measure = 'quantity'
left join given
    on grants.payer_id = given.payer_id
    and grants.grant_id = given.grant_id
left join taken
    on parts.payer_id = taken.payer_id
    and parts.charge_no = taken.charge_no
left join billed.paid_parts as paid_parts
    on parts.payer_id = paid_parts.payer_id
    and parts.charge_no = paid_parts.charge_no
where grants.opening + grants.granted > 0
    and without_point(cast(grants.opening + grants.granted as decimal(38, 12)))
        > coalesce(given.drawn, 0)
    and parts.amount_minor > coalesce(paid_parts.paid, 0) + coalesce(taken.paid, 0)
order by grants.payer_id, grants.grant_id, parts.charge_no
