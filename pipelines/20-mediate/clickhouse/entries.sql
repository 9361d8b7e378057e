-- Debit entries that are read here, with their payer, and whether anything about them is odd.
-- Grain: object_no, line_no. Entries of unknown accounts have no payer.
select
    object_no,
    line_no,
    input,
    entry_id,
    entry_type,
    authorization_id,
    event_id,
    account_id,
    wallet_id,
    asset,
    amount,
    quantity,
    reversal_of,
    booked_us,
    sequence,
    opening,
    closing,
    payer_id,
    is_in_period,
    effect,
    is_simple
    -- What states balances that do not fit, or overdraws, is a break of form.
    and ifNull(closing - opening = effect and (closing >= 0 or effect >= 0), 1) as is_simple
from (
    select
        debits.object_no as object_no,
        debits.line_no as line_no,
        debits.input as input,
        debits.entry_id as entry_id,
        debits.entry_type as entry_type,
        debits.authorization_id as authorization_id,
        debits.event_id as event_id,
        debits.account_id as account_id,
        debits.wallet_id as wallet_id,
        debits.asset as asset,
        debits.amount as amount,
        debits.quantity as quantity,
        debits.reversal_of as reversal_of,
        debits.booked_us as booked_us,
        debits.sequence as sequence,
        debits.is_simple as is_simple,
        if(debits.entry_type = 'capture', -debits.amount, toDecimal128(0, 12)) as effect,
        ifNull(debits.balance_before, debits.balance_after - effect) as opening,
        ifNull(debits.balance_after, debits.balance_before + effect) as closing,
        debits.booked_us < paths.valid_to_us as is_known,
        if(is_known, paths.payer_id, null) as payer_id,
        debits.booked_us >= if(is_known, paths.period_start_us, parameters.period_start_us)
        and debits.booked_us < if(is_known, paths.period_end_us, parameters.period_end_us)
            as is_in_period
    from (select * from debit_rows where is_read) as debits
    cross join parameters
    asof left join paths
        on debits.account_id = paths.account_id
        and debits.booked_us >= paths.valid_from_us
) as placed
