-- The ledger of grants: what each part of a line takes of each grant, in its asset and in money.
-- Grain: payer_id, grant_id, charge_no. Rounded by running totals, so that rows add up to what the
-- grant gave. Prepaid units of a meter were drawn in their own measure before.
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
),

of_money as (
    select
        payer_id,
        grant_id,
        charge_no,
        asset,
        units_after - units_before as drawn,
        size - units_after as balance,
        drawn as amount_minor,
        currency,
        exponent
    from given
),

of_units as (
    select
        draws.payer_id,
        draws.grant_id,
        draws.charge_no,
        grants.asset,
        draws.drawn,
        without_point(cast(grants.opening + grants.granted as decimal(38, 12)))
        - sum(draws.drawn) over (
            partition by draws.payer_id, draws.grant_id
            order by draws.charge_no
            rows between unbounded preceding and current row
        ) as balance,
        draws.amount_minor,
        grants.currency,
        currencies.exponent
    from billed.unit_draws as draws
    inner join rules.grants as grants
        on draws.payer_id = grants.payer_id
        and draws.grant_id = grants.grant_id
    inner join rules.currencies as currencies on grants.currency = currencies.currency
)

select
    ledger.payer_id,
    ledger.grant_id,
    ledger.charge_no,
    parts.line_key,
    parts.account_id,
    parts.product,
    ledger.asset,
    units_quantity(cast(ledger.drawn as hugeint), 12) as drawn,
    units_quantity(cast(ledger.balance as hugeint), 12) as balance,
    cast(ledger.amount_minor as hugeint) as amount_minor,
    minor_amount(ledger.amount_minor, ledger.exponent) as amount,
    ledger.currency
from (
    select * from of_money
    union all
    select * from of_units
) as ledger
inner join billed.parts as parts
    on ledger.payer_id = parts.payer_id
    and ledger.charge_no = parts.charge_no
