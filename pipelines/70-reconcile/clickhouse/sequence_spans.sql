-- Unbroken runs of the numbers of wallets, of the entries that are certain here.
-- Grain: input, wallet_id, first_sequence. Of two entries with one number the earlier one has it.
select
    input,
    wallet_id,
    max(account_id) as account_id,
    max(asset) as asset,
    min(number) as first_sequence,
    max(number) as last_sequence,
    argMax(booked_us, number) as last_us
from (
    select
        input,
        wallet_id,
        account_id,
        asset,
        number,
        booked_us,
        number - toInt64(row_number() over (partition by input, wallet_id order by number))
            as island
    from (
        select
            input,
            assumeNotNull(wallet_id) as wallet_id,
            assumeNotNull(sequence) as number,
            max(account_id) as account_id,
            max(asset) as asset,
            min(booked_us) as booked_us
        from entries
        where isNotNull(wallet_id)
            and isNotNull(sequence)
            and event_id in (select event_id from certain)
        group by input, wallet_id, number
    ) as numbered
) as in_islands
group by input, wallet_id, island
