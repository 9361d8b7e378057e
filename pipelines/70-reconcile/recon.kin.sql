-- Accounts of one line of a tree: each with every account above it, at any time.
-- Grain: account_id, ancestor_id.
with
above as (
    select account_id, unnest(string_split(path, ' > ')) as ancestor_id from accounts.paths
    union all
    select account_id, payer_id as ancestor_id from accounts.paths
)

select account_id, ancestor_id
from above
where ancestor_id <> account_id
group by account_id, ancestor_id
