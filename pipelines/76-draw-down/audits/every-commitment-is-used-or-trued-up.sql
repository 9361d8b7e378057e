-- What counted within a commitment and what it lacks are what was promised; where more was used,
-- nothing is lacking and nothing is billed for it.
select
    commitments.owner_id,
    commitments.commitment_id,
    commitments.committed,
    true_ups.counted,
    true_ups.shortfall,
    true_ups.exact
from drawing.commitments as commitments
left join drawn.true_ups as true_ups
    on commitments.owner_id = true_ups.owner_id
    and commitments.commitment_id = true_ups.commitment_id
left join (
    select owner_id, commitment_id, sum(size) as size
    from drawing.charges
    group by owner_id, commitment_id
) as charged
    on commitments.owner_id = charged.owner_id
    and commitments.commitment_id = charged.commitment_id
where true_ups.counted is distinct from
        commitments.counted_before + coalesce(charged.size, 0)
    or least(true_ups.counted, commitments.committed) + true_ups.shortfall
        is distinct from commitments.committed
    or true_ups.exact is distinct from case
        when commitments.true_up = 'due' then true_ups.shortfall * commitments.within_factor
        else 0
    end
order by commitments.owner_id, commitments.commitment_id
