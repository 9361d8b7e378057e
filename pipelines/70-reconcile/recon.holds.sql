-- What the breaks of each payer come to, and whether its lines may go out.
-- Grain: payer_id. Breaks are summed without their sign: two that offset are still two. What a rule
-- accepts does not hold.
-- Usage that nothing prices holds with or without a debit log: the lines would go out short.
with
broken as (
    -- A break in another currency than the payer's cannot be added to the rest: it has no price.
    select
        payers.payer_id,
        count(*) as break_count,
        count(*) filter (
            where breaks.money_amount is null
                or (breaks.currency <> payers.currency and breaks.money_amount <> 0)
        ) as unpriced_count,
        sum(abs(breaks.money_amount)) filter (where breaks.currency = payers.currency)
            as break_money
    from recon.breaks as breaks
    inner join rolled.payers as payers on breaks.payer_id = payers.payer_id
    where breaks.accepted_by = ''
    group by payers.payer_id
),

-- A fee that nothing prices has no debit that could miss it: it holds by itself.
fees as (
    select payer_id, count(*) as fee_count
    from suspense.unpriced_fees
    group by payer_id
),

audited as (
    select payer_id, bool_or(status = 'tied') as is_audited
    from recon.tie_outs
    group by payer_id
),

-- Usage of nothing is owed nothing, whatever its price.
unrated as (
    select payer_id, count(*) as unrated_count
    from suspense.unrated_usage
    where quantity <> 0
    group by payer_id
),

limited as (
    select
        payers.payer_id,
        payers.payer_name,
        payers.currency,
        payers.amount as amount_exact,
        coalesce(broken.break_count, 0) as break_count,
        coalesce(broken.unpriced_count, 0) + coalesce(fees.fee_count, 0) as unpriced_count,
        coalesce(fees.fee_count, 0) as fee_count,
        cast(round(coalesce(broken.break_money, 0), 12) as decimal(38, 12)) as break_money,
        cast(
            greatest(
                cast(parameters.hold_absolute as decimal(38, 12)),
                cast(round(payers.amount, 10) as decimal(32, 10))
                    * cast(parameters.hold_percent as decimal(9, 6)) * 0.01
            )
            as decimal(38, 12)
        ) as hold_limit,
        coalesce(unrated.unrated_count, 0) as unrated_count,
        coalesce(audited.is_audited, true) as is_audited
    from rolled.payers as payers
    cross join run.parameters as parameters
    left join broken on payers.payer_id = broken.payer_id
    left join fees on payers.payer_id = fees.payer_id
    left join audited on payers.payer_id = audited.payer_id
    left join unrated on payers.payer_id = unrated.payer_id
)

select
    payer_id,
    payer_name,
    currency,
    amount_exact,
    break_count,
    unpriced_count,
    fee_count,
    break_money,
    hold_limit,
    unrated_count,
    case
        when break_money > hold_limit or unpriced_count + unrated_count > 0 then 'held'
        when not is_audited then 'unauditable'
        else 'clear'
    end as recon_status
from limited
