-- Wallets whose sequence numbers have holes: entries of the log did not reach us.
-- Grain: input, wallet_id.
with
wallets as (
    select
        input,
        wallet_id,
        max(account_id) as account_id,
        max(asset) as asset,
        min(first_sequence) as first_sequence,
        max(last_sequence) as last_sequence,
        max(last_sequence) - min(first_sequence) + 1
            - sum(last_sequence - first_sequence + 1) as missing_count
    from recon.sequence_spans
    group by input, wallet_id
    having count(*) > 1
),

followed as (
    select
        *,
        lead(first_sequence) over (
            partition by input, wallet_id
            order by first_sequence
        ) as next_sequence
    from recon.sequence_spans
),

holes as (
    select
        input,
        wallet_id,
        min(last_at) as first_at,
        string_agg(
            case
                when next_sequence - last_sequence = 2 then (last_sequence + 1)::varchar
                else (last_sequence + 1) || '-' || (next_sequence - 1)
            end,
            ' ' order by last_sequence
        ) as missing
    from followed
    where next_sequence is not null
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
    cast(wallets.missing_count as bigint) as missing_count,
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
