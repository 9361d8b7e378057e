-- Entries that are not one plain capture of one event, gathered into the lives they belong to.
-- Grain: input, entry_id. Reversals find their original; an entry without an event finds it
-- through its authorization, on the debit side first, then on the usage side (R3).
with
slow as (
    select entries.*
    from recon.entries as entries
    semi join recon.busy_ids as busy_ids on hash(entries.event_id) = busy_ids.key_hash
    where not entries.is_aggregated
    union all
    select entries.*
    from recon.entries as entries
    where entries.event_id is null and not entries.is_aggregated
),

originals as (
    select input, entry_id, entry_type, event_id, authorization_id
    from slow
),

events_of_authorizations as (
    select authorization_id, min(event_id) as event_id, 1 as preference
    from slow
    where authorization_id is not null and event_id is not null
    group by authorization_id
    union all
    select authorization_id, min(event_id) as event_id, 2 as preference
    from compiled.event_values
    where authorization_id is not null
        and wallet_asset not in (select asset from rules.off_rules where rule = 'R3')
    group by authorization_id
    having count(*) = 1
),

named as (
    select authorization_id, arg_min(event_id, preference) as event_id
    from events_of_authorizations
    group by authorization_id
),

keyed as (
    select
        slow.*,
        originals.entry_id is null and slow.reversal_of is not null as is_orphan,
        -- What came back cannot be taken back, and a hold is released.
        coalesce(
            slow.entry_type in ('reverse', 'refund') and originals.entry_type <> 'capture', false
        ) as is_misled,
        coalesce(originals.entry_type in ('reverse', 'refund'), false) as is_of_reversal,
        slow.event_id is null and originals.event_id is null and named.event_id is not null
            as is_by_authorization,
        case
            when shared.event_id is not null then 'ambiguous:' || slow.event_id
            else coalesce(
                slow.event_id,
                originals.event_id,
                named.event_id,
                'authorization:' || coalesce(slow.authorization_id, originals.authorization_id),
                'entry:' || coalesce(originals.entry_id, slow.entry_id)
            )
        end as event_key
    from slow
    left join originals
        on slow.input = originals.input
        and slow.reversal_of = originals.entry_id
    left join named
        on coalesce(slow.authorization_id, originals.authorization_id) = named.authorization_id
    left join mediated.shared_event_ids as shared on slow.event_id = shared.event_id
),

-- Only what comes back to the same wallet undoes a capture.
reversed as (
    select input, reversal_of, account_id, asset, sum(amount) as amount
    from keyed
    where entry_type in ('reverse', 'refund') and reversal_of is not null and not is_orphan
    group by input, reversal_of, account_id, asset
),

lives as (
    select
        keyed.* exclude (is_orphan),
        -- A reversal of nothing: its original is unknown, or its life never took anything.
        keyed.is_orphan
        or (
            keyed.entry_type in ('reverse', 'refund')
            and not bool_or(keyed.entry_type = 'capture') over life
        ) as is_orphan,
        coalesce(reversed.amount >= keyed.amount, false) and keyed.entry_type = 'capture'
            as is_undone,
        keyed.entry_type = 'capture' and coalesce(reversed.amount < keyed.amount, true) as is_live,
        holds.authorization_id is not null
        or bool_or(keyed.entry_type in ('authorize', 'decline')) over life as is_held,
        case
            when holds.authorization_id is not null
                then sum(case when keyed.entry_type = 'authorize' then keyed.amount else 0 end)
                    over (partition by keyed.authorization_id)
            else sum(case when keyed.entry_type = 'authorize' then keyed.amount else 0 end)
                over life
        end as authorized,
        row_number() over (
            partition by keyed.event_key
            order by
                keyed.booked_at,
                keyed.sequence nulls last,
                -- A wallet may book a capture and the release of the rest at one instant.
                case keyed.entry_type
                    when 'authorize' then 1
                    when 'decline' then 1
                    when 'capture' then 2
                    when 'release' then 3
                    when 'expire' then 3
                    else 4
                end,
                keyed.entry_id,
                keyed.input
        ) as entry_no
    from keyed
    left join reversed
        on keyed.input = reversed.input
        and keyed.entry_id = reversed.reversal_of
        and keyed.account_id = reversed.account_id
        and keyed.asset = reversed.asset
    left join recon.shared_holds as holds on keyed.authorization_id = holds.authorization_id
    window life as (partition by keyed.event_key)
),

compared as (
    select
        *,
        row_number() over live as capture_no,
        first_value(account_id) over live as first_account_id,
        first_value(asset) over live as first_asset,
        first_value(amount) over live as first_amount,
        first_value(quantity) over live as first_quantity,
        first_value(grant_id) over live as first_grant_id,
        first_value(account_id) over effective as life_account_id,
        first_value(asset) over effective as life_asset,
        sum(case when is_live then amount else 0 end) over (
            partition by event_key, is_live
            order by entry_no
        ) as captured_so_far
    from lives
    window
        live as (partition by event_key, is_live order by entry_no),
        -- The live capture speaks for the life; without one, what moved the wallet first does.
        effective as (
            partition by event_key
            order by is_orphan, not is_live, debit_amount = 0, entry_no
        )
),

-- What moves another wallet than the rest of its life stands alone: wallets are never added up.
placed as (
    select
        *,
        debit_amount <> 0 and (account_id, asset) <> (life_account_id, life_asset) as is_elsewhere,
        case when account_id <> life_account_id then 'ACCOUNT_MISMATCH' else 'ASSET_MISMATCH' end
            as elsewhere_code,
        -- Without R5 an event has one debit: every other is a repeat.
        asset not in (select asset from rules.off_rules where rule = 'R5') as is_split
    from compared
)

select
    input,
    entry_id,
    entry_type,
    event_key,
    authorization_id,
    is_by_authorization,
    account_id,
    payer_id,
    asset,
    amount,
    debit_amount,
    quantity,
    grant_id,
    booked_at,
    expires_at,
    is_in_period,
    entry_no,
    case
        when is_misled and is_of_reversal then 'LIFECYCLE_INVALID'
        when is_orphan then 'ORPHAN_REVERSAL'
        when is_misled then 'LIFECYCLE_INVALID'
        when is_elsewhere and not is_live then elsewhere_code
        when is_undone then 'reversed'
        when not is_live or capture_no = 1 then 'main'
        when (is_split and is_held and captured_so_far <= authorized)
            or (is_split and grant_id is not null and grant_id is distinct from first_grant_id)
            or event_key like 'ambiguous:%'
            then case when is_elsewhere then elsewhere_code else 'main' end
        when account_id = first_account_id and asset = first_asset and amount = first_amount
            and quantity is not distinct from first_quantity then 'DUP_DEBIT_SAME'
        else 'DUP_DEBIT_CONFLICT'
    end as fate
from placed
