-- Macros of the pipeline: the one place where a formula that several selects share is written.

-- An amount rounded once, half away from zero, to the exponent of its currency (ISO 4217: 0 to 4).
create or replace macro money_round(amount, exponent) as
    case exponent
        when 0 then cast(round(amount, 0) as decimal(38, 12))
        when 1 then cast(round(amount, 1) as decimal(38, 12))
        when 2 then cast(round(amount, 2) as decimal(38, 12))
        when 3 then cast(round(amount, 3) as decimal(38, 12))
        when 4 then cast(round(amount, 4) as decimal(38, 12))
        else error('MONEY_ROUND: exponent ' || exponent || ' is not 0 to 4')
    end;

-- The difference that one match may have: the larger of an amount and a share, the share capped.
create or replace macro tolerance_of(expected, absolute, percent, cap) as
    case
        when percent = 0 then cast(absolute as decimal(38, 24))
        else greatest(
            cast(absolute as decimal(38, 24)),
            least(
                cast(cast(abs(expected) as decimal(26, 8)) * cast(percent as decimal(9, 6)) * 0.01
                    as decimal(38, 24)),
                coalesce(cast(cap as decimal(38, 24)), cast(99999999999999 as decimal(38, 24)))
            )
        )
    end;

-- Whether one of two figures is `factor` times the other, but for the rounding of the log. A
-- figure of the size of that rounding proves nothing.
create or replace macro is_factor(expected, actual, half_unit, factor) as
    (abs(expected) > half_unit * factor * 10
        and abs(actual * factor - expected) <= half_unit * factor)
    or (abs(actual) > half_unit * factor * 10
        and abs(expected * factor - actual) <= half_unit * factor);

-- The factor between two figures when it is one that a wrong unit makes, else null. All three are
-- DECIMAL(38,9): enough to tell, and no product of them can overflow below the bound.
create or replace macro unit_factor(expected, actual, half_unit) as
    case
        when abs(expected) >= 1000000000000000000 or abs(actual) >= 1000000000000000000 then null
        when is_factor(expected, actual, half_unit, 10) then 10
        when is_factor(expected, actual, half_unit, 60) then 60
        when is_factor(expected, actual, half_unit, 100) then 100
        when is_factor(expected, actual, half_unit, 1000) then 1000
        when is_factor(expected, actual, half_unit, 3600) then 3600
        when is_factor(expected, actual, half_unit, 10000) then 10000
        when is_factor(expected, actual, half_unit, 100000) then 100000
        when is_factor(expected, actual, half_unit, 1000000) then 1000000
        when is_factor(expected, actual, half_unit, 10000000) then 10000000
        when is_factor(expected, actual, half_unit, 100000000) then 100000000
        when is_factor(expected, actual, half_unit, 1000000000) then 1000000000
    end;

-- The code of two quantities that differ.
create or replace macro quantity_code(counted, debited_for) as
    case
        when unit_factor(
            cast(counted as decimal(38, 9)),
            cast(debited_for as decimal(38, 9)),
            cast(0 as decimal(38, 9))
        ) is not null then 'UNIT_MISMATCH'
        else 'AMOUNT_QUANTITY'
    end;

-- The code of two amounts that differ by more than their tolerance.
create or replace macro amount_code(worth, captured, kind, half_unit) as
    case
        when unit_factor(
            cast(worth as decimal(38, 9)),
            cast(captured as decimal(38, 9)),
            cast(half_unit as decimal(38, 9))
        ) is not null then 'UNIT_MISMATCH'
        when kind = 'unit' then 'AMOUNT_QUANTITY'
        else 'AMOUNT_PRICE'
    end;

-- A share of money: money x part / whole, cut to nine decimals, in whole numbers throughout.
create or replace macro money_share(money, part, whole) as
    case
        when whole = 0 then null
        else cast(
            cast(round(money, 9) * 1000000000 as hugeint) * cast(round(part, 3) * 1000 as hugeint)
            // cast(round(whole, 3) * 1000 as hugeint)
            as decimal(38, 0)
        ) * cast(0.000000001 as decimal(10, 9))
    end;

-- A decimal as people write it: without the zeros that its scale adds.
create or replace macro plain(amount) as
    regexp_replace(cast(amount as varchar), '\.?0+$', '');

-- How an id stands in a list with spaces between.
create or replace macro listed_id(id) as replace(id, ' ', '%20');

-- A quotient of whole numbers that are not negative: cut, begun, or rounded half up or half even.
create or replace macro divide_rounded(amount, divisor, mode) as
    case mode
        when 'down' then amount // divisor
        when 'up' then amount // divisor + case when amount % divisor = 0 then 0 else 1 end
        when 'half_even' then amount // divisor + case
            when (amount % divisor) * 2 > divisor then 1
            when (amount % divisor) * 2 = divisor then (amount // divisor) % 2
            else 0
        end
        else amount // divisor + case when (amount % divisor) * 2 >= divisor then 1 else 0 end
    end;

-- Ten to a whole power of 0 to 24, as a whole number.
create or replace macro power_of_ten(exponent) as
    cast(rpad('1', cast(exponent + 1 as integer), '0') as hugeint);

-- A quantity in units of ten to minus `scale`, which holds all its decimals.
create or replace macro whole_units(quantity, scale) as
    cast(trunc(quantity) as hugeint) * power_of_ten(scale)
    + cast((quantity - trunc(quantity)) * 1000000000000 as hugeint) // power_of_ten(12 - scale);

-- A whole number of units of the 24th decimal as an amount.
create or replace macro exact_units(units) as
    cast(
        cast(
            case
                when abs(units) >= 99999999999999999999999999999999999999
                    then error('overflow: ' || units || ' units of the 24th decimal')
                else units
            end
            as decimal(38, 0)
        ) * cast(0.000000000000000000000001 as decimal(24, 24))
        as decimal(38, 24)
    );

-- The civil day, counted since 1970, on which an instant falls in a zone.
create or replace macro local_day(instant, zone) as
    cast(timezone(zone, timezone('UTC', instant)) as date) - date '1970-01-01';

-- Long division, six digits of `amount` at a time: amount x part // whole without the product,
-- which would need more than 38 digits. None may be below zero; whole has at most 31 digits.
create or replace macro share_chunk(amount, unit) as (amount // unit) % 1000000;
create or replace macro share_rest_1(amount, part, whole) as
    share_chunk(amount, 1000000000000000000000000000000000000) * part % whole;
create or replace macro share_step(rest, amount, unit, part) as
    rest * 1000000 + share_chunk(amount, unit) * part;
create or replace macro share_rest_2(amount, part, whole) as
    share_step(
        share_rest_1(amount, part, whole), amount, 1000000000000000000000000000000, part
    ) % whole;
create or replace macro share_rest_3(amount, part, whole) as
    share_step(share_rest_2(amount, part, whole), amount, 1000000000000000000000000, part) % whole;
create or replace macro share_rest_4(amount, part, whole) as
    share_step(share_rest_3(amount, part, whole), amount, 1000000000000000000, part) % whole;
create or replace macro share_rest_5(amount, part, whole) as
    share_step(share_rest_4(amount, part, whole), amount, 1000000000000, part) % whole;
create or replace macro share_rest_6(amount, part, whole) as
    share_step(share_rest_5(amount, part, whole), amount, 1000000, part) % whole;

-- What amount x part // whole leaves, in units of 1/whole.
create or replace macro share_rest(amount, part, whole) as
    share_step(share_rest_6(amount, part, whole), amount, 1, part) % whole;

-- amount x part // whole.
create or replace macro share_cut(amount, part, whole) as
    share_chunk(amount, 1000000000000000000000000000000000000) * part // whole
        * 1000000000000000000000000000000000000
    + share_step(
        share_rest_1(amount, part, whole), amount, 1000000000000000000000000000000, part
    ) // whole * 1000000000000000000000000000000
    + share_step(share_rest_2(amount, part, whole), amount, 1000000000000000000000000, part)
        // whole * 1000000000000000000000000
    + share_step(share_rest_3(amount, part, whole), amount, 1000000000000000000, part)
        // whole * 1000000000000000000
    + share_step(share_rest_4(amount, part, whole), amount, 1000000000000, part)
        // whole * 1000000000000
    + share_step(share_rest_5(amount, part, whole), amount, 1000000, part) // whole * 1000000
    + share_step(share_rest_6(amount, part, whole), amount, 1, part) // whole;

-- amount x part / whole, rounded half up.
create or replace macro share_rounded(amount, part, whole) as
    share_cut(amount, part, whole)
    + case when share_rest(amount, part, whole) * 2 >= whole then 1 else 0 end;

-- A quantity that is a whole number of ten to minus `scale`, of at most 12 decimals.
create or replace macro units_quantity(units, scale) as
    cast(
        cast(units // power_of_ten(scale) as decimal(38, 12))
        + cast(units % power_of_ten(scale) * power_of_ten(12 - scale) as decimal(38, 0))
            * cast(0.000000000001 as decimal(12, 12))
        as decimal(38, 12)
    );

-- The stable id of a break: what it is, and whose. The same in every run.
create or replace macro break_id_of(
    code, break_key, account_id, asset, debit_account_id, debit_asset
) as
    sha256(
        to_json([
            code, break_key, coalesce(account_id, ''), coalesce(asset, ''),
            coalesce(debit_account_id, ''), coalesce(debit_asset, '')
        ])::varchar
    );

-- Whether amount x part / whole, of units of the 24th decimal, stays within what an amount holds.
create or replace macro fits_share(units, part, whole) as
    units >= 0 and part >= 0 and whole > 0
    and part < 1000000000000000000000000000 and whole < 1000000000000000000000000000
    and units // 1000000000000000000000000 < 10000000000000 // (part // whole + 1);

-- Half a unit of the last decimal that an asset keeps.
create or replace macro half_unit_of(decimals) as exact_units(5 * power_of_ten(23 - decimals));

-- Whether an entry of a debit log is of the usage family: others move balances, not usage.
create or replace macro is_usage_debit(entry_type) as
    entry_type in ('authorize', 'capture', 'release', 'expire', 'reverse', 'refund', 'decline');

-- Orders entries by their number, those of one number by the time they were booked, latest first.
create or replace macro numbered_at(sequence, booked_at) as
    cast(sequence as hugeint) * 10000000000000000000 - epoch_us(booked_at);

-- Whether an entry stands for all usage of a day: it says so, or names nothing but a meter.
create or replace macro is_day_debit(aggregated, event_id, authorization_id, reversal_of, meter) as
    aggregated is not null
    or (
        event_id is null and authorization_id is null and reversal_of is null
        and meter is not null
    );

-- A decimal without its point: a whole number of its last decimals. Exact, whatever its scale.
create or replace macro without_point(amount) as
    cast(replace(cast(amount as varchar), '.', '') as hugeint);

-- Money in minor units of a currency, which it has no part of, and back.
create or replace macro minor_units(amount, exponent) as
    cast(
        amount * case exponent
            when 0 then 1 when 1 then 10 when 2 then 100 when 3 then 1000 else 10000
        end
        as hugeint
    );
create or replace macro minor_amount(minor, exponent) as
    cast(exact_units(minor * power_of_ten(24 - exponent)) as decimal(38, 12));

-- Under which owner the committed quantities of a payer are counted: its money is under its own id.
create or replace macro units_owner(payer_id) as cast(to_json(['units', payer_id]) as varchar);

-- What a grant has given of its asset, once so many of its minor units of money are drawn: rounded
-- to its precision, never more than it has, and all of it with the last of them. Size and rate are
-- without their points, so is what comes of it.
create or replace macro drawn_units(minor, available, size, rate, exponent, decimals) as
    case
        when minor = 0 then cast(0 as hugeint)
        when minor = available then size
        else least(
            size,
            cast(
                divide_rounded(minor * power_of_ten(12 + decimals - exponent), rate, 'half_away')
                * power_of_ten(12 - decimals)
                as hugeint
            )
        )
    end;

-- Of the instants at which the worth of an asset changes, sorted, the last at or before another;
-- the first for what is earlier; null where it does not change.
create or replace macro rate_change(instants, instant) as
    case
        when instants is not null
            then coalesce(
                list_last(list_filter(instants, lambda since: since <= instant)), instants[1]
            )
    end;

-- An amount in whole units of the 24th decimal: what exact_units undoes.
create or replace macro amount_units(amount) as
    without_point(cast(amount as decimal(38, 24)));

-- What usage fills the tiers of its rate with, beside its account: its pool, or its contract;
-- nothing more where a rate has no terms.
create or replace macro counted_in(tier_scope, pool_id, contract_id) as
    case tier_scope
        when 'pool' then pool_id
        when 'contract_term' then coalesce(contract_id, '')
        else ''
    end;

-- What an entry of a debit log changes in the balance that is booked on its wallet. A hold sets
-- aside and books nothing; an adjustment carries its own sign.
create or replace macro balance_effect(entry_type, amount) as
    case
        when entry_type in ('capture', 'grant_expire') then -amount
        when entry_type in ('reverse', 'refund', 'topup', 'grant', 'adjust') then amount
        else 0
    end;

-- Whether the hold of a capture would be in what was read of the log, which begins a day before the
-- period: a hold lives no longer than it may stay open.
create or replace macro is_hold_known(captured_at, period_start, open_hold_hours) as
    captured_at >= period_start + to_hours(cast(open_hold_hours as integer) - 24);

-- What a rate is found by: the attributes that it names, in its order, with the values of usage.
create or replace macro match_key(mask, attribute_values) as
    '{' || array_to_string(
        list_transform(
            mask,
            lambda name: to_json(name)::varchar || ':'
                || coalesce(attribute_values[name]::varchar, 'null')
        ),
        ','
    ) || '}';
