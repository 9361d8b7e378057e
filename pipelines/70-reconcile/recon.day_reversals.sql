-- Reversals and refunds of entries that stand for a day: they belong to that day, whenever booked.
-- Grain: input, entry_id.
select
    reversals.input,
    reversals.entry_id,
    cast(coalesce(originals.occurred_at, originals.booked_at) as date) as day
from mediated.debit_entries as reversals
inner join mediated.debit_entries as originals
    on reversals.input = originals.input
    and reversals.reversal_of = originals.entry_id
where reversals.entry_type in ('reverse', 'refund')
    and is_day_debit(
        originals.aggregated, originals.event_id, originals.authorization_id,
        originals.reversal_of, originals.meter
    )
