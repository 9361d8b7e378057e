-- Rates that are charged to accounts, with the accounts that they hold for: while its card is in
-- their book, in the period or the next one; of a rate that is not for all, who used its meter.
-- Grain: rate_id, payer_id, pool_id, account_id. Rates in another currency than the payer's too.
with
windows as (
    select
        terms.rate_id,
        terms.model,
        terms.tier_scope,
        terms.is_for_all,
        rates.meter,
        rates.card,
        rates.currency,
        payers.payer_id,
        rates.currency <> payers.currency as is_foreign,
        case when terms.tier_scope = 'pool' then paths.pool_id else '' end as pool_id,
        paths.account_id
    from rules.terms as terms
    inner join rules.rates as rates on terms.rate_id = rates.rate_id
    inner join rules.book_cards as book_cards
        on rates.card = book_cards.card
        and rates.currency = book_cards.currency
    inner join accounts.paths as paths on book_cards.book_id = paths.book_id
    inner join pricing.payers as payers on paths.payer_id = payers.payer_id
    where terms.is_for_accounts
        and greatest(
            case when terms.is_in_advance then payers.period_end else payers.period_start end,
            rates.effective_from,
            paths.valid_from
        ) < least(
            case when terms.is_in_advance then payers.next_end else payers.period_end end,
            coalesce(rates.effective_to, timestamp '9999-12-31'),
            paths.valid_to
        )
    group by all
),

metered as (
    select usage.meter, usage.payer_id, usage.account_id, book_cards.card
    from metered.usage as usage
    inner join rules.book_cards as book_cards on usage.book_id = book_cards.book_id
    group by usage.meter, usage.payer_id, usage.account_id, book_cards.card
)

select
    windows.rate_id,
    windows.payer_id,
    windows.pool_id,
    windows.account_id,
    windows.model,
    windows.tier_scope,
    windows.currency,
    windows.is_foreign
from windows
left join metered
    on windows.meter = metered.meter
    and windows.card = metered.card
    and windows.payer_id = metered.payer_id
    and windows.account_id = metered.account_id
where windows.is_for_all or metered.account_id is not null
