-- Why each dispute is as large as it is: quantity, price, rounding, and what nothing explains.
-- Grain: break_id, cause_no. expected - actual = (expected - at our price) + (at our price - at
-- theirs) + (at theirs - actual): the amounts are the break whatever is found. A cause of nothing
-- is none.
with
measured as (
    select
        disputes.*,
        stated.worth is not null as has_stated,
        stated.unit_prices,
        stated.price_versions,
        stated.worth is not null or versions.break_id is not null as has_version,
        -- What the wallet says that it charged; else what our cards had at another time.
        coalesce(stated.worth, versions.at_their_price, disputes.at_our_price) as at_their_price,
        versions.rate_ids,
        versions.effective_from,
        versions.effective_to
    from recon.disputes as disputes
    left join recon.stated_prices as stated on disputes.break_id = stated.break_id
    left join recon.price_versions as versions
        on disputes.break_id = versions.break_id
        and coalesce(
            abs(stated.worth - versions.at_their_price) <= disputes.rounding_limit, true
        )
),

causes as (
    select break_id, 1 as cause_no, 'quantity' as cause, account_id, asset,
        expected - at_our_price as amount, null as rate_ids, null as effective_from, detail
    from measured
    union all
    select break_id, 2 as cause_no, 'price_version' as cause, account_id, asset,
        at_our_price - at_their_price as amount, rate_ids, effective_from,
        case
            when has_stated then 'the wallet says ' || unit_prices || ' a unit'
                || coalesce(' (version ' || price_versions || ')', '')
                || case when rate_ids is null then '' else '; ' end
            when price_versions is not null
                then 'the wallet says version ' || price_versions || '; '
            else ''
        end
        || coalesce(
            'charged as rate(s) ' || rate_ids || ' said, from '
                || strftime(effective_from, '%Y-%m-%dT%H:%M:%SZ')
                || coalesce(' to ' || strftime(effective_to, '%Y-%m-%dT%H:%M:%SZ'), ''),
            ''
        ) as detail
    from measured
    where has_version
    union all
    select break_id, 3 as cause_no,
        case
            when abs(at_their_price - actual) <= rounding_limit then 'rounding'
            when has_stated then 'debit_arithmetic'
            when code like 'CONVERSION_%' then 'conversion'
            else 'unexplained_price'
        end as cause,
        account_id, asset, at_their_price - actual as amount, null as rate_ids,
        null as effective_from,
        case
            when abs(at_their_price - actual) <= rounding_limit
                then 'at most ' || plain(rounding_limit) || ' are rounding'
            when has_stated
                then 'the wallet says ' || unit_prices || ' a unit, which is '
                    || plain(at_their_price) || ', and took ' || plain(actual)
            else 'should be ' || plain(at_their_price) || ', was ' || plain(actual)
                || coalesce('; the wallet says version ' || price_versions, '')
        end as detail
    from measured
)

select
    break_id,
    cast(cause_no as bigint) as cause_no,
    cause,
    account_id,
    asset,
    cast(amount as decimal(38, 24)) as amount,
    cast(rate_ids as varchar) as rate_ids,
    cast(effective_from as timestamp) as effective_from,
    detail
from causes
where amount <> 0
