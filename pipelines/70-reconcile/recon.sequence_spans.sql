-- Unbroken runs of the numbers that a wallet gives its entries, of the usage family or not.
-- Grain: input, wallet_id, first_sequence. Nearly every wallet has one: only the others are sorted.
-- Of two entries with one number the one booked first has it.
with
numbered as (
    select input, wallet_id, account_id, asset, sequence, booked_at
    from mediated.debit_entries
    where sequence is not null and wallet_id is not null
    union all
    -- A repeated entry still occupied its number once; only numbers never seen are holes.
    select debit_rows.input, debit_rows.wallet_id, debit_rows.account_id, debit_rows.asset,
        debit_rows.sequence, debit_rows.booked_at
    from raw.debit_rows as debit_rows
    semi join mediated.debit_repeats as repeats
        on debit_rows.object_no = repeats.object_no
        and debit_rows.line_no = repeats.line_no
        and debit_rows.entry_no = repeats.entry_no
    where debit_rows.sequence is not null and debit_rows.wallet_id is not null
),

wallets as (
    select
        input,
        wallet_id,
        max(account_id) as account_id,
        max(asset) as asset,
        min(sequence) as first_sequence,
        max(sequence) as last_sequence,
        arg_max(booked_at, numbered_at(sequence, booked_at)) as last_at,
        max(sequence) - min(sequence) + 1 = count(distinct sequence) as is_whole
    from numbered
    group by input, wallet_id
),

entries_of_broken as (
    select
        numbered.input,
        numbered.wallet_id,
        numbered.sequence,
        max(numbered.account_id) as account_id,
        max(numbered.asset) as asset,
        min(numbered.booked_at) as booked_at
    from numbered
    semi join (select input, wallet_id from wallets where not is_whole) as broken
        on numbered.input = broken.input
        and numbered.wallet_id = broken.wallet_id
    group by numbered.input, numbered.wallet_id, numbered.sequence
),

in_islands as (
    select
        *,
        sequence - row_number() over (partition by input, wallet_id order by sequence) as island
    from entries_of_broken
),

found as (
    select input, wallet_id, account_id, asset, first_sequence, last_sequence, last_at
    from wallets
    where is_whole
    union all
    select
        input,
        wallet_id,
        max(account_id) as account_id,
        max(asset) as asset,
        min(sequence) as first_sequence,
        max(sequence) as last_sequence,
        arg_max(booked_at, sequence) as last_at
    from in_islands
    group by input, wallet_id, island
    union all by name
    select * from carried.sequence_spans
),

-- What was seen before and what is seen now overlap, or follow each other.
begun as (
    select
        *,
        coalesce(
            first_sequence > max(last_sequence) over (
                partition by input, wallet_id
                order by first_sequence, last_sequence
                rows between unbounded preceding and 1 preceding
            ) + 1,
            true
        ) as is_new
    from found
),

together as (
    select
        *,
        count(*) filter (where is_new) over (
            partition by input, wallet_id
            order by first_sequence, last_sequence
            rows between unbounded preceding and current row
        ) as span_no
    from begun
)

select
    input,
    wallet_id,
    max(account_id) as account_id,
    max(asset) as asset,
    min(first_sequence) as first_sequence,
    max(last_sequence) as last_sequence,
    arg_max(last_at, numbered_at(last_sequence, last_at)) as last_at
from together
group by input, wallet_id, span_no
