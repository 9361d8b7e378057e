-- A grant that names no account would be taken for one of all of them, a commitment for one of
-- none.
select promised.payer_id, promised.holder_id
from (
    select payer_id, commitment_id as holder_id from rules.commitments
    union all
    select payer_id, grant_id as holder_id from rules.grants
) as promised
left join rules.holder_accounts as holders
    on promised.payer_id = holders.payer_id
    and promised.holder_id = holders.holder_id
where holders.account_id is null
order by promised.payer_id, promised.holder_id
