import { quoteText } from '../duck/sql.ts';
import type { Config, Meter } from '../schema/config.ts';
import { filterSql } from './meter-parts.ts';
import { attributesSql, meterClasses } from './meters.ts';
import { type EventShape, shapeNames } from './shape.ts';
import { isAdditiveMeter } from './whole-meters.ts';

/** Where no meter of the config has a share in a single event. */
const nothing = `select source, event_id, '' as meter, book_id, currency, '{}' as attributes, segment_at,
    cast(0 as decimal(38,12)) as quantity
from recon.disputed_events where false`;

/**
 * What rates price of each event of a dispute: one row per meter and attributes. A meter that cannot
 * be added up has no share in a single event.
 */
export function disputedPartsSql(config: Config, shape: EventShape): string {
    const columns = shapeNames(shape, Object.keys(config.derived));
    const meters = config.meters.filter((meter) => meter.rated && isAdditiveMeter(meter));
    return meters.map((meter) => partsSql(meter, columns)).join('\nunion all by name\n') || nothing;
}

function partsSql(meter: Meter, columns: ReadonlySet<string>): string {
    const parts = meterClasses(meter, columns).map(
        ({ token_class, quantity }) =>
            `{attributes: ${attributesSql(meter, token_class)}, quantity: cast(${quantity} as decimal(38,12))}`,
    );
    return `select source, event_id, ${quoteText(meter.meter)} as meter, book_id, currency,
    part.attributes as attributes, segment_at, part.quantity as quantity
from (
    select source, event_id, book_id, currency, segment_at,
        unnest([${parts.join(',\n            ')}]) as part
    from recon.disputed_events as events
    where is_in_period and ${filterSql(meter, columns)}
)
where part.quantity <> 0`;
}
