import { derivedParts } from '../../src/compile/derived.ts';
import { eventsViewSql, meteredViewSql, meterParts } from '../../src/compile/meters.ts';
import { eventShape, shapeNames } from '../../src/compile/shape.ts';
import type { Config } from '../../src/schema/config.ts';
import { defineStage } from '../../src/stage/define.ts';
import { usageEvents } from '../20-mediate/tables.ts';
import { carriedUsage, compiledEvents, compiledMetered, meteredUsage } from './tables.ts';

/**
 * Turns events into quantities per meter: daily ones where days can be added.
 * @param boundaries the instants at which any rate changes.
 * @param boundariesOf those at which rates of one meter change; left out, those of any.
 */
export function meter(
    config: Config,
    boundaries: readonly string[],
    boundariesOf: (meter: string) => readonly string[] = () => boundaries,
) {
    const shape = eventShape(config);
    return defineStage({
        name: '30-meter',
        folder: import.meta.dirname,
        reads: [usageEvents(shape), carriedUsage],
        compiled: [
            {
                table: compiledEvents(shape, Object.keys(config.derived)),
                sql: eventsViewSql(config, shape, boundaries),
                parts: derivedParts(config, shapeNames(shape)),
            },
            {
                table: compiledMetered,
                sql: meteredViewSql(config, shape, boundariesOf),
                parts: meterParts(config, shape),
            },
        ],
        writes: [meteredUsage],
        conserves: [],
    });
}
