-- I5: the second-best rate must lose for a stated reason, not by its id.
select best.meter, best.book_id, best.attributes, best.segment_at, best.rate_id,
    next_best.rate_id as rival_id
from rated.rate_candidates as best
inner join rated.rate_candidates as next_best
    on best.meter = next_best.meter
    and best.book_id = next_best.book_id
    and best.attributes = next_best.attributes
    and best.segment_at = next_best.segment_at
    and best.specificity = next_best.specificity
    and best.priority = next_best.priority
    and best.effective_from = next_best.effective_from
    and best.choice_no = 1
    and next_best.choice_no = 2
order by best.meter, best.book_id, best.attributes, best.segment_at
