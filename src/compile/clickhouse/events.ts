import { quoteText } from '../../duck/sql.ts';
import type { Asset, Config, Meter } from '../../schema/config.ts';
import { attributesSql, meterClasses } from '../meters.ts';
import { type EventShape, shapeNames } from '../shape.ts';
import { type ClickExpression, clickExpression, type ExpressionColumns } from './expression.ts';
import { clickName, clickText, segmentClickSql } from './sql.ts';

/*
 * What the config makes of events, as ClickHouse SQL: attributes that are derived, the quantities of
 * meters, what wallets count, and what an event is worth.
 */

/** The columns that an expression may name. */
export function expressionColumns(config: Config, shape: EventShape): ExpressionColumns {
    const of = (wanted: 'integer' | 'decimal') =>
        new Set(shape.quantities.flatMap(({ name, type }) => (type === wanted ? [name] : [])));
    return {
        whole: of('integer'),
        decimal: of('decimal'),
        text: new Set([
            ...['event_type', 'account_id', 'source'],
            ...[...shape.attributes, ...Object.keys(config.derived)],
        ]),
    };
}

/** A meter as it is counted there: when it counts an event, and the quantity of each class. */
interface ClickMeter {
    readonly meter: Meter;
    readonly filter: ClickExpression;
    readonly quantities: readonly (ClickExpression & { readonly token_class: string | null })[];
}

const ratedMeters = (config: Config) => config.meters.filter(({ rated }) => rated);

function clickMeters(config: Config, shape: EventShape): readonly ClickMeter[] {
    const columns = expressionColumns(config, shape);
    const names = shapeNames(shape, Object.keys(config.derived));
    return ratedMeters(config).map((meter) => {
        const conditions = [
            ...(meter.event_type
                ? [{ sql: `event_type = ${clickText(meter.event_type)}`, guards: [] }]
                : []),
            ...(meter.where ? [clickExpression(meter.where, columns)] : []),
        ];
        const texts: Readonly<Record<string, string>> = meter.token_classes ?? {
            '': meter.aggregation === 'count' ? '1' : (meter.quantity ?? meter.value ?? ''),
        };
        return {
            meter,
            filter: {
                sql: `ifNull(${conditions.map(({ sql }) => sql).join(' and ') || '1'}, 0)`,
                guards: conditions.flatMap(({ guards }) => guards),
            },
            quantities: meterClasses(meter, names).map(({ token_class }) => ({
                token_class,
                ...clickExpression(texts[token_class ?? ''] ?? '', columns),
            })),
        };
    });
}

/** Refuses what cannot be counted there. @throws Error saying what. */
export function requireClickExpressions(config: Config, shape: EventShape): void {
    clickMeters(config, shape);
    const columns = expressionColumns(config, shape);
    for (const text of Object.values(config.counts)) clickExpression(text, columns);
}

function derivedClick(config: Config): readonly string[] {
    return Object.entries(config.derived).flatMap(([name, of]) => {
        if ('map' in of) {
            const cases = Object.entries(of.values).flatMap(([from, to]) => [
                `${clickName(of.map)} = ${clickText(from)}`,
                clickText(to),
            ]);
            const otherwise =
                of.otherwise === undefined ? clickName(of.map) : clickText(of.otherwise);
            return [
                `cast(multiIf(${[...cases, otherwise].join(', ')}) as Nullable(String)) as ${clickName(name)}`,
            ];
        }
        if (!('band' in of)) return [];
        const steps = of.steps.flatMap(({ up_to, is }) =>
            up_to === undefined
                ? [clickText(is)]
                : [`${clickName(of.band)} <= toInt256('${up_to}')`, clickText(is)],
        );
        const made = `multiIf(${[`isNull(${clickName(of.band)})`, 'null', ...steps].join(', ')})`;
        return [`cast(${made} as Nullable(String)) as ${clickName(name)}`];
    });
}

const quantityName = (meter: number, index: number) => `quantity_${meter}_${index}`;
const decimal = (sql: string) => `toDecimal256(${sql}, 12)`;

/** What an account is when an event is of it, in the order of `accounts.paths`. */
const pathColumns = [
    ...['payer_id', 'pool_id', 'currency', 'wallet_asset', 'wallet_shape', 'is_prepaid'],
    ...['book_id', 'channel_id', 'period_start_us', 'period_end_us'],
] as const;

/** Usage events of known accounts: who pays, which rates were in force, what each meter counts. */
export function eventsClickSql(
    config: Config,
    shape: EventShape,
    assets: Readonly<Record<string, Asset>>,
    boundaries: readonly bigint[],
    before: bigint,
): string {
    const meters = clickMeters(config, shape);
    const columns = expressionColumns(config, shape);
    const own = [...shape.attributes, ...shape.quantities.map(({ name }) => name)];
    const counted = Object.entries(assets).flatMap(([code, { counts }]) => {
        const text = counts === undefined ? undefined : config.counts[counts];
        return text === undefined ? [] : [{ code, ...clickExpression(text, columns) }];
    });
    const cases = counted.flatMap(({ code, sql }) => [
        `wallet_asset = ${clickText(code)}`,
        `cast(${decimal(sql)} as Nullable(Decimal(76, 12)))`,
    ]);
    const guards = [
        ...meters.flatMap(({ filter, quantities }) => [
            ...filter.guards,
            ...quantities.flatMap((of) =>
                of.guards.map((guard) => `(${guard} or not ${filter.sql})`),
            ),
        ]),
        ...counted.flatMap(({ code, guards: of }) =>
            of.map((guard) => `(${guard} or wallet_asset <> ${clickText(code)})`),
        ),
    ];
    const made = meters.flatMap(({ filter, quantities }, at) => [
        `${filter.sql} as filter_${at}`,
        ...quantities.map(({ sql }, index) => `${decimal(sql)} as ${quantityName(at, index)}`),
    ]);
    return `select
    object_no, line_no, event_id, authorization_id, account_id, event_us,
    ${[...shape.attributes, ...Object.keys(config.derived)].map((name) => `${clickName(name)},`).join(' ')}
    intDiv(event_us, 86400000000) as event_day,
    ${segmentClickSql(boundaries, before)} as segment_us,
    payer_id, pool_id, currency, wallet_asset, wallet_shape, is_prepaid, book_id, channel_id,
    event_us >= period_start_us and event_us < period_end_us as is_in_period,
    ${made.join(',\n    ')},
    ${cases.length ? `multiIf(${[...cases, 'null'].join(', ')})` : 'cast(null as Nullable(Decimal(76, 12)))'} as counted_quantity,
    ${guards.length ? `ifNull(${guards.join('\n        and ')}, 0)` : '1'} as is_safe
from (
    select ${['*', ...derivedClick(config)].join(',\n        ')}
    from (
        select usage_rows.object_no as object_no, usage_rows.line_no as line_no,
            usage_rows.source as source, usage_rows.event_id as event_id,
            usage_rows.event_type as event_type, usage_rows.account_id as account_id,
            usage_rows.authorization_id as authorization_id, usage_rows.event_us as event_us,
            ${own.map((name) => `usage_rows.${clickName(name)} as ${clickName(name)},`).join(' ')}
            ${pathColumns.map((name) => `paths.${name} as ${name}`).join(', ')},
            paths.valid_to_us as valid_to_us
        from (select * from usage_rows where is_read) as usage_rows
        asof inner join paths
            on usage_rows.account_id = paths.account_id
            and usage_rows.event_us >= paths.valid_from_us
    ) as placed
    where event_us < valid_to_us
) as derived`;
}

/** Where an event is counted at all. */
export const countedSql = (config: Config): string =>
    ratedMeters(config)
        .map((_, at) => `filter_${at}`)
        .join(' or ') || '0';

/**
 * Metered usage of one meter, its classes side by side: what 30-meter groups.
 * @param where which events.
 */
export function meteredClickSql(
    config: Config,
    shape: EventShape,
    at: number,
    where: string,
): string {
    const { meter, quantities } = clickMeters(config, shape)[at] as ClickMeter;
    const keys = [
        ...[
            'account_id',
            'payer_id',
            'pool_id',
            'wallet_asset',
            'currency',
            'book_id',
            'channel_id',
        ],
        ...[...meter.attributes].sort().map(clickName),
        ...['segment_us', 'event_day'],
    ];
    const sums = quantities.flatMap((_, index) => {
        const quantity = quantityName(at, index);
        return [
            `toString(sum(${quantity})) as quantity_${index}`,
            `toInt64(countIf(${quantity} <> 0)) as events_${index}`,
        ];
    });
    return `select
    ${keys.join(', ')},
    ${sums.join(',\n    ')}
from events
where is_in_period and filter_${at} and is_safe and ${where}
group by ${keys.join(', ')}`;
}

/** The same as rows of metered.usage, out of what came back of it: SQL of DuckDB. */
export function meteredBackSql(
    config: Config,
    shape: EventShape,
    at: number,
    from: string,
): string {
    const { meter, quantities } = clickMeters(config, shape)[at] as ClickMeter;
    const rows = quantities.map(
        ({ token_class }, index) => `{attributes: ${attributesSql(meter, token_class)},
            quantity: cast(quantity_${index} as decimal(38, 12)), event_count: events_${index}}`,
    );
    return `select ${quoteText(meter.meter)} as meter, account_id, payer_id, pool_id, wallet_asset, currency,
    book_id, channel_id, measure.attributes as attributes, ${quoteText(meter.unit)} as unit,
    make_timestamp(segment_us) as segment_at, cast(make_timestamp(event_day * 86400000000) as date) as event_on,
    measure.quantity as quantity, measure.event_count as event_count
from (select *, unnest([${rows.join(', ')}]) as measure from ${from})
where measure.event_count > 0`;
}

/** How many meters are counted. */
export const meterCount = (config: Config): number => ratedMeters(config).length;

/** Prices of one meter side by side, out of rated.rate_choices: SQL of DuckDB, as JSON can carry it. */
export function pricesForClickSql(config: Config, at: number): string {
    const meter = ratedMeters(config)[at] as Meter;
    const classes = Object.keys(meter.token_classes ?? { '': '' });
    const keys = [...meter.attributes]
        .sort()
        .map(
            (name, key) => `coalesce(attributes ->> ${quoteText(`$."${name}"`)}, '') as key_${key}`,
        );
    const prices = classes.map((name, index) => {
        const only = meter.token_classes
            ? `attributes ->> '$.token_class' = ${quoteText(name)}`
            : 'true';
        return `cast(max(unit_price) filter (${only}) as varchar) as price_${index}`;
    });
    return `select ${[...keys, 'cast(epoch_us(segment_at) as varchar) as segment_us', 'currency', 'book_id'].join(', ')},
    string_agg(distinct product, chr(31) order by product) as products, ${prices.join(', ')}
from rated.rate_choices
where meter = ${quoteText(meter.meter)}
group by all`;
}

/** The columns of that table there. */
export function priceColumns(config: Config, at: number): Readonly<Record<string, string>> {
    const meter = ratedMeters(config)[at] as Meter;
    const classes = Object.keys(meter.token_classes ?? { '': '' });
    return Object.fromEntries([
        ...meter.attributes.map((_, key) => [`key_${key}`, 'String']),
        ...[
            ['segment_us', 'Int64'],
            ['currency', 'String'],
            ['book_id', 'String'],
            ['products', 'String'],
        ],
        ...classes.map((_, index) => [`price_${index}`, 'Nullable(Decimal(38, 12))']),
    ]);
}

/** What each event is worth and what its wallet should have taken: the event_values of 70-reconcile. */
export function eventValuesClickSql(config: Config, shape: EventShape): string {
    const meters = clickMeters(config, shape);
    const joins = meters.map(({ meter }, at) => {
        const keys = [...meter.attributes]
            .sort()
            .map(
                (name, key) =>
                    `and ifNull(events.${clickName(name)}, '') = prices_${at}.key_${key}`,
            );
        return `left any join prices_${at}
    on events.segment_us = prices_${at}.segment_us
    and events.currency = prices_${at}.currency
    and events.book_id = prices_${at}.book_id ${keys.join(' ')}`;
    });
    const each = meters.flatMap(({ quantities }, at) =>
        quantities.map((_, index) => ({
            quantity: `events.${quantityName(at, index)}`,
            price: `prices_${at}.price_${index}`,
            filter: `events.filter_${at}`,
        })),
    );
    const worth = each.map(
        ({ quantity, price, filter }) =>
            `if(${filter}, ${quantity} * toDecimal256(ifNull(${price}, toDecimal128(0, 12)), 12), toDecimal256(0, 24))`,
    );
    const unrated = each.map(
        ({ quantity, price, filter }) => `(${filter} and ${quantity} <> 0 and isNull(${price}))`,
    );
    const products = meters.map((_, at) => `if(events.filter_${at}, prices_${at}.products, '')`);
    const filters = meters.map((_, at) => `events.filter_${at}`);
    return `select
    events.event_id as event_id,
    events.object_no as object_no,
    events.line_no as line_no,
    events.payer_id as payer_id,
    events.account_id as account_id,
    events.wallet_asset as wallet_asset,
    events.wallet_shape as wallet_shape,
    events.currency as currency,
    events.is_in_period as is_in_period,
    events.is_safe as is_safe,
    events.event_us as event_us,
    ${filters.join(' or ') || '0'} as is_counted,
    ${unrated.join(' or ') || '0'} as is_unrated,
    ${worth.join('\n        + ') || 'toDecimal256(0, 24)'} as rated_amount,
    events.counted_quantity as counted_quantity,
    if(events.is_prepaid, arrayStringConcat(arrayFilter(of -> of <> '', [${products.join(', ')}]), '\\x1f'), '')
        as products
from events
${joins.join('\n')}
where events.event_id not in (select event_id from touched_events)`;
}

/** The contract of events: as the config declares them. */
export function eventsTable(config: Config, shape: EventShape) {
    const names = [...shape.attributes, ...Object.keys(config.derived)];
    const quantities = clickMeters(config, shape).flatMap(({ quantities: of }, at) => [
        [`filter_${at}`, 'UInt8'],
        ...of.map((_, index) => [quantityName(at, index), 'Decimal(76, 12)']),
    ]);
    return {
        name: 'events',
        order: ['event_id'],
        columns: {
            ...{ object_no: 'Int64', line_no: 'Int64', event_id: 'String' },
            ...{ authorization_id: 'Nullable(String)', account_id: 'String', event_us: 'Int64' },
            ...(Object.fromEntries(names.map((name) => [name, 'Nullable(String)'])) as Record<
                string,
                string
            >),
            ...{ event_day: 'Int64', segment_us: 'Int64', payer_id: 'String', pool_id: 'String' },
            ...{ currency: 'String', wallet_asset: 'String', wallet_shape: 'String' },
            ...{ is_prepaid: 'Bool', book_id: 'String', channel_id: 'String' },
            is_in_period: 'UInt8',
            ...(Object.fromEntries(quantities) as Record<string, string>),
            ...{ counted_quantity: 'Nullable(Decimal(76, 12))', is_safe: 'UInt8' },
        },
    };
}
