-- Rated - debited of each account and asset by what made the difference: nothing is left over.
-- Grain: account_id, asset, cause. Breaks in which both sides are compared have causes of their
-- own, any other has one by its code.
with
compared as (
    select account_id, asset,
        case when cause = 'rounding' then 'per_event_rounding' else cause end as cause,
        count(*) as cause_count, sum(amount) as amount
    from recon.break_causes
    group by all
),

alone as (
    select
        legs.account_id,
        legs.asset,
        case
            when legs.code like 'TIMING_%' then 'timing'
            when legs.code like 'METERED_%' or legs.code in ('SPLIT_INCOMPLETE', 'OPEN_HOLD')
                then 'not_debited'
            when legs.code in ('DEBITED_NOT_METERED', 'ORPHAN_REVERSAL') then 'not_metered'
            when legs.code like 'DUP_DEBIT_%' then 'debited_twice'
            when legs.code like '%_MISMATCH' then 'elsewhere'
            when legs.code in ('UNRATED', 'CONVERSION_MISSING') then 'unrated'
            when legs.code = 'AMOUNT_ROUNDING' then 'per_event_rounding'
            else 'other'
        end as cause,
        legs.amount
    from recon.break_legs as legs
    anti join recon.disputes as disputes on legs.break_id = disputes.break_id
    where legs.amount <> 0
),

named as (
    select * from compared
    union all by name
    select account_id, asset, cause, count(*) as cause_count, sum(amount) as amount
    from alone
    group by account_id, asset, cause
    union all by name
    select account_id, asset, 'per_event_rounding' as cause, match_count as cause_count,
        difference as amount
    from recon.accepted_differences
    where is_within
    union all by name
    select account_id, asset, 'volume_terms' as cause, 0 as cause_count, repriced as amount
    from recon.tie_outs
    where repriced <> 0
    union all by name
    select usage_account_id as account_id, usage_asset as asset, 'unauditable' as cause,
        usage_count as cause_count, expected as amount
    from recon.outcomes
    where fate = 'unauditable' and expected <> 0
)

select
    coalesce(max(tie_outs.payer_id), '') as payer_id,
    named.account_id,
    named.asset,
    named.cause,
    cast(sum(named.cause_count) as bigint) as cause_count,
    cast(sum(named.amount) as decimal(38, 24)) as amount
from named
left join recon.tie_outs as tie_outs
    on named.account_id = tie_outs.account_id
    and named.asset = tie_outs.asset
group by named.account_id, named.asset, named.cause
having sum(named.amount) <> 0
