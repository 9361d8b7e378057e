-- What is priced by terms: usage by its line, and accounts that a fee is charged to.
-- Grain: line_id, account_id, attributes. An account that changes its pool counts in both, in each
-- with the usage of its time; so does one that changes its contract, at rates that count by that.
with
used as (
    select
        usage.rate_id,
        usage.payer_id,
        counted_in(terms.tier_scope, usage.pool_id, contracts.contract_id) as pool_id,
        usage.account_id,
        usage.attributes,
        terms.tier_scope,
        sum(usage.quantity) as quantity,
        sum(usage.event_count) as event_count,
        sum(usage.amount) as listed
    from rated.usage as usage
    inner join rules.terms as terms
        on usage.rate_id = terms.rate_id
        and terms.model <> 'flat'
    left join rules.book_contracts as contracts on usage.book_id = contracts.book_id
    group by all
),

fees as (
    select
        rate_id,
        payer_id,
        pool_id,
        case when tier_scope = 'pool' then pool_id else account_id end as account_id,
        tier_scope
    from pricing.account_rates
    where model = 'flat' and not is_foreign
    group by all
),

behind_fees as (
    select
        usage.rate_id,
        usage.payer_id,
        case when terms.tier_scope = 'pool' then usage.pool_id else usage.account_id end
            as account_id,
        sum(usage.event_count) as event_count
    from rated.usage as usage
    inner join rules.terms as terms
        on usage.rate_id = terms.rate_id
        and terms.model = 'flat'
    group by all
),

-- Who used something at a rate: a pool, or an account. Joined by one key: where all of a payer is
-- one pool, a condition that is either of two would look at every pair of its accounts.
busy as (
    select
        rate_id,
        payer_id,
        pool_id,
        case when tier_scope = 'pool' then pool_id else account_id end as account_id
    from used
    group by all
),

charged as (
    select
        rate_id,
        payer_id,
        pool_id,
        case when tier_scope = 'pool' then pool_id else account_id end as account_id,
        tier_scope
    from pricing.account_rates
    where model <> 'flat' and not is_foreign
    group by all
),

-- Who used nothing at a rate that is charged all the same.
idle as (
    select charged.*
    from charged
    left join busy
        on charged.rate_id = busy.rate_id
        and charged.payer_id = busy.payer_id
        and charged.pool_id = busy.pool_id
        and charged.account_id = busy.account_id
    where busy.rate_id is null
),

gathered as (
    select rate_id, payer_id, pool_id, account_id, attributes, tier_scope, quantity, event_count,
        listed
    from used
    union all
    select rate_id, payer_id, pool_id, account_id, '{}' as attributes, tier_scope, 0 as quantity,
        0 as event_count, 0 as listed
    from idle
    union all
    select fees.rate_id, fees.payer_id, fees.pool_id, fees.account_id, '{}' as attributes,
        fees.tier_scope, 1 as quantity, coalesce(behind_fees.event_count, 0) as event_count,
        0 as listed
    from fees
    left join behind_fees
        on fees.rate_id = behind_fees.rate_id
        and fees.payer_id = behind_fees.payer_id
        and fees.account_id = behind_fees.account_id
)

select
    to_json([
        payer_id,
        case when tier_scope in ('pool', 'contract_term') then pool_id else account_id end,
        case when tier_scope = 'line' then attributes end,
        rate_id
    ])::varchar as line_id,
    rate_id,
    payer_id,
    pool_id,
    account_id,
    attributes,
    cast(quantity as decimal(38, 12)) as quantity,
    cast(event_count as bigint) as event_count,
    cast(listed as decimal(38, 24)) as listed
from gathered
