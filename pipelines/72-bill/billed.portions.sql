-- What of each line each account used, and in which span of its payer's period.
-- Grain: line_key, account_id, span_start, span_end. Only where a period has several spans does it
-- take rated usage to tell. A fee and a meter that cannot be added up are of the whole period.
with
charged as (
    select
        charges.payer_id,
        charges.account_id,
        charges.pool_id,
        charges.product,
        charges.meter,
        charges.attributes,
        charges.rate_id,
        charges.quantity,
        lines.line_key,
        lines.line_type
    from rolled.charges as charges
    left join billed.line_accounts as shown
        on charges.payer_id = shown.payer_id
        and charges.account_id = shown.account_id
    inner join billed.lines as lines
        on charges.payer_id = lines.payer_id
        and coalesce(shown.line_account_id, charges.account_id) = lines.account_id
        and charges.pool_id = lines.pool_id
        and charges.product = lines.product
        and charges.meter = lines.meter
        and charges.attributes = lines.attributes
        and charges.rate_id = lines.rate_id
),

cut_payers as (
    select spans.payer_id, max(payers.period_start) as period_start
    from billed.spans as spans
    inner join rolled.payers as payers on spans.payer_id = payers.payer_id
    group by spans.payer_id
    having count(*) > 1
),

used as (
    select
        usage.payer_id,
        usage.account_id,
        counted_in(terms.tier_scope, usage.pool_id, contracts.contract_id) as pool_id,
        usage.product,
        usage.meter,
        usage.attributes,
        usage.rate_id,
        greatest(usage.segment_at, payers.period_start) as used_from,
        sum(usage.quantity) as quantity
    from rated.usage as usage
    inner join cut_payers as payers on usage.payer_id = payers.payer_id
    left join rules.whole_meters as whole on usage.meter = whole.meter
    left join rules.terms as terms on usage.rate_id = terms.rate_id
    left join rules.book_contracts as contracts on usage.book_id = contracts.book_id
    where whole.meter is null
    group by all
),

cut as (
    select
        charged.payer_id,
        charged.line_key,
        charged.account_id,
        spans.span_start,
        spans.span_end,
        sum(used.quantity) as quantity
    from used
    inner join charged
        on used.payer_id = charged.payer_id
        and used.account_id = charged.account_id
        and used.pool_id = charged.pool_id
        and used.product = charged.product
        and used.meter = charged.meter
        and used.attributes = charged.attributes
        and used.rate_id = charged.rate_id
        and charged.line_type = 'usage'
    inner join billed.spans as spans
        on used.payer_id = spans.payer_id
        and used.used_from >= spans.span_start
        and used.used_from < spans.span_end
    group by
        charged.payer_id,
        charged.line_key,
        charged.account_id,
        spans.span_start,
        spans.span_end
)

select
    payer_id,
    line_key,
    account_id,
    span_start,
    span_end,
    cast(quantity as decimal(38, 12)) as quantity
from cut
union all
select
    charged.payer_id,
    charged.line_key,
    charged.account_id,
    payers.period_start as span_start,
    payers.period_end as span_end,
    charged.quantity
from charged
inner join rolled.payers as payers on charged.payer_id = payers.payer_id
where not exists (
    select 1
    from cut
    where cut.line_key = charged.line_key
        and cut.account_id = charged.account_id
)
