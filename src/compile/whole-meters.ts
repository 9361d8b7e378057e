import { quoteName, quoteText } from '../duck/sql.ts';
import type { Asset, Meter } from '../schema/config.ts';
import { type Aggregation, aggregateSql, isAdditive, isCarried } from './aggregation.ts';
import { conversionSql } from './exact.ts';
import { compileExpression } from './expression.ts';
import { compileFormula } from './formula.ts';
import {
    beginning,
    filterSql,
    keyName,
    type LineSide,
    lineAccounts,
    owner,
    segmentSql,
} from './meter-parts.ts';

/**
 * Meters whose days cannot be added: they are computed over the whole period, from its events, once
 * for each account, attributes and span in which no rate of the meter changes. A level is carried
 * from one span to the next, and in from before the period.
 */

interface WholeContext {
    readonly meters: readonly Meter[];
    /** Names an expression may use. */
    readonly columns: ReadonlySet<string>;
}

/** Whether daily partials of the meter can be kept and added. */
export function isAdditiveMeter(meter: Meter): boolean {
    return (
        meter.aggregation !== 'formula' &&
        meter.unit_conversion === undefined &&
        isAdditive({ kind: meter.aggregation, window: meter.window })
    );
}

/** The aggregation of a meter, its expressions compiled. @throws Error what cannot be compiled. */
export function meterAggregation(meter: Meter, columns: ReadonlySet<string>): Aggregation {
    if (meter.aggregation === 'formula') throw new Error(`${meter.meter} is a formula`);
    const compiled = (text: string | undefined) =>
        text === undefined ? null : compileExpression(text, columns).sql;
    return {
        kind: meter.aggregation,
        value: compiled(meter.quantity ?? meter.value),
        filter: filterSql(meter, columns),
        percentile: meter.percentile,
        values: meter.values,
        operation: compiled(meter.operation),
        window: meter.window,
    };
}

/** Owner, key_*, segment_at, quantity, event_count of a meter over events. */
function quantitiesSql(
    meter: Meter,
    columns: ReadonlySet<string>,
    boundaries: readonly string[],
): string {
    const of = meterAggregation(meter, columns);
    const names = [...meter.attributes].sort();
    const keys = [...owner, ...names.map((name) => `key_${name}`), 'segment_at'];
    const attributes = names.map((name) => `, events.${quoteName(name)} as ${keyName(name)}`);
    const made = isCarried(of)
        ? carriedSql(meter, of, keys, attributes.join(''), boundaries)
        : aggregateSql(of, {
              relation: `(select events.* replace (${segmentSql(boundaries, beginning)} as segment_at)${attributes.join('')}
        from compiled.events as events where events.is_in_period)`,
              keys,
              start: `timestamp ${quoteText(beginning)}`,
              end: `timestamp '9999-12-31 00:00:00'`,
          });
    const quantity = meter.unit_conversion
        ? `* replace (${conversionSql('quantity', meter.unit_conversion)} as quantity)`
        : '*';
    return `select ${quantity} from (${made}) where event_count > 0 or quantity <> 0`;
}

/**
 * Over spans in which payer and rates are the same, each with all events before its end. Names with
 * a space cannot be those of a config.
 */
function carriedSql(
    meter: Meter,
    of: Aggregation,
    keys: readonly string[],
    attributes: string,
    boundaries: readonly string[],
): string {
    const ends = [beginning, ...boundaries, '9999-12-31 00:00:00'];
    const segments = ends
        .slice(0, -1)
        .map(
            (from, index) =>
                `(timestamp ${quoteText(from)}, timestamp ${quoteText(ends[index + 1] ?? from)})`,
        );
    const spans = `select ${owner.map((name) => `paths.${name}`).join(', ')}, segments.segment_at,
            paths.period_start as "period start", paths.period_end as "period end",
            greatest(paths.valid_from, paths.period_start, segments.segment_at) as "span start",
            least(paths.valid_to, paths.period_end, segments.segment_end) as "span end"
        from accounts.paths as paths
        inner join (values ${segments.join(', ')}) as segments(segment_at, segment_end)
            on segments.segment_at < least(paths.valid_to, paths.period_end)
            and segments.segment_end > greatest(paths.valid_from, paths.period_start)`;
    const since = meter.opening === 'zero' ? ' and events.event_at >= spans."period start"' : '';
    const bounds = ['span start', 'span end', 'period start', 'period end'];
    const spanned = aggregateSql(of, {
        relation: `(select events.* exclude (${owner.slice(1).join(', ')}, segment_at), spans.* exclude (account_id)${attributes}
        from (${spans}) as spans
        inner join compiled.events as events
            on events.account_id = spans.account_id and events.event_at < spans."span end"${since}
        where spans."span start" < spans."span end")`,
        keys: [...keys, ...bounds],
        start: '"span start"',
        end: '"span end"',
        whole: { start: '"period start"', end: '"period end"' },
    });
    // An account that moved below one payer has several spans of the same rates.
    const together = {
        max: 'max(quantity)',
        min: 'min(quantity)',
        latest: 'arg_max(quantity, "span start")',
    }[String(of.kind)];
    return `select ${keys.map(quoteName).join(', ')},
        cast(${together ?? 'sum(quantity)'} as decimal(38,12)) as quantity,
        cast(sum(event_count) as bigint) as event_count
    from (${spanned}) group by ${keys.map(quoteName).join(', ')}`;
}

/** The meters of a formula, in the order of their names. @throws Error what cannot be read. */
export function formulaParts(
    meter: Meter,
    meters: readonly Meter[],
): { readonly sql: string; readonly parts: readonly Meter[] } {
    const known = new Map(meters.map((of) => [of.meter, of]));
    const { sql, meters: names } = compileFormula(meter.formula ?? '', (name) => {
        const of = known.get(name);
        return of && of.aggregation !== 'formula' ? quoteName(`part_${name}`) : null;
    });
    return { sql, parts: names.flatMap((name) => known.get(name) ?? []) };
}

function formulaSql(
    meter: Meter,
    { meters, columns }: WholeContext,
    boundaries: readonly string[],
): string {
    const { sql, parts } = formulaParts(meter, meters);
    const keys = [
        ...owner,
        ...[...meter.attributes].sort().map((name) => `key_${name}`),
        'segment_at',
    ];
    const rows = parts.map(
        (part) =>
            `select ${quoteText(part.meter)} as part, * from (${quantitiesSql(part, columns, boundaries)})`,
    );
    const sides = parts.map(
        (part) =>
            `coalesce(max(quantity) filter (part = ${quoteText(part.meter)}), 0) as ${quoteName(`part_${part.meter}`)}`,
    );
    const names = keys.map(quoteName).join(', ');
    const quantity = `* replace (${conversionSql('quantity', meter.unit_conversion ?? { rounding: 'none', decimals: 0 })} as quantity)`;
    return `select ${meter.unit_conversion ? quantity : '*'} from (
        select ${names}, ${sql} as quantity, event_count
        from (
            select ${names}, ${sides.join(', ')}, max(event_count) as event_count
            from (${rows.join('\n            union all by name\n            ')})
            group by ${names}
        )
    )`;
}

/** Rows of metered usage of a meter over the whole period. */
export function wholeMeterSql(
    meter: Meter,
    context: WholeContext & { readonly boundaries: readonly string[] },
): string {
    const json = [...meter.attributes]
        .sort()
        .map((name) => `${quoteName(name)} := metered.${keyName(name)}`);
    const attributes = json.length ? `to_json(struct_pack(${json.join(', ')}))::varchar` : `'{}'`;
    const rows =
        meter.aggregation === 'formula'
            ? formulaSql(meter, context, context.boundaries)
            : quantitiesSql(meter, context.columns, context.boundaries);
    return `select
    ${quoteText(meter.meter)} as meter, ${owner.map((name) => `metered.${name}`).join(', ')},
    ${attributes} as attributes, ${quoteText(meter.unit)} as unit, metered.segment_at,
    cast(greatest(metered.segment_at, periods.period_start) as date) as event_on,
    metered.quantity, metered.event_count
from (${rows}) as metered
inner join (
    select payer_id, max(period_start) as period_start from accounts.paths group by payer_id
) as periods on metered.payer_id = periods.payer_id`;
}

/** Conditions of the events behind these meters. */
export function wholeFilters(
    of: readonly Meter[],
    meters: readonly Meter[],
    columns: ReadonlySet<string>,
): readonly string[] {
    const parts = of.flatMap((meter) =>
        meter.aggregation === 'formula' ? formulaParts(meter, meters).parts : [meter],
    );
    return [...new Set(parts.map((meter) => `(${filterSql(meter, columns)})`))];
}

/**
 * What usage of these meters is worth, as rows of compiled.event_values, where a wallet is in money:
 * one for each row of metered usage, under an id that no event has, so that what is rated and what
 * is debited still tie out. It can only be matched where debits are aggregated.
 */
export function wholeValuesSql(
    of: readonly Meter[],
    assets: Readonly<Record<string, Asset>>,
): string {
    const units = Object.entries(assets).flatMap(([code, { kind }]) =>
        kind === 'unit' ? [quoteText(code)] : [],
    );
    const meters = of.map(({ meter }) => quoteText(meter)).join(', ');
    return `select
    'tieout' as source,
    'usage:' || sha256(to_json([usage.meter, usage.account_id, usage.payer_id, usage.pool_id,
        usage.wallet_asset, usage.book_id, usage.channel_id, usage.attributes, cast(usage.segment_at as varchar)])::varchar) as event_id,
    cast(null as varchar) as authorization_id,
    usage.account_id, usage.payer_id, usage.currency, usage.wallet_asset, wallets.wallet_shape,
    true as is_in_period, greatest(usage.segment_at, wallets.period_start) as event_at, usage.event_on,
    choices.rate_id is null and usage.quantity <> 0 as is_unrated,
    cast(coalesce(usage.quantity * choices.unit_price, 0) as decimal(38,24)) as rated_amount,
    cast(null as decimal(38,12)) as counted_quantity,
    case when wallets.is_prepaid then coalesce(choices.product, '') else '' end as products
from metered.usage as usage
inner join (
    select account_id, payer_id, wallet_asset, max(wallet_shape) as wallet_shape,
        max(period_start) as period_start,
        coalesce(
            arg_max(is_prepaid, valid_from) filter (where valid_from < period_end),
            bool_or(is_prepaid)
        ) as is_prepaid
    from accounts.paths group by account_id, payer_id, wallet_asset
) as wallets on usage.account_id = wallets.account_id and usage.payer_id = wallets.payer_id
    and usage.wallet_asset = wallets.wallet_asset
left join rated.rate_choices as choices
    on usage.meter = choices.meter
    and usage.book_id = choices.book_id
    and usage.attributes = choices.attributes
    and usage.segment_at = choices.segment_at
    and usage.currency = choices.currency
where usage.meter in (${meters})${units.length ? ` and usage.wallet_asset not in (${units.join(', ')})` : ''}`;
}

/**
 * The events behind a line of such a meter: those of its account, payer and attributes within the
 * spans that have its rate. Their values say what it was made of, not what each adds. Events before
 * the period that a level was carried from are not among them.
 */
export function wholeLineEventsSql(
    meter: Meter,
    { meters, columns }: WholeContext,
    attributes: string,
    { events, tables }: LineSide,
): string {
    const wanted = JSON.parse(attributes) as Readonly<Record<string, string | null>>;
    const conditions = meter.attributes.map(
        (name) =>
            ` and cast(events.${quoteName(name)} as varchar) is not distinct from ${
                wanted[name] == null ? 'null' : quoteText(wanted[name])
            }`,
    );
    const parts = meter.aggregation === 'formula' ? formulaParts(meter, meters).parts : [meter];
    const selects = parts.map((part) => {
        const { kind, window, value, filter } = meterAggregation(part, columns);
        const isNumber = value !== null && (window?.of ?? kind) !== 'unique_count';
        return `select events.*, cast(${isNumber ? value : '1'} as decimal(38,12)) as quantity
        from ${events} as events
        where is_in_period and payer_id = $payer_id and account_id in (${lineAccounts(tables)})
            and ${filter} and (${value ?? '1'}) is not null${conditions.join('')}`;
    });
    return `select events.source, events.event_id, events.event_at, events.quantity,
        stored.object_no, stored.line_no
    from (${selects.join(' union all by name ')}) as events
    inner join mediated.usage_events as stored
        on events.source = stored.source and events.event_id = stored.event_id
    inner join (
        select segment_at, lead(segment_at) over (order by segment_at) as segment_end
        from metered.usage
        where meter = ${quoteText(meter.meter)} and attributes = ${quoteText(attributes)}
        group by segment_at
    ) as segments
        on events.event_at >= segments.segment_at
        and events.event_at < coalesce(segments.segment_end, timestamp '9999-12-31 00:00:00')
    inner join ${tables}rated.rate_choices as choices
        on choices.meter = ${quoteText(meter.meter)}
        and choices.attributes = ${quoteText(attributes)}
        and choices.segment_at = segments.segment_at
        and choices.book_id = events.book_id
        and choices.rate_id = $rate_id`;
}
