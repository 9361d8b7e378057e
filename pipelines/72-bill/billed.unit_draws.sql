-- What prepaid units of a meter pay of each part of a line: of its units that no wallet paid, what
-- those cost in the line.
-- Grain: payer_id, charge_no, grant_id. A part draws on the commitment that it counts towards, or
-- outside of any window on the first that went on to it. What went on is of whole periods and comes
-- first, so two running sums are all: one over what went on, one over the window for the rest.
with
widths as (
    select payer_id, holder_id, count(*) as product_count
    from rules.holder_products
    group by payer_id, holder_id
),

measured as (
    select
        parts.payer_id,
        parts.charge_no,
        parts.account_id,
        parts.product,
        parts.meter,
        parts.span_start,
        parts.span_end,
        counted.commitment_id as counts_towards,
        parts.amount_minor,
        without_point(parts.quantity) as units,
        coalesce(paid_parts.paid, 0) as paid
    from billed.parts as parts
    left join billed.paid_parts as paid_parts
        on parts.payer_id = paid_parts.payer_id
        and parts.charge_no = paid_parts.charge_no
    left join billed.counted_parts as counted
        on parts.payer_id = counted.payer_id
        and parts.charge_no = counted.charge_no
        and counted.measure = 'quantity'
    where parts.line_type = 'usage'
        and parts.amount_minor >= 0
),

-- What a wallet paid of a part takes as large a share off its units.
asking as (
    select
        * exclude (amount_minor, units, paid),
        greatest(amount_minor - paid, 0) as unpaid,
        units - share_cut(units, paid, greatest(amount_minor, 1)) as asked
    from measured
),

reached as (
    select asking.*, grants.commitment_id, grants.is_rollover
    from asking
    inner join rules.grants as grants
        on asking.payer_id = grants.payer_id
        and asking.meter = grants.meter
        and asking.span_start >= grants.starts_at
        and asking.span_end <= grants.expires_at
    inner join rules.holder_accounts as holders
        on grants.payer_id = holders.payer_id
        and grants.grant_id = holders.holder_id
        and asking.account_id = holders.account_id
    left join widths
        on grants.payer_id = widths.payer_id
        and grants.grant_id = widths.holder_id
    left join rules.holder_products as products
        on grants.payer_id = products.payer_id
        and grants.grant_id = products.holder_id
        and asking.product = products.product
    where widths.product_count is null or products.product is not null
    qualify grants.commitment_id = coalesce(
        asking.counts_towards,
        min(grants.commitment_id) over (partition by asking.payer_id, asking.charge_no)
    )
),

-- Balances of a commitment one after the other, in the order in which they draw.
stacked as (
    select
        payer_id,
        commitment_id,
        grant_id,
        is_rollover,
        without_point(cast(opening + granted as decimal(38, 12))) as size,
        sum(without_point(cast(opening + granted as decimal(38, 12)))) over (
            partition by payer_id, commitment_id, is_rollover
            order by expires_at, starts_at, grant_id
        ) as size_after
    from rules.grants
    where meter is not null
),

carried as (
    select payer_id, commitment_id, max(size_after) as size
    from stacked
    where is_rollover
    group by payer_id, commitment_id
),

asks as (
    select
        payer_id,
        charge_no,
        commitment_id,
        unpaid,
        asked,
        bool_or(is_rollover) as reaches_carried,
        bool_or(not is_rollover) as reaches_window
    from reached
    where asked > 0
    group by payer_id, charge_no, commitment_id, unpaid, asked
),

asked_of_carried as (
    select
        asks.*,
        case when reaches_carried then asked else 0 end as carried_ask,
        sum(case when reaches_carried then asked else 0 end) over in_order as carried_after,
        coalesce(carried.size, 0) as carried_size
    from asks
    left join carried
        on asks.payer_id = carried.payer_id
        and asks.commitment_id = carried.commitment_id
    window in_order as (
        partition by asks.payer_id, asks.commitment_id
        order by asks.charge_no
        rows between unbounded preceding and current row
    )
),

asked_of_window as (
    select
        *,
        case
            when reaches_window
                then least(asked, greatest(carried_after - carried_size, asked - carried_ask))
            else 0
        end as window_ask
    from asked_of_carried
),

claims as (
    select payer_id, charge_no, commitment_id, unpaid, asked, true as is_rollover,
        carried_after - carried_ask as claimed_from, carried_after as claimed_to
    from asked_of_window
    union all
    select payer_id, charge_no, commitment_id, unpaid, asked, false as is_rollover,
        sum(window_ask) over in_order - window_ask as claimed_from,
        sum(window_ask) over in_order as claimed_to
    from asked_of_window
    window in_order as (
        partition by payer_id, commitment_id
        order by charge_no
        rows between unbounded preceding and current row
    )
),

drawn as (
    select
        claims.*,
        stacked.grant_id,
        least(claimed_to, size_after) - greatest(claimed_from, size_after - size) as units,
        sum(units) over (
            partition by claims.payer_id, claims.charge_no
            order by claims.is_rollover desc, stacked.size_after, stacked.grant_id
        ) as units_after
    from claims
    inner join stacked
        on claims.payer_id = stacked.payer_id
        and claims.commitment_id = stacked.commitment_id
        and claims.is_rollover = stacked.is_rollover
        and claims.claimed_to > stacked.size_after - stacked.size
        and claims.claimed_from < stacked.size_after
    where least(claimed_to, size_after) > greatest(claimed_from, size_after - size)
)

-- Rounded by running totals: a part that is paid whole is paid to the last minor unit.
select
    payer_id,
    charge_no,
    grant_id,
    cast(units as hugeint) as drawn,
    cast(
        share_rounded(unpaid, units_after, asked)
        - share_rounded(unpaid, units_after - units, asked)
        as hugeint
    ) as amount_minor
from drawn
