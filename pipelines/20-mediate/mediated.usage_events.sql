-- Usage events that count: usable, of a known account, the first copy of their identity.
-- Grain: source, event_id. The declared attributes and quantities follow the fixed columns.
select
    checked.source,
    checked.event_id,
    checked.event_type,
    checked.account_id,
    checked.authorization_id,
    checked.* exclude (
        input, object_no, line_no, raw_text, suspense, content,
        source, event_id, event_type, account_id, authorization_id, event_at
    ),
    checked.event_at,
    cast(checked.event_at as date) as event_on,
    checked.object_no,
    checked.line_no
from mediated.usage_checked as checked
anti join mediated.usage_repeats as repeats
    on checked.object_no = repeats.object_no
    and checked.line_no = repeats.line_no
where checked.suspense is null
