-- Which commitment a part of a line counts towards: in money, and in units of its meter.
-- Grain: payer_id, charge_no, measure. Its account and product must be in it and all of its span in
-- its window; of several, that of the deepest account, then of the fewest products, then by id.
with
widths as (
    select payer_id, holder_id, count(*) as product_count
    from rules.holder_products
    group by payer_id, holder_id
)

select
    parts.payer_id,
    parts.charge_no,
    commitments.measure,
    commitments.commitment_id
from billed.parts as parts
inner join rules.commitments as commitments
    on parts.payer_id = commitments.payer_id
    and parts.span_start >= commitments.window_start
    and parts.span_end <= commitments.window_end
    and (
        commitments.measure = 'amount'
        or (commitments.meter = parts.meter and parts.line_type = 'usage')
    )
inner join rules.holder_accounts as holders
    on commitments.payer_id = holders.payer_id
    and commitments.commitment_id = holders.holder_id
    and parts.account_id = holders.account_id
left join widths
    on commitments.payer_id = widths.payer_id
    and commitments.commitment_id = widths.holder_id
left join rules.holder_products as products
    on commitments.payer_id = products.payer_id
    and commitments.commitment_id = products.holder_id
    and parts.product = products.product
where widths.product_count is null or products.product is not null
qualify row_number() over (
    partition by parts.payer_id, parts.charge_no, commitments.measure
    order by
        commitments.depth desc,
        coalesce(widths.product_count, 9000000000000000000),
        commitments.commitment_id
) = 1
