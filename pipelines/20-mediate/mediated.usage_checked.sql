-- Stored lines of usage with what makes them unusable; null for those that count or repeat.
-- Grain: object_no, line_no.
select
    usage_rows.* exclude (suspense),
    coalesce(
        usage_rows.suspense,
        case when spans.account_id is null then 'UNKNOWN_ACCOUNT:account_id' end
    ) as suspense
from raw.usage_rows as usage_rows
left join accounts.spans as spans
    on usage_rows.account_id = spans.account_id
    and usage_rows.event_at >= spans.valid_from
    and usage_rows.event_at < spans.valid_to
