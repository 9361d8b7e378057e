-- The one rate of each metered combination.
-- Grain: meter, book_id, attributes, segment_at.
select meter, book_id, attributes, segment_at, rate_id, product, unit_price, currency
from rated.rate_candidates
where choice_no = 1
