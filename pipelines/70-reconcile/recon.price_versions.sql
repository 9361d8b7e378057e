-- Disputes whose debit agrees with prices that were in force at another time.
-- Grain: break_id. Rates of the same meter, book and attributes are tried as of every instant at
-- which one of them began: the last one before the usage that agrees, else the first one after it.
with
parts as (
    select disputes.break_id, parts.meter, parts.book_id, parts.currency, parts.attributes,
        parts.segment_at, parts.quantity
    from compiled.disputed_parts as parts
    inner join recon.disputes as disputes
        on parts.event_id = disputes.event_id
        and parts.currency = disputes.asset
    where disputes.is_money
    union all
    -- A day of an account was metered as a whole.
    select disputes.break_id, usage.meter, usage.book_id, usage.currency, usage.attributes,
        usage.segment_at, usage.quantity
    from metered.usage as usage
    inner join recon.disputes as disputes
        on usage.account_id = disputes.account_id
        and usage.wallet_asset = disputes.asset
        and usage.currency = disputes.asset
        and usage.account_id || '|' || usage.event_on = disputes.break_key
    where disputes.is_money and disputes.event_id is null
),

combinations as (
    select meter, book_id, currency, attributes
    from parts
    group by meter, book_id, currency, attributes
),

numbered as materialized (
    select
        *,
        cast(cast(attributes as json) as map(varchar, json)) as attribute_values,
        row_number() over (order by meter, book_id, currency, attributes) as combination_no
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

-- As 40-rate finds rates, whenever they hold; one key for both.
keyed as (
    select
        numbered.combination_no,
        numbered.meter,
        numbered.book_id,
        numbered.currency,
        masks.mask,
        match_key(masks.mask, numbered.attribute_values) as match_key
    from numbered
    inner join masks
        on numbered.meter = masks.meter
        and numbered.book_id = masks.book_id
),

candidates as materialized (
    select keyed.combination_no, rates.rate_id, rates.specificity, rates.priority,
        rates.effective_from, rates.effective_to, rates.unit_price
    from keyed
    inner join book_rates as rates
        on keyed.meter = rates.meter
        and keyed.book_id = rates.book_id
        and keyed.currency = rates.currency
        and keyed.mask = rates.mask
        and keyed.match_key = rates.match_key
),

numbered_parts as materialized (
    select parts.break_id, numbered.combination_no, parts.segment_at, parts.quantity
    from parts
    inner join numbered
        on parts.meter = numbered.meter
        and parts.book_id = numbered.book_id
        and parts.currency = numbered.currency
        and parts.attributes = numbered.attributes
),

-- Instants at which a rate of any part of a dispute began: all its parts are priced as of each.
instants as (
    select numbered_parts.break_id, candidates.effective_from as priced_at
    from numbered_parts
    inner join candidates on numbered_parts.combination_no = candidates.combination_no
    group by numbered_parts.break_id, candidates.effective_from
),

tried as (
    select numbered_parts.*, instants.priced_at
    from numbered_parts
    inner join instants on numbered_parts.break_id = instants.break_id
),

wanted as (
    select combination_no, priced_at from tried
    union all
    select combination_no, segment_at as priced_at from numbered_parts
),

prices as (
    select wanted.combination_no, wanted.priced_at, candidates.rate_id, candidates.unit_price,
        candidates.effective_from, candidates.effective_to
    from (select combination_no, priced_at from wanted group by all) as wanted
    inner join candidates
        on wanted.combination_no = candidates.combination_no
        and wanted.priced_at >= candidates.effective_from
        and wanted.priced_at < coalesce(candidates.effective_to, timestamp '9999-12-31')
    qualify row_number() over (
        partition by wanted.combination_no, wanted.priced_at
        order by
            candidates.specificity desc, candidates.priority desc, candidates.effective_from desc,
            candidates.rate_id
    ) = 1
),

versions as (
    select
        tried.break_id,
        tried.priced_at,
        max(tried.segment_at) as used_at,
        sum(tried.quantity * own.unit_price) as own_worth,
        sum(tried.quantity * theirs.unit_price) as worth,
        count(own.rate_id) = count(*) and count(theirs.rate_id) = count(*) as is_whole,
        string_agg(distinct theirs.rate_id, ' ' order by theirs.rate_id)
            filter (where theirs.rate_id <> own.rate_id) as rate_ids,
        max(theirs.effective_from) filter (where theirs.rate_id <> own.rate_id) as effective_from,
        min(theirs.effective_to) filter (where theirs.rate_id <> own.rate_id) as effective_to
    from tried
    left join prices as own
        on tried.combination_no = own.combination_no
        and tried.segment_at = own.priced_at
    left join prices as theirs
        on tried.combination_no = theirs.combination_no
        and tried.priced_at = theirs.priced_at
    group by tried.break_id, tried.priced_at
),

-- Only where the parts are all of what is compared, at the prices that it was compared at.
valued as (
    select
        versions.break_id,
        versions.priced_at,
        versions.used_at,
        versions.rate_ids,
        versions.effective_from,
        versions.effective_to,
        cast(versions.worth as decimal(38, 24)) as worth,
        amount_units(versions.worth) as worth_units,
        disputes.actual,
        disputes.rounding_limit,
        disputes.part_units,
        disputes.whole_units
    from versions
    inner join recon.disputes as disputes on versions.break_id = disputes.break_id
    where versions.is_whole
        and versions.rate_ids is not null
        and versions.own_worth = disputes.expected
        and versions.worth <> versions.own_worth
),

scaled as (
    select
        *,
        case
            when part_units = whole_units then worth
            when fits_share(worth_units, part_units, whole_units)
                then exact_units(share_rounded(worth_units, part_units, whole_units))
        end as at_their_price
    from valued
),

chosen as (
    select break_id, worth, at_their_price, rate_ids, effective_from, effective_to
    from scaled
    where abs(at_their_price - actual) <= rounding_limit
    qualify row_number() over (
        partition by break_id
        order by
            priced_at > used_at,
            case when priced_at > used_at then priced_at - used_at else used_at - priced_at end
    ) = 1
)

select
    break_id,
    worth,
    cast(at_their_price as decimal(38, 24)) as at_their_price,
    rate_ids,
    effective_from,
    effective_to
from (
    select * from chosen
    union all by name
    select * from carried.price_versions
)
-- A day that is not looked at again was metered before, and is found again all the same.
group by all
