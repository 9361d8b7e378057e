-- Debit entries of the usage family with their payer and signed effect.
-- Grain: input, entry_id. Top-ups, grants and adjustments move balances but are no debits of usage.
select
    entries.input,
    entries.entry_id,
    entries.entry_type,
    entries.authorization_id,
    entries.event_id,
    entries.account_id,
    paths.payer_id,
    entries.wallet_id,
    entries.asset,
    entries.amount,
    cast(
        case
            when entries.entry_type = 'capture' then entries.amount
            when entries.entry_type in ('reverse', 'refund') then -entries.amount
            else 0
        end
        as decimal(38, 24)
    ) as debit_amount,
    entries.quantity,
    entries.meter,
    entries.grant_id,
    entries.reversal_of,
    coalesce(cast(day_reversals.day as timestamp), entries.occurred_at) as occurred_at,
    entries.booked_at,
    entries.expires_at,
    entries.sequence,
    day_reversals.entry_id is not null
    or is_day_debit(
        entries.aggregated, entries.event_id, entries.authorization_id, entries.reversal_of,
        entries.meter
    ) as is_aggregated,
    entries.booked_at >= coalesce(paths.period_start, parameters.period_start)
    and entries.booked_at < coalesce(paths.period_end, parameters.period_end) as is_in_period
from mediated.debit_entries as entries
cross join run.parameters as parameters
left join accounts.paths as paths
    on entries.account_id = paths.account_id
    and entries.booked_at >= paths.valid_from
    and entries.booked_at < paths.valid_to
left join recon.day_reversals as day_reversals
    on entries.input = day_reversals.input
    and entries.entry_id = day_reversals.entry_id
where is_usage_debit(entries.entry_type)
