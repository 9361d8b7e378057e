-- Usage events that count: usable, of a known account, the first copy of their identity.
-- Grain: source, event_id. The declared attributes and quantities follow the fixed columns.
select
    usage_rows.source,
    usage_rows.event_id,
    usage_rows.event_type,
    usage_rows.account_id,
    usage_rows.authorization_id,
    usage_rows.* exclude (
        input, object_no, line_no, raw_text, suspense, content,
        source, event_id, event_type, account_id, authorization_id, event_at
    ),
    usage_rows.event_at,
    cast(usage_rows.event_at as date) as event_on,
    usage_rows.object_no,
    usage_rows.line_no
from raw.usage_rows as usage_rows
anti join suspense.usage_rows as suspended
    on usage_rows.object_no = suspended.object_no
    and usage_rows.line_no = suspended.line_no
anti join mediated.usage_repeats as repeats
    on usage_rows.object_no = repeats.object_no
    and usage_rows.line_no = repeats.line_no
