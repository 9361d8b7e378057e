-- Rates that match each metered combination, best first.
-- Grain: meter, book_id, attributes, segment_at, rate_id.
-- A rate is found by equality on the book it is in and the attributes it names: one hash join for
-- all rates that name the same ones (a mask), never a comparison of every combination with every
-- rate. Keys are made once per set of attributes, whatever its segments, from values taken apart
-- once.
with
combinations as (
    select meter, book_id, attributes, list(distinct segment_at) as segments
    from metered.usage
    group by meter, book_id, attributes
),

numbered as materialized (
    select
        *,
        cast(cast(attributes as json) as map(varchar, json)) as attribute_values,
        -- Stands for meter, book and attributes where they are only told apart: any order will do.
        row_number() over () as combination_no
    from combinations
),

book_rates as (
    select book_cards.book_id, rates.*
    from rules.rates as rates
    inner join rules.book_cards as book_cards
        on rates.card = book_cards.card
        and rates.currency = book_cards.currency
),

masks as (
    select meter, book_id, mask
    from book_rates
    group by meter, book_id, mask
),

keyed as (
    select
        numbered.combination_no,
        numbered.meter,
        numbered.book_id,
        numbered.attributes,
        unnest(numbered.segments) as segment_at,
        masks.mask,
        match_key(masks.mask, numbered.attribute_values) as match_key
    from numbered
    inner join masks
        on numbered.meter = masks.meter
        and numbered.book_id = masks.book_id
)

select
    keyed.meter,
    keyed.book_id,
    keyed.attributes,
    keyed.segment_at,
    rates.rate_id,
    rates.product,
    rates.unit_price,
    rates.currency,
    rates.specificity,
    rates.priority,
    rates.effective_from,
    row_number() over (
        partition by keyed.combination_no, keyed.segment_at
        order by
            rates.specificity desc, rates.priority desc, rates.effective_from desc, rates.rate_id
    ) as choice_no
from keyed
inner join book_rates as rates
    on keyed.meter = rates.meter
    and keyed.book_id = rates.book_id
    and keyed.mask = rates.mask
    and keyed.match_key = rates.match_key
    and keyed.segment_at >= rates.effective_from
    and keyed.segment_at < coalesce(rates.effective_to, timestamp '9999-12-31')
