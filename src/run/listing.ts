import { RunError } from '../errors/index.ts';
import type { Config } from '../schema/config.ts';
import type { ObjectEntry, ObjectStore } from '../store/object-store.ts';
import type { Input, Role } from './lake.ts';

/** The objects of one input that a run reads, in key order. */
export interface InputListing {
    readonly input: Input;
    readonly role: Role;
    readonly entries: readonly ObjectEntry[];
}

/**
 * Lists what a run reads: every object of each input whose day is wanted.
 * @throws RunError STORE_PREFIX_EMPTY when usage has none, LIMIT_OBJECTS, STORE_*
 */
export async function listInputs(
    store: ObjectStore,
    config: Config,
    days: readonly string[],
): Promise<readonly InputListing[]> {
    const inputs = [
        ...config.usage.map((input) => ({ input, role: 'usage' as const })),
        ...config.debits.map((input) => ({ input, role: 'debits' as const })),
    ];
    const listings: InputListing[] = [];
    for (const { input, role } of inputs) {
        const entries: ObjectEntry[] = [];
        for await (const entry of store.list(input.prefix)) {
            if (entry.size > 0 && isWanted(entry.key, input, days)) entries.push(entry);
        }
        if (entries.length === 0) {
            throw new RunError('STORE_PREFIX_EMPTY', {
                store: store.address,
                prefix: input.prefix,
                pattern: input.dates ? `${input.dates} from ${days[0]} to ${days.at(-1)}` : '*',
            });
        }
        if (entries.length > config.limits.objects) {
            throw new RunError('LIMIT_OBJECTS', {
                actual: entries.length,
                limit: config.limits.objects,
                prefix: input.prefix,
            });
        }
        listings.push({ input, role, entries: entries.sort(byKey) });
    }
    return listings;
}

function byKey(one: ObjectEntry, other: ObjectEntry): number {
    return Buffer.compare(Buffer.from(one.key), Buffer.from(other.key));
}

function isWanted(key: string, input: Input, days: readonly string[]): boolean {
    if (key.endsWith('/')) return false;
    if (!input.dates) return true;
    const rest = key.slice(input.prefix.length);
    return days.some((day) => rest.startsWith(input.dates?.replace('{date}', day) ?? ''));
}
