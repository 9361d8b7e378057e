import type { Engine } from '../duck/engine.ts';
import type { ThreeWayPart } from '../report/three-way.ts';
import type { Certificate } from '../schema/certificate.ts';
import { trimmed } from './decimals.ts';

/*
 * What is authorized comes from the outcomes, which part all debits of the period; what is metered from
 * the charges, or from the outcomes where the wallet counts units; what is invoiced from the lines.
 * A debit for several products together, or for none, has no product.
 */
const outcomeParts = `
    with placed as (
        select *, case when contains(products, chr(31)) then '' else products end as product
        from recon.outcomes
    ),

    -- Each side where it stands: what usage says enters there, what was debited leaves there.
    legs as (
        select coalesce(debit_payer_id, '') as payer_id, product, debit_asset as asset, fate, code,
            actual as authorized, -actual as amount
        from placed where debit_asset is not null
        union all
        select coalesce(usage_payer_id, '') as payer_id, product, usage_asset as asset, fate, code,
            cast(0 as decimal(38, 24)) as authorized, expected as amount
        from placed where usage_asset is not null
    )

    select payer_id, product, asset, 'authorized' as part, '' as code, sum(authorized) as amount
    from legs group by payer_id, product, asset
    union all
    select payer_id, product, asset,
        case fate when 'break' then 'break' when 'match' then 'rounding' else 'not_compared' end as part,
        case fate when 'break' then code else '' end as code, sum(amount) as amount
    from legs group by all
    union all
    select usage_payer_id as payer_id, product, usage_asset as asset, 'metered' as part, '' as code,
        sum(expected) as amount
    from placed inner join rules.assets as assets
        on placed.usage_asset = assets.asset and assets.kind = 'unit'
    group by usage_payer_id, product, usage_asset
    union all
    select usage_payer_id as payer_id, product, currency as asset, 'in_units' as part, '' as code,
        sum(money) as amount
    from placed inner join rules.assets as assets
        on placed.usage_asset = assets.asset and assets.kind = 'unit'
    where currency is not null
    group by usage_payer_id, product, currency
    union all
    select payer_id, product, currency as asset, 'metered' as part, '' as code, sum(amount) as amount
    from rolled.charges group by payer_id, product, currency
    union all
    select payer_id, product, currency as asset, 'repriced' as part, '' as code,
        sum(coalesce(repriced, 0)) as amount
    from rolled.charges group by payer_id, product, currency`;

const lineParts = `
    union all
    select payer_id, product, currency as asset,
        case
            when line_type in ('usage', 'fee') then 'charged'
            when line_type = 'wallet_settlement' then 'wallets'
            when line_type in ('balance_consumed', 'commitment_consumed') then 'grants'
            when line_type in ('debit_adjustment', 'credit_adjustment') then 'corrections'
            else 'commitments'
        end as part,
        '' as code, sum(amount) as amount
    from invoice.line_items group by all`;

/** What the three ways of a run are put together from: its sums per payer, product and asset. */
export async function readThreeWay(
    engine: Engine,
    { pipeline }: Pick<Certificate, 'pipeline'>,
): Promise<readonly ThreeWayPart[]> {
    const parts = outcomeParts + (pipeline === 'nightly' ? lineParts : '');
    const rows = await engine.rows(
        `select * replace (cast(amount as decimal(38, 24)) as amount) from (${parts})
        where amount is not null and (amount <> 0 or part in ('metered', 'charged'))
        order by payer_id, asset, product, part, code`,
    );
    return rows.map((row) => ({
        ...(row as unknown as ThreeWayPart),
        amount: trimmed(row.amount),
    }));
}
