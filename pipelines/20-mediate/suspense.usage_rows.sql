-- Stored lines of usage that cannot be used, with the evidence.
-- Grain: object_no, line_no.
with
judged as (
    select
        usage_rows.object_no,
        usage_rows.line_no,
        coalesce(
            usage_rows.suspense,
            case when spans.account_id is null then 'UNKNOWN_ACCOUNT:account_id' end
        ) as suspense,
        usage_rows.event_id,
        usage_rows.raw_text,
        usage_rows.content
    from raw.usage_rows as usage_rows
    left join accounts.spans as spans
        on usage_rows.account_id = spans.account_id
        and usage_rows.event_at >= spans.valid_from
        and usage_rows.event_at < spans.valid_to
)

select
    object_no,
    line_no,
    split_part(suspense, ':', 1) as code,
    nullif(split_part(suspense, ':', 2), '') as field,
    event_id as record_id,
    coalesce(raw_text, cast(to_json(content) as varchar)) as raw_text
from judged
where suspense is not null
