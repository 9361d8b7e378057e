-- Stored lines of a debit log that cannot be used, with the evidence.
-- Grain: object_no, line_no. A debit of an unknown account is kept: it becomes a break.
with
judged as (
    select
        debit_rows.object_no,
        debit_rows.line_no,
        case
            when debit_rows.suspense is not null then debit_rows.suspense
            when debit_rows.entry_type not in (
                'authorize', 'capture', 'release', 'expire', 'reverse', 'refund',
                'adjust', 'topup', 'grant', 'grant_expire', 'decline'
            ) then 'UNKNOWN_ENTRY_TYPE:entry_type'
            when assets.asset is null then 'UNKNOWN_ASSET:asset'
            when debit_rows.amount < 0 and debit_rows.entry_type <> 'adjust'
                then 'NEGATIVE_QUANTITY:amount'
        end as suspense,
        debit_rows.entry_id,
        debit_rows.raw_text,
        debit_rows.content
    from raw.debit_rows as debit_rows
    left join rules.assets as assets on debit_rows.asset = assets.asset
)

select
    object_no,
    line_no,
    split_part(suspense, ':', 1) as code,
    nullif(split_part(suspense, ':', 2), '') as field,
    entry_id as record_id,
    coalesce(raw_text, cast(to_json(content) as varchar)) as raw_text
from judged
where suspense is not null
