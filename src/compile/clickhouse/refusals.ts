import type { Config, DebitInput, UsageInput } from '../../schema/config.ts';
import { eventShape } from '../shape.ts';
import { isAdditiveMeter } from '../whole-meters.ts';
import { requireClickExpressions } from './events.ts';

/**
 * What of a project is not done on ClickHouse, one sentence each; nothing where all of it is. Whatever
 * would be another number there, or is not written yet, stops here: a run gives the same, or none.
 * @param byEvent meters that a rate prices event by event.
 */
export function unsupportedThere(config: Config, byEvent: readonly string[]): readonly string[] {
    const shape = eventShape(config);
    const quantities = new Set(shape.quantities.map(({ name }) => name));
    const reasons = [...config.usage, ...config.debits].flatMap(inputReasons);
    if ('folder' in config.store) {
        reasons.push(
            '`store` is a folder of this machine, which no server reads: a bucket is needed',
        );
    }
    for (const [name, of] of Object.entries(config.derived)) {
        if ('sql' in of) reasons.push(`derived ${name} is an SQL expression`);
        if ('calendar' in of) reasons.push(`derived ${name} is a calendar`);
        if ('map' in of && quantities.has(of.map)) {
            reasons.push(`derived ${name} maps a quantity`);
        }
    }
    for (const meter of config.meters.filter(({ rated }) => rated)) {
        if (!isAdditiveMeter(meter)) {
            reasons.push(`meter ${meter.meter} cannot be added up by days`);
        }
        const counted = meter.attributes.find((name) => quantities.has(name));
        if (counted !== undefined) {
            reasons.push(`meter ${meter.meter} keeps ${counted}, a quantity, as an attribute`);
        }
    }
    for (const meter of byEvent) reasons.push(`meter ${meter} is priced event by event`);
    if (reasons.length > 0) return reasons;
    try {
        requireClickExpressions(config, shape);
    } catch (error) {
        return [`an expression of \`meters\` or \`counts\`: ${(error as Error).message}`];
    }
    return [];
}

const flat: ReadonlySet<string> = new Set(['cloudevents', 'neutral', 'none']);

function inputReasons(input: UsageInput | DebitInput): string[] {
    const { name, preset, format, instants, values } = input;
    const paths = [
        ...Object.values(input.columns),
        ...('attributes' in input ? Object.values(input.attributes) : []),
        ...('quantities' in input ? Object.values(input.quantities).map(({ path }) => path) : []),
    ];
    const strange = paths.find((path) => !/^[A-Za-z0-9_:-]+(\.[A-Za-z0-9_:-]+)*$/.test(path));
    return [
        ...(flat.has(preset) ? [] : [`input ${name} has the preset ${preset}`]),
        ...(format === 'csv' ? [`input ${name} is CSV`] : []),
        ...(instants === 'rfc3339' ? [] : [`input ${name} writes instants as ${instants}`]),
        ...(Object.keys(values).length === 0 ? [] : [`input ${name} replaces \`values\``]),
        ...('minor_units' in input && input.minor_units ? [`input ${name} is in minor units`] : []),
        ...(strange === undefined ? [] : [`input ${name} reads the path ${strange}`]),
    ];
}
