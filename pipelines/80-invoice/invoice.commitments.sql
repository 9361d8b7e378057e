-- What each commitment was, what counted towards it, and what is billed for the rest.
-- Grain: payer_id, commitment_id.
with
overage as (
    select payer_id, commitment_id, sum(amount_minor) as amount_minor
    from invoice.overages
    group by payer_id, commitment_id
)

select
    commitments.payer_id,
    commitments.commitment_id,
    commitments.kind,
    commitments.measure,
    commitments.window_start,
    commitments.window_end,
    commitments.committed,
    commitments.counted_before,
    case
        when commitments.measure = 'amount'
            then minor_amount(true_ups.counted, currencies.exponent)
        else units_quantity(true_ups.counted, 12)
    end as counted,
    case
        when commitments.measure = 'amount'
            then minor_amount(
                greatest(
                    minor_units(commitments.committed, currencies.exponent) - true_ups.counted, 0
                ),
                currencies.exponent
            )
        else units_quantity(
            greatest(without_point(commitments.committed) - true_ups.counted, 0), 12
        )
    end as shortfall,
    minor_amount(true_ups.rounded, currencies.exponent) as true_up,
    minor_amount(
        cast(coalesce(overage.amount_minor, 0) as hugeint), currencies.exponent
    ) as overage,
    commitments.currency
from rules.commitments as commitments
inner join rules.currencies as currencies on commitments.currency = currencies.currency
inner join drawn.true_ups as true_ups
    on true_ups.commitment_id = commitments.commitment_id
    and true_ups.owner_id = case
        when commitments.measure = 'amount' then commitments.payer_id
        else units_owner(commitments.payer_id)
    end
left join overage
    on commitments.payer_id = overage.payer_id
    and commitments.commitment_id = overage.commitment_id
