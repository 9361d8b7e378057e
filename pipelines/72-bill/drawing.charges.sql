-- Parts of lines as charges: their money under the payer, and their quantity once more where it
-- counts towards a commitment of units.
-- Grain: owner_id, charge_no. A factor is a whole number of its twelfth decimals. What wallets and
-- prepaid units paid of a part is paid before any grant.
with
paid as (
    select payer_id, charge_no, sum(paid) as paid
    from (
        select payer_id, charge_no, paid from billed.paid_parts
        union all
        select payer_id, charge_no, amount_minor as paid from billed.unit_draws
    )
    group by payer_id, charge_no
)

select
    parts.payer_id as owner_id,
    parts.charge_no,
    parts.account_id,
    parts.product,
    lines.currency as asset,
    parts.span_start as first_at,
    parts.span_end - interval 1 microsecond as last_at,
    counted.commitment_id,
    parts.amount_minor as size,
    cast(coalesce(paid.paid, 0) as hugeint) as paid,
    cast(0 as hugeint) as beyond,
    case
        when commitments.overage_factor is null then cast(1 as hugeint)
        else cast(1000000000000 as hugeint)
    end as within_factor,
    case
        when commitments.overage_factor is null then cast(1 as hugeint)
        else without_point(commitments.overage_factor)
    end as above_factor,
    case
        when commitments.overage_factor is null then cast(1 as hugeint)
        else cast(1000000000000 as hugeint)
    end as rounding_divisor,
    'half_away' as rounding_mode
from billed.parts as parts
inner join billed.lines as lines on parts.line_key = lines.line_key
left join paid
    on parts.payer_id = paid.payer_id
    and parts.charge_no = paid.charge_no
left join billed.counted_parts as counted
    on parts.payer_id = counted.payer_id
    and parts.charge_no = counted.charge_no
    and counted.measure = 'amount'
left join rules.commitments as commitments
    on counted.payer_id = commitments.payer_id
    and counted.commitment_id = commitments.commitment_id
union all
select
    units_owner(parts.payer_id) as owner_id,
    parts.charge_no,
    parts.account_id,
    parts.product,
    parts.meter as asset,
    parts.span_start as first_at,
    parts.span_end - interval 1 microsecond as last_at,
    counted.commitment_id,
    without_point(parts.quantity) as size,
    cast(0 as hugeint) as paid,
    cast(0 as hugeint) as beyond,
    cast(1 as hugeint) as within_factor,
    cast(1 as hugeint) as above_factor,
    cast(1 as hugeint) as rounding_divisor,
    'half_away' as rounding_mode
from billed.parts as parts
inner join billed.counted_parts as counted
    on parts.payer_id = counted.payer_id
    and parts.charge_no = counted.charge_no
    and counted.measure = 'quantity'
