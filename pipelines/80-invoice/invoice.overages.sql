-- What usage above a commitment costs more than at its own price: what the overage line bills.
-- Grain: payer_id, commitment_id, product. Of a commitment in money, each part of a line was
-- rounded with its surcharge. Of one in units, what of a line lies above costs its share of the
-- whole line x (factor - 1), or the price of overage less that share: one fraction, rounded once
-- for the line.
with
of_money as (
    select
        parts.payer_id,
        charges.commitment_id,
        parts.product,
        sum(settled.rounded - charges.size) as amount_minor
    from billed.parts as parts
    inner join drawing.charges as charges
        on parts.payer_id = charges.owner_id
        and parts.charge_no = charges.charge_no
    inner join drawn.charges as settled
        on parts.payer_id = settled.owner_id
        and parts.charge_no = settled.charge_no
    where charges.commitment_id is not null
    group by parts.payer_id, charges.commitment_id, parts.product
),

above as (
    select
        parts.payer_id,
        parts.line_key,
        cut.commitment_id,
        cast(sum(cut.above) as hugeint) as units
    from billed.parts as parts
    inner join drawn.parts as cut
        on units_owner(parts.payer_id) = cut.owner_id
        and parts.charge_no = cut.charge_no
    group by parts.payer_id, parts.line_key, cut.commitment_id
    having sum(cut.above) <> 0
),

-- Whole numbers: exact amounts in 10^-24 of money, quantities and prices in 10^-12.
lined as (
    select
        above.*,
        lines.product,
        currencies.exponent,
        commitments.overage_factor is not null as is_factor,
        case
            when commitments.overage_factor is not null then without_point(lines.amount_exact)
            else without_point(commitments.overage_unit_price) * without_point(lines.quantity)
                - without_point(lines.amount_exact)
        end as whole_amount,
        without_point(lines.quantity) as line_units,
        case
            when commitments.overage_factor is not null
                then without_point(commitments.overage_factor) - 1000000000000
            else 1000000000000
        end as factor_units
    from above
    inner join billed.lines as lines on above.line_key = lines.line_key
    inner join rules.commitments as commitments
        on above.payer_id = commitments.payer_id
        and above.commitment_id = commitments.commitment_id
        and (
            commitments.overage_factor is not null
            or commitments.overage_unit_price is not null
        )
    inner join rules.currencies as currencies on lines.currency = currencies.currency
),

-- In lowest terms: the long division takes 31 digits.
reduced as (
    select
        *,
        greatest(gcd(units, line_units), 1) as unit_divisor,
        gcd(factor_units, cast(1000000000000 as hugeint)) as factor_divisor
    from lined
),

-- Each step by itself: a formula that is written into another is looked at once for each time that
-- the other names it.
measured as (
    select
        *,
        sign(whole_amount) * sign(units) * sign(factor_units) as direction,
        abs(whole_amount) as size,
        abs(units) // unit_divisor * (abs(factor_units) // factor_divisor) as part,
        line_units // unit_divisor * (1000000000000 // factor_divisor) as whole,
        power_of_ten(24 - exponent) as minor_unit
    from reduced
),

cut as (
    select *, share_cut(size, part, whole) as share from measured
),

rounded as (
    select
        payer_id,
        commitment_id,
        product,
        direction * divide_rounded(share, minor_unit, 'half_away') as amount_minor
    from cut
)

select payer_id, commitment_id, product, cast(sum(amount_minor) as hugeint) as amount_minor
from (
    select * from of_money
    union all
    select * from rounded
)
group by payer_id, commitment_id, product
having sum(amount_minor) <> 0
