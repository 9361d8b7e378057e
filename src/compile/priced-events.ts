import { quoteName, quoteText } from '../duck/sql.ts';
import type { Config, Meter } from '../schema/config.ts';
import { filterSql } from './meter-parts.ts';
import { meterAttributes, meterClasses } from './meters.ts';
import { type EventShape, shapeNames } from './shape.ts';
import { isAdditiveMeter } from './whole-meters.ts';

/** Whether what a meter counts is the sum of what its events add, so that each can be priced. */
export function isSummedMeter(meter: Meter): boolean {
    return meter.aggregation === 'sum' && isAdditiveMeter(meter);
}

/**
 * The events of some meters, one row for each token class, with the attributes that 30-meter gives
 * them: the meters that a rate prices event by event.
 */
export function pricedEventsViewSql(
    config: Config,
    shape: EventShape,
    meters: readonly string[],
): string {
    const columns = shapeNames(shape, Object.keys(config.derived));
    const wanted = config.meters.filter(
        (meter) => meters.includes(meter.meter) && isSummedMeter(meter),
    );
    if (wanted.length === 0) return none;
    return wanted.map((meter) => meterEventsSql(meter, columns)).join('\nunion all by name\n');
}

const none = `select cast(null as varchar) as meter, cast(null as varchar) as source,
    cast(null as varchar) as event_id, cast(null as timestamp) as event_at,
    cast(null as varchar) as account_id, cast(null as varchar) as payer_id,
    cast(null as varchar) as pool_id,
    cast(null as varchar) as currency, cast(null as varchar) as book_id,
    cast(null as varchar) as channel_id,
    cast(null as varchar) as attributes,
    cast(null as timestamp) as segment_at, cast(null as decimal(38,12)) as value
where false`;

function meterEventsSql(meter: Meter, columns: ReadonlySet<string>): string {
    const rows = meterClasses(meter, columns).map(({ token_class, quantity }) => {
        const json = meterAttributes(meter).map((name) =>
            name === 'token_class'
                ? `token_class := ${quoteText(token_class ?? '')}`
                : `${quoteName(name)} := ${quoteName(name)}`,
        );
        const attributes = json.length
            ? `to_json(struct_pack(${json.join(', ')}))::varchar`
            : `'{}'`;
        return `{attributes: ${attributes}, value: cast(${quantity} as decimal(38,12))}`;
    });
    return `select ${quoteText(meter.meter)} as meter, source, event_id, event_at, account_id, payer_id,
    pool_id, currency, book_id, channel_id, measure.attributes as attributes, segment_at, measure.value as value
from (
    select source, event_id, event_at, account_id, payer_id, pool_id, currency, book_id,
        channel_id, segment_at,
        unnest([${rows.join(',\n            ')}]) as measure
    from compiled.events
    where is_in_period and ${filterSql(meter, columns)}
)
where ${meter.token_classes ? 'measure.value <> 0' : 'measure.value is not null'}`;
}
