-- Usage events that count: usable, of a known account, the first copy of their identity.
-- Grain: source, event_id. The declared attributes and quantities follow the fixed columns. Rows
-- stay where they were stored: what is kept is which of them do not count.
select
    stored.source,
    stored.event_id,
    stored.event_type,
    stored.account_id,
    stored.authorization_id,
    stored.* exclude (
        input, object_no, line_no, raw_text, suspense, content,
        source, event_id, event_type, account_id, authorization_id, event_at
    ),
    stored.event_at,
    cast(stored.event_at as date) as event_on,
    stored.object_no,
    stored.line_no
from raw.usage_rows as stored
anti join (
    select repeats.object_no, repeats.line_no
    from mediated.usage_repeats as repeats
    union all
    select suspended.object_no, suspended.line_no
    from suspense.usage_rows as suspended
) as left_out
    on stored.object_no = left_out.object_no
    and stored.line_no = left_out.line_no
