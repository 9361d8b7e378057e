-- The account in whose lines the charges of an account are shown: its own, or one above it.
-- Grain: payer_id, account_id. Where that changed, the last answer within the period holds.
select
    payer_id,
    account_id,
    coalesce(
        arg_max(line_account_id, valid_from) filter (where valid_from < period_end),
        arg_min(line_account_id, valid_from)
    ) as line_account_id
from accounts.paths
group by payer_id, account_id
