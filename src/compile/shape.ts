import { bigint, type Column, nullable, quantity, varchar } from '../duck/table.ts';
import type { Config } from '../schema/config.ts';

/** The columns of an event that the config declares, in a fixed order. */
export interface EventShape {
    readonly attributes: readonly string[];
    readonly quantities: readonly { readonly name: string; readonly type: 'integer' | 'decimal' }[];
}

/** The union of what all usage inputs declare; an input that lacks one gives null for it. */
export function eventShape(config: Config): EventShape {
    const attributes = new Set(config.usage.flatMap((input) => Object.keys(input.attributes)));
    const quantities = new Map<string, 'integer' | 'decimal'>();
    for (const input of config.usage) {
        for (const [name, source] of Object.entries(input.quantities)) {
            const decimal = source.type === 'decimal' || quantities.get(name) === 'decimal';
            quantities.set(name, decimal ? 'decimal' : 'integer');
        }
    }
    return {
        attributes: [...attributes].sort(),
        quantities: [...quantities].sort().map(([name, type]) => ({ name, type })),
    };
}

/** Contract columns of the declared attributes and quantities. Integers stay BIGINT: exact, small. */
export function shapeColumns(shape: EventShape): Readonly<Record<string, Column>> {
    return Object.fromEntries<Column>([
        ...shape.attributes.map((name): [string, Column] => [
            name,
            nullable(varchar('Attribute as the event states it.')),
        ]),
        ...shape.quantities.map(({ name, type }): [string, Column] => [
            name,
            type === 'integer'
                ? nullable(bigint('Whole quantity.'))
                : nullable(quantity('Quantity.')),
        ]),
    ]);
}

/** The names an expression may use. */
export function shapeNames(
    shape: EventShape,
    derived: readonly string[] = [],
): ReadonlySet<string> {
    return new Set([
        ...shape.attributes,
        ...shape.quantities.map(({ name }) => name),
        ...derived,
        'event_type',
        'account_id',
        'source',
    ]);
}
