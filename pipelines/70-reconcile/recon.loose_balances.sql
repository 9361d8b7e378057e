-- Balances that one entry states and no neighbour confirms: what is left when the balance before
-- each entry is taken off against the balance after the one before it.
-- Grain: as declared. Entry n says what was there before it at place n, what was there after it at
-- place n + 1; without numbers all of a wallet have one place. A wallet without a fault leaves its
-- first and its last: nearly all do, and hashes show it, so only the others are compared in full.
with
wallets as (
    select
        input,
        account_id,
        asset,
        wallet_id,
        is_in_period,
        sequence is not null as is_numbered,
        min(sequence) as first_place,
        max(sequence) + 1 as last_place,
        arg_min(opening, (sequence, booked_at, entry_id)) as first_balance,
        arg_max(closing, (sequence, booked_at, entry_id)) as last_balance,
        arg_min(booked_at, (sequence, booked_at, entry_id)) as first_at,
        arg_max(booked_at, (sequence, booked_at, entry_id)) as last_at,
        sum(cast(hash(sequence, opening) as hugeint)) as hash_before,
        sum(cast(hash(sequence + 1, closing) as hugeint)) as hash_after
    from recon.stated_entries
    group by input, account_id, asset, wallet_id, is_in_period, sequence is not null
),

compared as (
    select
        *,
        hash_before - hash_after
            = cast(hash(first_place, first_balance) as hugeint)
            - cast(hash(last_place, last_balance) as hugeint) as is_whole
    from wallets
),

broken as (
    select stated.*
    from recon.stated_entries as stated
    semi join (select * from compared where not is_whole) as broken
        on stated.input = broken.input
        and stated.account_id = broken.account_id
        and stated.asset = broken.asset
        and stated.wallet_id is not distinct from broken.wallet_id
        and stated.is_in_period = broken.is_in_period
        and (stated.sequence is not null) = broken.is_numbered
),

sides as (
    select input, account_id, asset, wallet_id, is_in_period, first_place as place,
        first_balance as balance, 1 as net, first_at as stated_at
    from compared
    where is_whole
    union all
    select input, account_id, asset, wallet_id, is_in_period, last_place as place,
        last_balance as balance, -1 as net, last_at as stated_at
    from compared
    where is_whole
    union all
    select input, account_id, asset, wallet_id, is_in_period, sequence as place,
        opening as balance, 1 as net, booked_at as stated_at
    from broken
    union all
    select input, account_id, asset, wallet_id, is_in_period, sequence + 1 as place,
        closing as balance, -1 as net, booked_at as stated_at
    from broken
),

summed as (
    select
        input,
        account_id,
        asset,
        wallet_id,
        is_in_period,
        place,
        balance,
        net,
        -- Of one place without numbers nobody can say when: sums of instants would mean nothing.
        case when place is null then 0 else net * epoch_us(stated_at) end as at_us
    from sides
    union all by name
    select * from carried.loose_balances
)

select
    input,
    account_id,
    asset,
    wallet_id,
    is_in_period,
    place,
    balance,
    cast(sum(net) as bigint) as net,
    cast(sum(at_us) as hugeint) as at_us
from summed
group by input, account_id, asset, wallet_id, is_in_period, place, balance
having sum(net) <> 0
