import { quoteText } from '../duck/sql.ts';
import type { Asset, Config, Meter } from '../schema/config.ts';
import { compileExpression } from './expression.ts';
import { filterSql } from './meter-parts.ts';
import { type EventShape, shapeNames } from './shape.ts';
import { isAdditiveMeter, wholeFilters, wholeValuesSql } from './whole-meters.ts';

/** What wallets count of usage. */

/** What the wallet layer counts of an event, in the asset of its wallet; null where it counts nothing. */
export function countedSql(
    config: Config,
    columns: ReadonlySet<string>,
    assets: Readonly<Record<string, Asset>>,
): string {
    const cases = Object.entries(assets).flatMap(([code, asset]) => {
        const text = config.counts[asset.counts ?? ''];
        if (text === undefined) return [];
        const { sql } = compileExpression(text, columns);
        return [`when ${quoteText(code)} then cast(${sql} as decimal(38,12))`];
    });
    const none = 'cast(null as decimal(38,12))';
    return cases.length ? `case wallet_asset ${cases.join(' ')} end` : none;
}

/**
 * Which events count beside those of a meter that adds up: a wallet of units counts events, whatever
 * their meters make of them.
 * @param whole the meters that cannot be added up.
 */
export function countedFilters(
    config: Config,
    whole: readonly Meter[],
    columns: ReadonlySet<string>,
    assets: Readonly<Record<string, Asset>>,
): readonly { readonly meter: Meter; readonly filter: string }[] {
    const units = Object.entries(assets).filter(([, { kind }]) => kind === 'unit');
    if (units.length === 0) return [];
    const isCounted = `wallet_asset in (${units.map(([code]) => quoteText(code)).join(', ')})`;
    return whole.map((meter) => {
        const filters = wholeFilters([meter], config.meters, columns);
        return { meter, filter: `(${isCounted} and (${filters.join(' or ')}))` };
    });
}

/**
 * What usage of the period there is, counted from the events and not from what they are worth: one
 * row per account and asset of its wallet.
 */
export function countedUsageViewSql(
    config: Config,
    shape: EventShape,
    assets: Readonly<Record<string, Asset>>,
): string {
    const columns = shapeNames(shape, Object.keys(config.derived));
    const rated = config.meters.filter((meter) => meter.rated);
    const whole = rated.filter((meter) => !isAdditiveMeter(meter));
    const isCounted = [
        ...rated.filter(isAdditiveMeter).map((meter) => `(${filterSql(meter, columns)})`),
        ...countedFilters(config, whole, columns, assets).map(({ filter }) => filter),
    ];
    const events = `select account_id, wallet_asset as asset, count(*) as record_count,
    sum(${countedSql(config, columns, assets)}) as amount
from compiled.events
where is_in_period and (${isCounted.join(' or ') || 'false'})
group by account_id, wallet_asset`;
    if (whole.length === 0) return events;
    return `select account_id, asset, cast(sum(record_count) as bigint) as record_count, sum(amount) as amount
from (
${events}
union all by name
select account_id, wallet_asset as asset, 1 as record_count, counted_quantity as amount
from (${wholeValuesSql(whole, assets)})
)
group by account_id, asset`;
}
