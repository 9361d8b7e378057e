import { type NamedSelect, quoteName, quoteText } from '../duck/sql.ts';
import type { Asset, Config, Meter } from '../schema/config.ts';
import { countedFilters, countedSql } from './counted.ts';
import { derivedEventsSql } from './derived.ts';
import { compileExpression } from './expression.ts';
import {
    beginning,
    filterSql,
    keyName,
    type LineSide,
    lineAccounts,
    operatorSide,
    owner,
    segmentSql,
} from './meter-parts.ts';
import { type EventShape, shapeNames } from './shape.ts';
import {
    isAdditiveMeter,
    wholeLineEventsSql,
    wholeMeterSql,
    wholeValuesSql,
} from './whole-meters.ts';

export { beginning } from './meter-parts.ts';

/**
 * Compiles meters to the views that the stages read. Each meter groups the events once, all its
 * token classes side by side, and only the aggregate is turned into one row per class.
 */

/** One class of a meter: the value of token_class, or null for a meter without classes. */
export interface MeterClass {
    readonly token_class: string | null;
    readonly quantity: string;
}

export function meterClasses(meter: Meter, columns: ReadonlySet<string>): readonly MeterClass[] {
    if (meter.token_classes) {
        return Object.entries(meter.token_classes).map(([token_class, text]) => ({
            token_class,
            quantity: compileExpression(text, columns).sql,
        }));
    }
    if (meter.aggregation === 'count') return [{ token_class: null, quantity: '1' }];
    return [
        {
            token_class: null,
            quantity: compileExpression(meter.quantity ?? meter.value ?? '', columns).sql,
        },
    ];
}

/** The attributes a rate may name for this meter, sorted. */
export function meterAttributes(meter: Meter): readonly string[] {
    return [...meter.attributes, ...(meter.token_classes ? ['token_class'] : [])].sort();
}

/** SQL of the canonical JSON of the attributes of a class of a meter, over the columns of events. */
export function attributesSql(meter: Meter, token_class: string | null): string {
    const fields = meterAttributes(meter).map((name) =>
        name === 'token_class'
            ? `token_class := ${quoteText(token_class ?? '')}`
            : `${quoteName(name)} := ${quoteName(name)}`,
    );
    return fields.length ? `to_json(struct_pack(${fields.join(', ')}))::varchar` : `'{}'`;
}

/** The view of events with what the config derives, who pays, and which rates were in force. */
export function eventsViewSql(
    config: Config,
    shape: EventShape,
    boundaries: readonly string[],
): string {
    return `select
    events.* exclude (event_on, object_no, line_no),
    events.event_on,
    ${segmentSql(boundaries, beginning)} as segment_at,
    paths.payer_id,
    paths.pool_id,
    paths.currency,
    paths.wallet_asset,
    paths.wallet_shape,
    paths.is_prepaid,
    paths.book_id,
    paths.channel_id,
    events.event_at >= paths.period_start and events.event_at < paths.period_end as is_in_period
from ${derivedEventsSql(config, shapeNames(shape))} as events
inner join accounts.paths as paths
    on events.account_id = paths.account_id
    and events.event_at >= paths.valid_from
    and events.event_at < paths.valid_to`;
}

function meterSql(meter: Meter, columns: ReadonlySet<string>, events = 'compiled.events'): string {
    const kept = [...meter.attributes].sort();
    const classes = meterClasses(meter, columns);
    const sums = classes.map(
        ({ quantity }, index) =>
            `            sum(${quantity}) as quantity_${index}, count(*) filter (${quantity} <> 0) as events_${index}`,
    );
    const rows = classes.map(({ token_class }, index) => {
        const attributes = attributesSql(meter, token_class);
        return `{attributes: ${attributes}, quantity: cast(quantity_${index} as decimal(38,12)), event_count: events_${index}}`;
    });
    const keys = [...owner, ...kept.map(quoteName), 'segment_at', 'event_on'];
    return `select
    ${quoteText(meter.meter)} as meter, ${owner.join(', ')},
    measure.attributes as attributes, ${quoteText(meter.unit)} as unit, segment_at, event_on,
    measure.quantity as quantity, measure.event_count as event_count
from (
    select ${owner.join(', ')}, segment_at, event_on,
        unnest([${rows.join(',\n            ')}]) as measure
    from (
        select ${keys.join(', ')},
${sums.join(',\n')}
        from ${events}
        where is_in_period and ${filterSql(meter, columns)}
        group by ${keys.join(', ')}
    )
)
where measure.event_count > 0`;
}

/**
 * One row per meter, account, attributes, rate segment and day; of a meter that cannot be added up,
 * one row per segment.
 * @param boundariesOf instants at which rates of a meter change, sorted.
 */
export function meteredViewSql(
    config: Config,
    shape: EventShape,
    boundariesOf: (meter: string) => readonly string[] = () => [],
): string {
    const columns = shapeNames(shape, Object.keys(config.derived));
    const { meters } = config;
    return meters
        .filter(({ rated }) => rated)
        .map((meter) =>
            isAdditiveMeter(meter)
                ? meterSql(meter, columns)
                : wholeMeterSql(meter, { meters, columns, boundaries: boundariesOf(meter.meter) }),
        )
        .join('\nunion all by name\n');
}

/** Events of days that are cut in another way than the run that is re-priced cut them. */
const cutEvents = `(
            select events.* from compiled.events as events
            semi join cut.days as days
                on events.account_id = days.account_id and events.event_on = days.event_on
        )`;

/**
 * The same, where the partials of another run are kept: of a meter that adds up, only days that are
 * cut in another way now are metered from their events.
 * @param again the meters that cannot be added up and are cut in another way now, from all events.
 */
export function meteredAgainViewSql(
    config: Config,
    shape: EventShape,
    boundariesOf: (meter: string) => readonly string[],
    again: ReadonlySet<string>,
): string {
    const columns = shapeNames(shape, Object.keys(config.derived));
    const { meters } = config;
    const wholes = meters.filter(({ meter }) => again.has(meter));
    return [
        'select * from cut.partials',
        'select * from kept.wholes',
        ...meters
            .filter((meter) => meter.rated && isAdditiveMeter(meter))
            .map((meter) => meterSql(meter, columns, cutEvents)),
        ...wholes.map((meter) =>
            wholeMeterSql(meter, { meters, columns, boundaries: boundariesOf(meter.meter) }),
        ),
    ].join('\nunion all by name\n');
}

/**
 * Each meter by itself, for the name of one that the engine refuses. A formula is left out: what it
 * may hold is decided when the config is read, and what is wrong with its meters is theirs.
 */
export function meterParts(config: Config, shape: EventShape): readonly NamedSelect[] {
    const columns = shapeNames(shape, Object.keys(config.derived));
    const { meters } = config;
    return meters
        .filter(({ aggregation }) => aggregation !== 'formula')
        .map((meter) => ({
            name: `meter ${meter.meter}`,
            sql: isAdditiveMeter(meter)
                ? meterSql(meter, columns)
                : wholeMeterSql(meter, { meters, columns, boundaries: [] }),
        }));
}

/** Each count of the config by itself, for the same. */
export function countParts(config: Config, shape: EventShape): readonly NamedSelect[] {
    const columns = shapeNames(shape, Object.keys(config.derived));
    return Object.entries(config.counts).map(([name, text]) => ({
        name: `count ${name}`,
        sql: `select cast(${compileExpression(text, columns).sql} as decimal(38,12)) as made from compiled.events`,
    }));
}

/** The products of some rates as one text, a unit separator between them. */
const productsSql = 'string_agg(distinct product, chr(31) order by product)';

/** Prices side by side, one row per what selects them; every name is its own, none an event's. */
function pricesSql(meter: Meter, classes: readonly MeterClass[]): string {
    const keys = [...meter.attributes]
        .sort()
        .map(
            (name) =>
                `coalesce(attributes ->> ${quoteText(`$."${name}"`)}, '') as ${keyName(name)}`,
        );
    const prices = classes.map(({ token_class }, index) => {
        const only =
            token_class === null
                ? 'true'
                : `attributes ->> '$.token_class' = ${quoteText(token_class)}`;
        return `max(unit_price) filter (${only}) as price_${index}`;
    });
    const wholes = classes.flatMap((_, index) => {
        const units = `cast(price_${index} * ${priceUnit} as bigint)`;
        const limit = `${wholeLimit / BigInt(classes.length)} // greatest(abs(${units}), 1)`;
        const isShort = `abs(price_${index}) < 1000`;
        return [
            `case when ${isShort} then ${units} end as units_${index}`,
            `case when ${isShort} then ${limit} end as limit_${index}`,
        ];
    });
    return `select *, ${wholes.join(', ')} from (
        select ${[...keys, 'segment_at as price_segment', 'currency as price_currency', 'book_id as price_book', `${productsSql} as products`, ...prices].join(', ')}
        from rated.rate_choices
        where meter = ${quoteText(meter.meter)}
        group by all
    )`;
}

/** Units of a price, 10^-12, in one. */
const priceUnit = 1_000_000_000_000n;

/** What whole numbers of 18 digits hold, so that they can become a DECIMAL. */
const wholeLimit = 900_000_000_000_000_000n;

/**
 * What an event is worth: its quantities at their prices. Whole quantities times prices in units
 * are whole numbers, which takes a tenth of the time; what might not fit in them, and quantities
 * that are not whole, are multiplied as decimals. Both give the same digits.
 */
function worthSql(classes: readonly MeterClass[], prices: string): string {
    const decimals = classes.map(
        ({ quantity }, index) => `coalesce(${quantity} * ${prices}.price_${index}, 0)`,
    );
    const fits = classes.map(
        ({ quantity }, index) => `typeof(${quantity}) in ('BIGINT', 'INTEGER')
            and ${quantity} between -${prices}.limit_${index} and ${prices}.limit_${index}`,
    );
    const wholes = classes.map(({ quantity }, index) => `(${quantity}) * ${prices}.units_${index}`);
    return `case when ${fits.join(' and ')}
        then cast(${wholes.join(' + ')} as decimal(18,0)) * cast(0.000000000001 as decimal(12,12))
        else ${decimals.join(' + ')} end`;
}

/** Products of what a wallet of units pays by counting events, where no event has a share of it. */
function wholeProducts(meter: Meter, filter: string, at: number) {
    const join = `left join (
        select currency as whole_currency, book_id as whole_book, ${productsSql} as products
        from rated.rate_choices where meter = ${quoteText(meter.meter)} group by all
    ) as wholes_${at}
    on case when ${filter} then currency end = wholes_${at}.whole_currency
    and book_id = wholes_${at}.whole_book`;
    return { join, filter, products: `wholes_${at}.products` };
}

/** What an event's wallet can pay for, as one text: nothing where it is postpaid. */
function paidSql(products: readonly string[]): string {
    const [first = "''"] = products;
    const all = products.length > 1 ? `concat_ws(chr(31), ${products.join(', ')})` : first;
    return `case when is_prepaid then coalesce(${all}, '') else '' end`;
}

/**
 * One row per metered event of the period's surroundings: what it is worth, and what its wallet
 * should have taken for it. The prices are the very rows that 40-rate chose. No single event is
 * worth a share of a meter that cannot be added up: such usage has a row of its own, as a whole.
 */
export function eventValuesViewSql(
    config: Config,
    shape: EventShape,
    assets: Readonly<Record<string, Asset>>,
): string {
    const columns = shapeNames(shape, Object.keys(config.derived));
    const additive = config.meters.filter((meter) => meter.rated && isAdditiveMeter(meter));
    const whole = config.meters.filter((meter) => meter.rated && !isAdditiveMeter(meter));
    const parts = additive.map((meter, at) => {
        const classes = meterClasses(meter, columns);
        const filter = filterSql(meter, columns);
        const price = (index: number) => `prices_${at}.price_${index}`;
        const join = `left join (${pricesSql(meter, classes)}) as prices_${at}
    on case when ${filter} then segment_at end = prices_${at}.price_segment
    and currency = prices_${at}.price_currency
    and book_id = prices_${at}.price_book${meter.attributes
        .map((name) => ` and coalesce(${quoteName(name)}, '') = prices_${at}.${keyName(name)}`)
        .join('')}`;
        const unpriced = classes.map(
            ({ quantity }, index) => `(${quantity} <> 0 and ${price(index)} is null)`,
        );
        return {
            join,
            filter: `(${filter})`,
            products: `prices_${at}.products`,
            amount: `case when ${filter} then ${worthSql(classes, `prices_${at}`)} else 0 end`,
            unpriced: `(${filter} and (${unpriced.join(' or ')}))`,
        };
    });
    const counting = countedFilters(config, whole, columns, assets).map(({ meter, filter }, at) =>
        wholeProducts(meter, filter, at),
    );
    const wanted = [...parts, ...counting];
    const conditions = wanted.map(({ filter }) => filter);
    const events = `select
    source, event_id, authorization_id, account_id, payer_id, currency, wallet_asset, wallet_shape,
    is_in_period, event_at, event_on,
    coalesce(${parts.map(({ unpriced }) => unpriced).join(' or ') || 'false'}, false) as is_unrated,
    cast(${parts.map(({ amount }) => amount).join(' + ') || '0'} as decimal(38,24)) as rated_amount,
    ${countedSql(config, columns, assets)} as counted_quantity,
    ${paidSql(wanted.map(({ products }) => products))} as products
from compiled.events as events
${wanted.map(({ join }) => join).join('\n')}
where ${conditions.join(' or ') || 'false'}`;
    return whole.length ? `${events}\nunion all by name\n${wholeValuesSql(whole, assets)}` : events;
}

/**
 * The events behind a line: those of its meter, account, payer and attributes whose rate is its
 * rate, with the quantity each adds. Parameters: account_id, payer_id, rate_id.
 */
export function lineEventsSql(
    config: Config,
    shape: EventShape,
    meter: Meter,
    attributes: string,
    side: LineSide = operatorSide,
): string {
    const columns = shapeNames(shape, Object.keys(config.derived));
    if (!isAdditiveMeter(meter)) {
        return wholeLineEventsSql(meter, { meters: config.meters, columns }, attributes, side);
    }
    const wanted = JSON.parse(attributes) as Readonly<Record<string, string | null>>;
    const classes = meterClasses(meter, columns);
    const of = classes.find(({ token_class }) => token_class === (wanted.token_class ?? null));
    const conditions = [...meter.attributes].map(
        (name) =>
            `cast(events.${quoteName(name)} as varchar) is not distinct from ${
                wanted[name] == null ? 'null' : quoteText(wanted[name])
            }`,
    );
    const quantity = of?.quantity ?? '0';
    return `select events.source, events.event_id, events.event_at, events.quantity,
        stored.object_no, stored.line_no
    from (
        select *, cast(${quantity} as decimal(38,12)) as quantity
        from ${side.events}
        where is_in_period and payer_id = $payer_id and account_id in (${lineAccounts(side.tables)})
            and ${filterSql(meter, columns)} and (${quantity}) <> 0
    ) as events
    inner join mediated.usage_events as stored
        on events.source = stored.source and events.event_id = stored.event_id
    inner join ${side.tables}rated.rate_choices as choices
        on choices.meter = ${quoteText(meter.meter)}
        and choices.attributes = ${quoteText(attributes)}
        and choices.segment_at = events.segment_at
        and choices.book_id = events.book_id
        and choices.rate_id = $rate_id
    where ${conditions.length ? conditions.join(' and ') : 'true'}`;
}
