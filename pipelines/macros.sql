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
    greatest(
        cast(absolute as decimal(38, 18)),
        least(
            cast(cast(abs(expected) as decimal(26, 8)) * cast(percent as decimal(9, 6)) * 0.01
                as decimal(38, 18)),
            coalesce(cast(cap as decimal(38, 18)), cast(99999999999999999999 as decimal(38, 18)))
        )
    );

-- The factor between two figures when it is one that a wrong unit makes (a power of ten, 60,
-- 3600), else null. `half_unit` is the rounding of the log; a figure of the size of that rounding
-- proves nothing and gives null.
create or replace macro unit_factor(expected, actual, half_unit) as
    list_filter(
        cast([
            10, 60, 100, 1000, 3600, 10000, 100000, 1000000, 10000000, 100000000, 1000000000
        ] as decimal(10, 0)[]),
        lambda factor:
            (cast(abs(expected) as decimal(38, 9)) > 10 * factor * cast(half_unit as decimal(24, 9))
                and abs(
                    cast(actual as decimal(38, 9)) * factor - cast(expected as decimal(38, 9))
                ) <= factor * cast(half_unit as decimal(24, 9)))
            or (cast(abs(actual) as decimal(38, 9)) > 10 * factor * cast(half_unit as decimal(24, 9))
                and abs(
                    cast(expected as decimal(38, 9)) * factor - cast(actual as decimal(38, 9))
                ) <= factor * cast(half_unit as decimal(24, 9)))
    )[1];

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
