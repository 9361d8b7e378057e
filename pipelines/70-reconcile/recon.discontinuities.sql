-- Wallets whose balances do not follow from each other, or not from what their entries moved.
-- Grain: input, account_id, asset, wallet_id. Where a number is missing too, that is a gap: what
-- the missing entry moved is no fault of its neighbours. Without numbers one balance begins and one
-- ends a wallet; each other one that no entry leads to shows a break in it, but not where.
with
cells as (
    select
        input,
        account_id,
        asset,
        wallet_id,
        place,
        balance,
        sum(net) as net,
        sum(at_us) as at_us,
        bool_or(is_in_period) as is_in_period
    from recon.loose_balances
    group by input, account_id, asset, wallet_id, place, balance
    having sum(net) <> 0
),

numbered as (
    select
        input,
        account_id,
        asset,
        wallet_id,
        place,
        max(balance) filter (where net > 0) as before,
        max(balance) filter (where net < 0) as after,
        max(at_us // net) filter (where net > 0) as at_us
    from cells
    where place is not null
    group by input, account_id, asset, wallet_id, place
    having bool_or(net > 0 and is_in_period) and bool_or(net < 0)
),

unnumbered as (
    select
        cells.input,
        cells.account_id,
        cells.asset,
        cells.wallet_id,
        sum(cells.net) filter (where cells.net > 0) - 1 as place_count
    from cells
    inner join (
        select input, account_id, asset, wallet_id
        from recon.wallet_movements
        group by input, account_id, asset, wallet_id
        having sum(numbered_count) = 0
            and bool_and(stated_count = entry_count or balance_effect(entry_type, 1) = 0)
    ) as stated
        on cells.input = stated.input
        and cells.account_id = stated.account_id
        and cells.asset = stated.asset
        and cells.wallet_id is not distinct from stated.wallet_id
    where cells.place is null and cells.is_in_period
    group by cells.input, cells.account_id, cells.asset, cells.wallet_id
    having sum(cells.net) filter (where cells.net > 0) > 1
),

found as (
    select
        input,
        account_id,
        asset,
        wallet_id,
        count(*) as place_count,
        cast(0 as bigint) as entry_count,
        make_timestamp(cast(min(at_us) as bigint)) as first_at,
        arg_min(
            ', first before ' || place || ', where ' || plain(before) || ' follows '
                || plain(after),
            place
        ) as first_place
    from numbered
    group by input, account_id, asset, wallet_id
    union all by name
    select input, account_id, asset, wallet_id, place_count, cast(0 as bigint) as entry_count,
        cast(null as timestamp) as first_at, '' as first_place
    from unnumbered
    union all by name
    select input, account_id, asset, wallet_id, cast(0 as bigint) as place_count,
        sum(entry_count) as entry_count, cast(min(booked_on) as timestamp) as first_at,
        '' as first_place
    from recon.odd_entries
    where code = 'BALANCE_DISCONTINUITY'
    group by input, account_id, asset, wallet_id
    union all by name
    -- What no entry and no place shows, the wallet as a whole may: an entry that was left out.
    select balances.input, balances.account_id, balances.asset, balances.wallet_id,
        cast(0 as bigint) as place_count, cast(0 as bigint) as entry_count,
        cast(null as timestamp) as first_at, '' as first_place
    from recon.wallet_balances as balances
    anti join recon.sequence_gaps as gaps
        on balances.input = gaps.input
        and balances.wallet_id = gaps.wallet_id
    where balances.unexplained <> 0
)

select
    input,
    account_id,
    asset,
    wallet_id,
    cast(sum(place_count) as bigint) as place_count,
    cast(sum(entry_count) as bigint) as entry_count,
    min(first_at) as first_at,
    max(first_place) as first_place
from found
group by input, account_id, asset, wallet_id
