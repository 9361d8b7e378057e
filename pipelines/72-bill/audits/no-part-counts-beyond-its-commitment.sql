-- What counts towards a commitment was used by its accounts, of its products, within its window.
select counted.payer_id, counted.charge_no, counted.commitment_id
from billed.counted_parts as counted
left join billed.parts as parts
    on counted.payer_id = parts.payer_id
    and counted.charge_no = parts.charge_no
left join rules.commitments as commitments
    on counted.payer_id = commitments.payer_id
    and counted.commitment_id = commitments.commitment_id
    and counted.measure = commitments.measure
left join rules.holder_accounts as holders
    on counted.payer_id = holders.payer_id
    and counted.commitment_id = holders.holder_id
    and parts.account_id = holders.account_id
left join (
    select payer_id, holder_id, list(product) as products
    from rules.holder_products
    group by payer_id, holder_id
) as scopes
    on counted.payer_id = scopes.payer_id
    and counted.commitment_id = scopes.holder_id
where holders.account_id is null
    or commitments.commitment_id is null
    or parts.span_start < commitments.window_start
    or parts.span_end > commitments.window_end
    or commitments.meter <> parts.meter
    or not coalesce(list_contains(scopes.products, parts.product), true)
order by counted.payer_id, counted.charge_no
