-- Breaks in which both sides are there, of one account and asset, and are compared.
-- Grain: break_id. What the wallet layer debited for is priced as we price what we counted: the
-- difference of quantities is worth so much, and what is left after it is one of prices.
with
compared as (
    select
        break_id_of(
            outcomes.code, outcomes.break_key, outcomes.usage_account_id, outcomes.usage_asset,
            outcomes.debit_account_id, outcomes.debit_asset
        ) as break_id,
        outcomes.code,
        outcomes.usage_account_id as account_id,
        outcomes.usage_asset as asset,
        assets.kind = 'currency' as is_money,
        outcomes.event_id,
        outcomes.break_key,
        outcomes.expected,
        outcomes.actual,
        outcomes.counted_quantity as counted,
        outcomes.debited_quantity as debited_for,
        cast(half_unit_of(assets.precision) * cast(outcomes.debit_count as decimal(12, 0))
            as decimal(38, 24)) as rounding_limit,
        case
            when outcomes.code = 'UNIT_MISMATCH' then unit_factor(
                cast(outcomes.expected as decimal(38, 9)),
                cast(outcomes.actual as decimal(38, 9)),
                cast(assets.tolerance as decimal(38, 9))
            )
        end as factor
    from recon.outcomes as outcomes
    inner join rules.assets as assets on outcomes.usage_asset = assets.asset
    where outcomes.fate = 'break'
        and outcomes.usage_account_id = outcomes.debit_account_id
        and outcomes.usage_asset = outcomes.debit_asset
        and outcomes.usage_count > 0
        -- What was debited in another period is a matter of time.
        and outcomes.actual = outcomes.captured
        and outcomes.code in (
            'AMOUNT_PRICE', 'AMOUNT_QUANTITY', 'UNIT_MISMATCH', 'OVER_CAPTURE', 'UNDER_CAPTURE',
            'LIFECYCLE_INVALID', 'CONVERSION_RATE', 'AMOUNT_ROUNDING'
        )
),

-- The two quantities, or what a wrong unit makes of one, in whole numbers.
sized as (
    select
        *,
        amount_units(expected) as expected_units,
        coalesce(counted > 0 and debited_for >= 0 and counted <> debited_for, false)
            as has_quantities,
        -- A debit that is a part of its usage divides it; one that is a multiple multiplies it.
        case
            when factor is null then 0
            when abs(actual) < abs(expected) then 1
            else 2
        end as unit_side
    from compared
),

related as (
    select
        *,
        cast(
            case
                when has_quantities then whole_units(debited_for, 12)
                when unit_side = 2 then factor
                else 1
            end
            as hugeint
        ) as part_units,
        cast(
            case
                when has_quantities then whole_units(counted, 12)
                when unit_side = 1 then factor
                else 1
            end
            as hugeint
        ) as whole_units
    from sized
),

-- Where one is too many times the other, or below zero, nothing is said of quantities.
bounded as (
    select
        * replace (
            case
                when fits_share(expected_units, part_units, whole_units) then part_units
                else 1
            end as part_units,
            case
                when fits_share(expected_units, part_units, whole_units) then whole_units
                else 1
            end as whole_units
        )
    from related
),

shared as (
    select
        *,
        case
            -- Units are counted: all that is no rounding of them is a quantity.
            when not is_money and abs(expected - actual) > rounding_limit then actual
            when part_units = whole_units then expected
            else exact_units(share_rounded(expected_units, part_units, whole_units))
        end as at_our_price
    from bounded
)

select
    break_id,
    code,
    account_id,
    asset,
    is_money,
    event_id,
    break_key,
    expected,
    actual,
    cast(
        case
            -- A wallet that rounded in the wrong unit rounded by more than a unit of ours.
            when unit_side > 0 and not has_quantities
                and abs(at_our_price - actual) > rounding_limit then actual
            else at_our_price
        end
        as decimal(38, 24)
    ) as at_our_price,
    expected_units,
    part_units,
    whole_units,
    rounding_limit,
    case
        when has_quantities
            then 'counted ' || plain(counted) || ', debited for ' || plain(debited_for)
        when unit_side = 1 then 'debited one of ' || factor
        when unit_side = 2 then 'debited ' || factor || ' for one'
        when not is_money then 'counted ' || plain(expected) || ', debited ' || plain(actual)
        else ''
    end as detail
from shared
