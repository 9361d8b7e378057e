-- A charge that names a commitment nobody knows would be billed as if none had been made.
select charges.owner_id, charges.charge_no, charges.commitment_id
from drawing.charges as charges
left join drawing.commitments as commitments
    on charges.owner_id = commitments.owner_id
    and charges.commitment_id = commitments.commitment_id
where charges.commitment_id is not null
    and commitments.commitment_id is null
order by charges.owner_id, charges.charge_no
