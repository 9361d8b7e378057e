-- Balances that one entry states and no neighbour confirms, of what is certain here.
-- Grain: input, account_id, asset, wallet_id, is_in_period, place, balance. All that stand beside a
-- row that goes back are left over, and find it when they are added up.
select
    input,
    account_id,
    asset,
    wallet_id,
    toBool(is_in_period) as is_in_period,
    place,
    toString(amount) as balance,
    toInt64(sum(step)) as net,
    -- Of one place without numbers nobody can say when.
    toString(sum(toInt128(if(isNull(place), 0, step * booked_us)))) as at_us
from (
    select input, account_id, asset, wallet_id, is_in_period, sequence as place,
        assumeNotNull(opening) as amount, toInt64(1) as step, booked_us
    from entries
    where isNotNull(opening) and event_id in (select event_id from certain)
    union all
    select input, account_id, asset, wallet_id, is_in_period, sequence + 1 as place,
        assumeNotNull(closing) as amount, toInt64(-1) as step, booked_us
    from entries
    where isNotNull(opening) and event_id in (select event_id from certain)
) as sides
group by input, account_id, asset, wallet_id, is_in_period, place, amount
having sum(step) <> 0
