-- Per payer and product: usage and fees with their overage are what wallets settled, what balances
-- gave, and what is still to pay. Lines say the first three, the ledger of grants says the last,
-- less what wallets paid beyond any charge. Overage of a commitment in units is paid by nothing.
-- What units of a meter paid was paid before any other grant, as if by a wallet.
with
signed as (
    select payer_id, product, 'charged' as side, amount_minor
    from billed.lines
    union all
    select payer_id, product, 'charged' as side, amount_minor
    from invoice.line_items
    where line_type = 'overage'
    union all
    select payer_id, product, 'paid' as side, -amount_minor as amount_minor
    from invoice.line_items
    where line_type in ('wallet_settlement', 'balance_consumed', 'commitment_consumed')
    union all
    select parts.payer_id, parts.product, 'to pay' as side, remainders.remaining as amount_minor
    from billed.parts as parts
    inner join drawn.remainders as remainders
        on parts.payer_id = remainders.owner_id
        and parts.charge_no = remainders.charge_no
    union all
    select overages.payer_id, overages.product, 'to pay' as side, overages.amount_minor
    from invoice.overages as overages
    inner join rules.commitments as commitments
        on overages.payer_id = commitments.payer_id
        and overages.commitment_id = commitments.commitment_id
        and commitments.measure = 'quantity'
    union all
    select payer_id, product, 'to pay' as side, -amount_minor as amount_minor
    from billed.settlements
    union all
    select payer_id, product, 'to pay' as side, amount_minor
    from invoice.line_items
    where line_type = 'commitment_consumed'
        and grant_id in (select grant_id from rules.grants where meter is not null)
    union all
    select parts.payer_id, parts.product, 'to pay' as side, remainders.paid as amount_minor
    from billed.parts as parts
    inner join drawn.remainders as remainders
        on parts.payer_id = remainders.owner_id
        and parts.charge_no = remainders.charge_no
)

select
    payer_id,
    product,
    sum(case when side = 'charged' then amount_minor else 0 end) as charged,
    sum(case when side = 'paid' then amount_minor else 0 end) as paid,
    sum(case when side = 'to pay' then amount_minor else 0 end) as to_pay
from signed
group by payer_id, product
having sum(case when side = 'charged' then amount_minor else -amount_minor end) <> 0
order by payer_id, product
