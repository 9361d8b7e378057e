-- A break that moves the tie-out has at least one leg, and legs belong to breaks.
select coalesce(breaks.break_id, legs.break_id) as break_id, breaks.code, breaks.break_key
from recon.breaks as breaks
full outer join recon.break_legs as legs on breaks.break_id = legs.break_id
where breaks.break_id is null
    or (
        legs.break_id is null
        and breaks.code <> 'SEQUENCE_GAP'
        and breaks.break_id not in (select form_breaks.break_id from recon.form_breaks)
    )
order by break_id
