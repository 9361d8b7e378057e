-- Ids of events that are not one event with at most one plain debit, or are linked with others.
-- Grain: event_id. All rows of such an event go back, to be looked at as the stages do; so do rows
-- that name one of their authorizations or entries, by whichever chain: no link leads out of it.
with
authorizations as (
    select authorization_id
    from (
        select authorization_id, event_id
        from usage_rows
        where is_read and isNotNull(authorization_id)
        union all
        select authorization_id, ifNull(event_id, '') as event_id
        from entries
        where isNotNull(authorization_id)
        union all
        select seen as authorization_id, '' as event_id
        from seen_keys
        where kind = 'authorization'
    ) as named
    group by authorization_id
    having min(event_id) <> max(event_id) or min(event_id) = ''
),

-- Entries that are there twice, or that another one undoes.
repeated as (
    select entry_id
    from (
        select entry_id, 1 as times from entries
        union all
        select assumeNotNull(reversal_of) as entry_id, 2 as times
        from entries
        where isNotNull(reversal_of)
        union all
        select seen as entry_id, 2 as times from seen_keys where kind = 'entry'
    ) as named
    group by entry_id
    having sum(times) > 1
),

touched as (
    select event_id from usage_rows where is_read group by event_id having count() > 1
    union all
    select assumeNotNull(event_id) as event_id
    from entries
    where isNotNull(event_id)
    group by event_id
    having not (
        min(is_simple) = 1
        and (
            (count() = 1 and countIf(entry_type = 'capture') = 1)
            -- A hold captured whole, as 70-reconcile/recon.whole_captures.sql has it.
            or (
                count() = 2
                and countIf(entry_type = 'authorize') = 1
                and countIf(entry_type = 'capture') = 1
                and count(authorization_id) = 2
                and uniqExact(assumeNotNull(authorization_id), account_id, asset, is_in_period) = 1
                and min(amount) = max(amount)
                and maxIf(booked_us, entry_type = 'authorize')
                    < maxIf(booked_us, entry_type = 'capture')
            )
            -- A hold of which a part is captured, and then the rest given back: nothing is left of
            -- it, and 70-reconcile/recon.life_outcomes.sql judges it by its capture as well.
            or (
                count() = 3
                and countIf(entry_type = 'authorize') = 1
                and countIf(entry_type = 'capture') = 1
                and count(authorization_id) = 3
                and uniqExact(assumeNotNull(authorization_id), account_id, asset, is_in_period) = 1
                and min(amount) > 0
                and sumIf(amount, entry_type = 'authorize')
                    = sumIf(amount, entry_type <> 'authorize')
                and count(sequence) in (0, 3)
                and maxIf(booked_us, entry_type = 'authorize')
                    < maxIf(booked_us, entry_type = 'capture')
                and (
                    maxIf(booked_us, entry_type = 'capture'),
                    maxIf(ifNull(sequence, 0), entry_type = 'capture')
                ) < (
                    maxIf(booked_us, entry_type in ('release', 'expire')),
                    maxIf(ifNull(sequence, 1), entry_type in ('release', 'expire'))
                )
            )
        )
    )
    union all
    select event_id
    from usage_rows
    where is_read and authorization_id in (select authorization_id from authorizations)
    union all
    select assumeNotNull(event_id) as event_id
    from entries
    where isNotNull(event_id)
        and (
            authorization_id in (select authorization_id from authorizations)
            or entry_id in (select entry_id from repeated)
        )
    union all
    select seen as event_id from seen_keys where kind = 'event'
)

select event_id
from touched
group by event_id
