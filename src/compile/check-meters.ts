import type { Asset, Config, Meter } from '../schema/config.ts';
import { isZone } from '../time/zone.ts';
import { type Aggregation, aggregationProblems, isCarried } from './aggregation.ts';
import { compileExpression } from './expression.ts';
import { meterAttributes, meterClasses } from './meters.ts';
import { formulaParts, isAdditiveMeter, meterAggregation } from './whole-meters.ts';
import { attempt, type Wrong } from './wrong.ts';

/** Everything that is wrong with the meters of a config. */
export function checkMeters(config: Config, columns: ReadonlySet<string>, wrong: Wrong): void {
    config.meters.forEach((meter, at) => {
        const path = ['meters', at];
        if (config.meters.findIndex((other) => other.meter === meter.meter) !== at) {
            wrong(path, 'DUPLICATE_METER', `two meters are called ${meter.meter}`);
        }
        for (const name of meter.attributes) {
            if (!columns.has(name)) {
                wrong(
                    path,
                    'UNKNOWN_COLUMN',
                    `${name} is not declared: ${[...columns].sort().join(', ')}`,
                );
            }
        }
        if (meter.where)
            attempt(wrong, [...path, 'where'], () => compileExpression(meter.where ?? '', columns));
        if (meter.aggregation === 'formula') checkFormula(meter, config, path, wrong);
        else checkAggregation(meter, columns, path, wrong);
        checkConversion(meter, [...path, 'unit_conversion'], wrong);
        checkOpening(meter, config, path, wrong);
        if (!meter.rated && !isPart(meter, config)) {
            wrong(
                [...path, 'rated'],
                'METER_UNUSED',
                `${meter.meter} is not rated, and no formula is made of it`,
                'Leave `rated` out, or name the meter in a formula.',
            );
        }
    });
}

type Path = readonly (string | number)[];

function isPart({ meter }: Meter, { meters }: Config): boolean {
    return meters.some(({ formula }) => formula?.match(/[a-z][a-z0-9_]*/g)?.includes(meter));
}

function checkAggregation(
    meter: Meter,
    columns: ReadonlySet<string>,
    path: Path,
    wrong: Wrong,
): void {
    const { aggregation: kind, token_classes, window } = meter;
    const sources = [meter.quantity, meter.value, token_classes].filter((of) => of !== undefined);
    if (meter.formula !== undefined) {
        wrong([...path, 'formula'], 'METER_QUANTITY', `a ${kind} takes no formula`);
    }
    if (window && !isZone(window.zone)) {
        wrong(
            [...path, 'window', 'zone'],
            'UNKNOWN_ZONE',
            `${window.zone} is not an IANA time zone`,
            'Write it like America/New_York.',
        );
    }
    if (token_classes && !isAdditiveMeter(meter)) {
        wrong(
            [...path, 'token_classes'],
            'METER_QUANTITY',
            'token_classes are of a sum without window or unit_conversion',
        );
        return;
    }
    if (kind === 'sum' && !window && sources.length !== 1) {
        wrong(path, 'METER_QUANTITY', 'a sum needs either quantity or token_classes');
        return;
    }
    if (kind === 'count' && !window && sources.length) {
        wrong(path, 'METER_QUANTITY', 'a count takes neither quantity nor token_classes');
        return;
    }
    if (meter.quantity !== undefined && meter.value !== undefined) {
        wrong(path, 'METER_QUANTITY', 'quantity and value say the same: leave one out');
    }
    if (!token_classes) {
        const of: Omit<Aggregation, 'filter'> = {
            kind: kind as Aggregation['kind'],
            value: meter.quantity ?? meter.value ?? null,
            percentile: meter.percentile,
            values: meter.values,
            operation: meter.operation,
            window,
        };
        for (const problem of aggregationProblems(of)) wrong(path, 'METER_AGGREGATION', problem);
    }
    // Its filter has been looked at already.
    const { where: _, ...bare } = meter;
    attempt(wrong, path, () =>
        token_classes ? meterClasses(meter, columns) : meterAggregation(bare, columns),
    );
}

function checkConversion({ unit_conversion: of }: Meter, path: Path, wrong: Wrong): void {
    if (!of) return;
    if ((of.divide_by === undefined) === (of.multiply_by === undefined)) {
        wrong(path, 'METER_CONVERSION', 'unit_conversion needs either divide_by or multiply_by');
    }
}

/** Only events that are read can say what the level was when the period began. */
function checkOpening(meter: Meter, config: Config, path: Path, wrong: Wrong): void {
    const { aggregation, opening, values } = meter;
    const isLevel =
        aggregation !== 'formula' && !meter.window && isCarried({ kind: aggregation, values });
    if (!isLevel) {
        if (opening !== undefined) {
            wrong(
                [...path, 'opening'],
                'METER_AGGREGATION',
                '`opening` is of weighted_sum, or of deltas: nothing else carries a level',
            );
        }
        return;
    }
    const dated = config.usage.filter(({ dates }) => dates !== undefined).map(({ name }) => name);
    if (opening === undefined && dated.length > 0) {
        wrong(
            path,
            'METER_OPENING',
            `${meter.meter} carries its level in from before the period, and of ${dated.join(', ')} only days of the period are read`,
            'Leave `dates` out of the input, or write `opening: zero` (or `carried`, when the events that are read begin with the level).',
        );
    }
}

function checkFormula(meter: Meter, config: Config, path: Path, wrong: Wrong): void {
    const keys = ['quantity', 'value', 'token_classes', 'percentile', 'window', 'values'] as const;
    const others = [...keys, 'operation' as const, 'event_type' as const, 'where' as const];
    for (const key of others.filter((name) => meter[name] !== undefined)) {
        wrong(
            [...path, key],
            'METER_FORMULA',
            `a formula takes no ${key}: its meters have their own`,
        );
    }
    if (meter.formula === undefined) {
        wrong(path, 'METER_FORMULA', 'aggregation formula needs a `formula`');
        return;
    }
    attempt(wrong, [...path, 'formula'], () => {
        const { parts } = formulaParts(meter, config.meters);
        if (parts.length === 0) throw new Error('a formula needs a meter');
        for (const part of parts) {
            const own = meterAttributes(part).join(', ');
            const wanted = meterAttributes(meter).join(', ');
            if (own !== wanted) {
                throw new Error(
                    `${part.meter} has the attributes (${own}), and ${meter.meter} (${wanted}): they must be the same`,
                );
            }
        }
    });
}

/**
 * A wallet in money that is debited event by event has nothing to be compared with where no event is
 * worth its share of a charge.
 */
export function checkMoneyWallets(
    config: Config,
    assets: Readonly<Record<string, Asset>>,
    wrong: Wrong,
): void {
    const whole = config.meters.filter((meter) => meter.rated && !isAdditiveMeter(meter));
    if (whole.length === 0) return;
    const names = whole.map(({ meter }) => meter).join(', ');
    config.wallets.forEach(({ accounts, asset, shape }, at) => {
        if (assets[asset]?.kind !== 'currency' || shape === 'aggregated') return;
        wrong(
            ['wallets', at, 'shape'],
            'WALLET_NOT_ADDITIVE',
            `${accounts} is debited in ${asset} event by event, and no event is worth a share of ${names}: the days of such a meter cannot be added`,
            'Give the wallet the shape aggregated or an asset of units, or make the meter a sum.',
        );
    });
}
