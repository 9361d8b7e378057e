-- What the next period opens with: what terms of contracts counted, what commitments counted, and
-- balances of grants.
-- Grain: contract, product, meter, commitment, grant. Rows of zero too: a zero that is said is not
-- missing.
with
next_period as (
    select strftime(cast(period || '-01' as date) + interval 1 month, '%Y-%m') as period
    from run.parameters
),

counting as (
    select contracts.contract_id, rates.product, rates.meter
    from rules.book_contracts as contracts
    inner join rules.book_cards as book_cards on contracts.book_id = book_cards.book_id
    inner join rules.rates as rates on book_cards.card = rates.card
    inner join rules.terms as terms
        on rates.rate_id = terms.rate_id
        and terms.tier_scope = 'contract_term'
    group by contracts.contract_id, rates.product, rates.meter
),

used as (
    select members.pool_id as contract_id, rates.product, rates.meter,
        sum(members.quantity) as quantity
    from pricing.members as members
    inner join rules.terms as terms
        on members.rate_id = terms.rate_id
        and terms.tier_scope = 'contract_term'
    inner join rules.rates as rates on members.rate_id = rates.rate_id
    group by members.pool_id, rates.product, rates.meter
),

terms as (
    select
        counting.contract_id as contract,
        counting.product,
        counting.meter,
        '' as commitment,
        '' as "grant",
        coalesce(openings.quantity, 0) + coalesce(used.quantity, 0) as quantity
    from counting
    left join rules.openings as openings
        on counting.contract_id = openings.contract_id
        and counting.product = openings.product
        and counting.meter = openings.meter
    left join used
        on counting.contract_id = used.contract_id
        and counting.product = used.product
        and counting.meter = used.meter
),

-- What money that went on of an earlier window paid does not use up the window of a prepaid one.
carried as (
    select grants.payer_id, grants.commitment_id, sum(balances.drawn) as drawn
    from rules.grants as grants
    inner join invoice.balances as balances
        on grants.payer_id = balances.payer_id
        and grants.grant_id = balances.grant_id
    where grants.is_rollover
    group by grants.payer_id, grants.commitment_id
),

-- What was trued up counts as used: a cumulative commitment bills a shortfall once.
commitments as (
    select
        commitments.contract_id as contract,
        '' as product,
        '' as meter,
        substr(commitments.commitment_id, length(commitments.contract_id) + 2) as commitment,
        '' as "grant",
        statements.counted - coalesce(carried.drawn, 0)
            + case when commitments.is_due then statements.shortfall else 0 end as quantity
    from rules.commitments as commitments
    inner join invoice.commitments as statements
        on commitments.payer_id = statements.payer_id
        and commitments.commitment_id = statements.commitment_id
    inner join rolled.payers as payers on commitments.payer_id = payers.payer_id
    left join carried
        on commitments.payer_id = carried.payer_id
        and commitments.commitment_id = carried.commitment_id
    where commitments.is_cumulative or commitments.window_end > payers.period_end
),

grants as (
    select
        grants.contract_id as contract,
        '' as product,
        '' as meter,
        '' as commitment,
        substr(grants.grant_id, length(grants.contract_id) + 2) as "grant",
        balances.closing as quantity
    from rules.grants as grants
    inner join invoice.balances as balances
        on grants.payer_id = balances.payer_id
        and grants.grant_id = balances.grant_id
    inner join rolled.payers as payers on grants.payer_id = payers.payer_id
    where coalesce(grants.expires_at > payers.period_end, true)
    union all
    select
        grants.contract_id as contract,
        '' as product,
        '' as meter,
        '' as commitment,
        substr(grants.rollover_id, length(grants.contract_id) + 2) as "grant",
        balances.rolled_over as quantity
    from rules.grants as grants
    inner join invoice.balances as balances
        on grants.payer_id = balances.payer_id
        and grants.grant_id = balances.grant_id
    inner join rolled.payers as payers on grants.payer_id = payers.payer_id
    where grants.rollover_id is not null
        and grants.expires_at <= payers.period_end
)

select
    closing.contract,
    closing.product,
    closing.meter,
    closing.commitment,
    closing."grant",
    next_period.period,
    cast(closing.quantity as decimal(38, 12)) as quantity
from (
    select * from terms
    union all
    select * from commitments
    union all
    select * from grants
) as closing
cross join next_period
