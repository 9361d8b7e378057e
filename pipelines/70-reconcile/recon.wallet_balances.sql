-- Each wallet from the start of the period to its end: opening + top-ups + grants - captures +
-- what came back - grants that expired +/- adjustments = closing, and what its log says it held.
-- Grain: input, account_id, asset, wallet_id. A log that does not state the balance of every entry
-- that moves it says nothing of opening and closing: then there is what moved the wallet alone.
with
moved as (
    select
        input,
        account_id,
        asset,
        wallet_id,
        sum(entry_count) filter (where is_in_period) as entry_count,
        bool_or(numbered_count > 0) as is_numbered,
        coalesce(bool_and(stated_count = entry_count) filter (
            where is_in_period and balance_effect(entry_type, 1) <> 0
        ), true) and sum(stated_count) filter (where is_in_period) > 0 as is_stated,
        sum(amount) filter (where is_in_period and entry_type = 'topup') as topped_up,
        sum(amount) filter (where is_in_period and entry_type = 'grant') as granted,
        sum(amount) filter (where is_in_period and entry_type = 'capture') as captured,
        sum(amount) filter (where is_in_period and entry_type in ('reverse', 'refund'))
            as returned,
        sum(amount) filter (where is_in_period and entry_type = 'grant_expire') as expired,
        sum(amount) filter (where is_in_period and entry_type = 'adjust') as adjusted,
        sum(balance_effect(entry_type, amount)) filter (where is_in_period) as moved
    from recon.wallet_movements
    group by input, account_id, asset, wallet_id
    having bool_or(is_in_period)
),

-- With numbers, the first that none was before and the last that none was after; without, what one
-- entry alone states. Where as much is left as was there at first, the two took each other away.
edges as (
    select
        input,
        account_id,
        asset,
        wallet_id,
        case
            when count(place) > 0 then arg_min(balance, place) filter (where net > 0)
            when sum(abs(net)) = 2 then max(balance) filter (where net > 0)
        end as opening,
        case
            when count(place) > 0 then arg_max(balance, place) filter (where net < 0)
            when sum(abs(net)) = 2 then max(balance) filter (where net < 0)
        end as stated
    from recon.loose_balances
    where is_in_period
    group by input, account_id, asset, wallet_id
),

payers as (
    select account_id, arg_max(payer_id, valid_from) as payer_id
    from accounts.paths
    group by account_id
)

select
    payers.payer_id,
    moved.account_id,
    moved.wallet_id,
    moved.asset,
    moved.input,
    cast(moved.entry_count as bigint) as entry_count,
    cast(edges.opening as decimal(38, 24)) as opening,
    cast(coalesce(moved.topped_up, 0) as decimal(38, 24)) as topped_up,
    cast(coalesce(moved.granted, 0) as decimal(38, 24)) as granted,
    cast(coalesce(moved.captured, 0) as decimal(38, 24)) as captured,
    cast(coalesce(moved.returned, 0) as decimal(38, 24)) as returned,
    cast(coalesce(moved.expired, 0) as decimal(38, 24)) as expired,
    cast(coalesce(moved.adjusted, 0) as decimal(38, 24)) as adjusted,
    cast(moved.moved as decimal(38, 24)) as moved,
    cast(edges.opening + moved.moved as decimal(38, 24)) as closing,
    cast(edges.stated as decimal(38, 24)) as stated,
    cast(
        case
            when not moved.is_stated then null
            when edges.input is null then moved.moved
            else edges.opening + moved.moved - edges.stated
        end
        as decimal(38, 24)
    ) as unexplained
from moved
left join edges
    on moved.is_stated
    and moved.input = edges.input
    and moved.account_id = edges.account_id
    and moved.asset = edges.asset
    and moved.wallet_id is not distinct from edges.wallet_id
left join payers on moved.account_id = payers.account_id
