-- Entries that say what their wallet held before or after them; each follows from the other.
-- Grain: input, entry_id. Most logs state no balance: then this reads one column of nulls.
select
    entries.input,
    entries.entry_id,
    entries.account_id,
    entries.asset,
    entries.wallet_id,
    entries.sequence,
    entries.booked_at,
    entries.booked_on,
    entries.booked_at >= coalesce(paths.period_start, parameters.period_start)
        and entries.booked_at < coalesce(paths.period_end, parameters.period_end) as is_in_period,
    cast(balance_effect(entries.entry_type, entries.amount) as decimal(38, 12)) as effect,
    cast(
        coalesce(
            entries.balance_before,
            entries.balance_after - balance_effect(entries.entry_type, entries.amount)
        )
        as decimal(38, 12)
    ) as opening,
    cast(
        coalesce(
            entries.balance_after,
            entries.balance_before + balance_effect(entries.entry_type, entries.amount)
        )
        as decimal(38, 12)
    ) as closing
from mediated.debit_entries as entries
cross join run.parameters as parameters
left join accounts.paths as paths
    on entries.account_id = paths.account_id
    and entries.booked_at >= paths.valid_from
    and entries.booked_at < paths.valid_to
where entries.balance_before is not null or entries.balance_after is not null
