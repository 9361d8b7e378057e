-- What lines correct of closed periods is what the backfills that the log bills here come to, per
-- payer and currency; and a line is a correction exactly where it says what it corrects.
with
signed as (
    select payer_id, currency, corrects_period, backfill_id, amount_minor as billed, 0 as found
    from invoice.line_items
    where line_type in ('debit_adjustment', 'credit_adjustment') or backfill_id is not null
    union all
    select payer_id, currency, corrects_period, backfill_id, 0 as billed, amount_minor as found
    from rules.correction_totals
)

select
    payer_id,
    currency,
    corrects_period,
    backfill_id,
    sum(billed) as billed,
    sum(found) as found
from signed
group by payer_id, currency, corrects_period, backfill_id
having sum(billed) <> sum(found)
order by payer_id, currency, corrects_period, backfill_id
