-- Accounts that a debit log speaks of: usage of others is audited by nobody.
-- Grain: account_id. More than 70-reconcile/recon.logged_accounts.sql finds, at most: what is not
-- certain here is looked at there.
select account_id
from (
    select account_id
    from entries
    where entry_type in (
        'authorize', 'capture', 'release', 'expire', 'reverse', 'refund', 'decline'
    )
    union all
    select seen as account_id from seen_keys where kind = 'account'
) as named
group by account_id
