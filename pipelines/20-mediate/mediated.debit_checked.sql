-- Entries of stored lines with what makes them unusable; null for those that count or repeat.
-- Grain: object_no, line_no, entry_no. A debit of an unknown account is kept: it becomes a break.
select
    debit_rows.* exclude (suspense),
    case
        when debit_rows.suspense is not null then debit_rows.suspense
        when debit_rows.entry_type not in (
            'authorize', 'capture', 'release', 'expire', 'reverse', 'refund',
            'adjust', 'topup', 'grant', 'grant_expire', 'decline'
        ) then 'UNKNOWN_ENTRY_TYPE:entry_type'
        when assets.asset is null then 'UNKNOWN_ASSET:asset'
        when debit_rows.amount < 0 and debit_rows.entry_type <> 'adjust'
            then 'NEGATIVE_QUANTITY:amount'
    end as suspense
from raw.debit_rows as debit_rows
left join rules.assets as assets on debit_rows.asset = assets.asset
