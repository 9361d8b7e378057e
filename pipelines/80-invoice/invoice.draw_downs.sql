-- The ledger of grants: what each part of a line takes of each grant, in its asset and in money.
-- Grain: payer_id, grant_id, charge_no. Rounded by running totals, so that rows add up to what the
-- grant gave.
with
running as (
    select
        draws.owner_id as payer_id,
        draws.grant_id,
        draws.charge_no,
        draws.drawn,
        sum(draws.drawn) over (
            partition by draws.owner_id, draws.grant_id
            order by draws.charge_no
            rows between unbounded preceding and current row
        ) as drawn_after
    from drawn.draw_downs as draws
),

sized as (
    select
        running.*,
        grants.asset,
        grants.precision,
        grants.currency,
        currencies.exponent,
        ranked.available,
        without_point(cast(grants.opening + grants.granted as decimal(38, 12))) as size,
        without_point(grants.rate) as rate
    from running
    inner join rules.grants as grants
        on running.payer_id = grants.payer_id
        and running.grant_id = grants.grant_id
    inner join drawn.grants as ranked
        on running.payer_id = ranked.owner_id
        and running.grant_id = ranked.grant_id
    inner join rules.currencies as currencies on grants.currency = currencies.currency
),

given as (
    select
        *,
        drawn_units(drawn_after, available, size, rate, exponent, precision) as units_after,
        drawn_units(drawn_after - drawn, available, size, rate, exponent, precision)
            as units_before
    from sized
)

select
    given.payer_id,
    given.grant_id,
    given.charge_no,
    parts.line_key,
    parts.account_id,
    parts.product,
    given.asset,
    units_quantity(cast(given.units_after - given.units_before as hugeint), 12) as drawn,
    units_quantity(cast(given.size - given.units_after as hugeint), 12) as balance,
    cast(given.drawn as hugeint) as amount_minor,
    minor_amount(given.drawn, given.exponent) as amount,
    given.currency
from given
inner join billed.parts as parts
    on given.payer_id = parts.payer_id
    and given.charge_no = parts.charge_no
