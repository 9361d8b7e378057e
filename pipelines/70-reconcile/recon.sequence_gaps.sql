-- Wallets whose sequence numbers have holes: entries of the log did not reach us.
-- Grain: input, wallet_id. All entries count here, of the usage family or not.
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
        count(distinct sequence) as seen_count
    from numbered
    group by input, wallet_id
    having max(sequence) - min(sequence) + 1 > count(distinct sequence)
),

followed as (
    select
        numbered.input,
        numbered.wallet_id,
        numbered.sequence,
        numbered.booked_at,
        lead(numbered.sequence) over (
            partition by numbered.input, numbered.wallet_id
            order by numbered.sequence
        ) as next_sequence
    from numbered
    semi join wallets
        on numbered.input = wallets.input
        and numbered.wallet_id = wallets.wallet_id
),

holes as (
    select
        input,
        wallet_id,
        min(booked_at) as first_at,
        string_agg(
            case
                when next_sequence - sequence = 2 then (sequence + 1)::varchar
                else (sequence + 1) || '-' || (next_sequence - 1)
            end,
            ' ' order by sequence
        ) as missing
    from followed
    where next_sequence > sequence + 1
    group by input, wallet_id
)

select
    wallets.input,
    wallets.wallet_id,
    wallets.account_id,
    paths.payer_id,
    wallets.asset,
    wallets.first_sequence,
    wallets.last_sequence,
    wallets.last_sequence - wallets.first_sequence + 1 - wallets.seen_count as missing_count,
    left(holes.missing, 200) as missing,
    holes.first_at
from wallets
inner join holes
    on wallets.input = holes.input
    and wallets.wallet_id = holes.wallet_id
left join accounts.paths as paths
    on wallets.account_id = paths.account_id
    and holes.first_at >= paths.valid_from
    and holes.first_at < paths.valid_to
