import { RunError } from '../errors/index.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Config } from '../schema/config.ts';
import type { ObjectEntry, ObjectStore } from '../store/object-store.ts';
import type { Input, landedObjects, Role } from './lake.ts';

/** The objects of one input that a run reads, in key order. */
export interface InputListing {
    readonly input: Input;
    readonly role: Role;
    readonly entries: readonly ObjectEntry[];
    /** Those of them that are no longer in the store: only the lake has what they held. */
    readonly gone: readonly string[];
    /** The run that counted those. */
    readonly counted_by: string;
    /** How many of them are in the lake. */
    readonly landed_count: number;
}

/** What a run is told of objects beside the store. */
export interface Known {
    /** Certificate of the run that spoke for the period before; null for none. */
    readonly before: Pick<Certificate, 'run_id' | 'inputs'> | null;
    readonly landed: (input: Input, role: Role) => ReturnType<typeof landedObjects>;
    /** Objects that were counted, and that neither the store nor the lake has, count no more. */
    readonly accept_gone: boolean;
    /** Objects that the store got later, by its own clock, are left out. */
    readonly arrived_by?: string | undefined;
}

/**
 * Lists what a run reads: every object of each input whose day is wanted, also one that the store has
 * no more, as long as the lake has it: what was counted once does not go away by itself.
 * @throws RunError STORE_PREFIX_EMPTY when an input has none, LIMIT_OBJECTS, STORE_*
 */
export async function listInputs(
    store: ObjectStore,
    config: Config,
    days: readonly string[],
    known: Known,
): Promise<readonly InputListing[]> {
    const inputs = [
        ...config.usage.map((input) => ({ input, role: 'usage' as const })),
        ...config.debits.map((input) => ({ input, role: 'debits' as const })),
    ];
    const listings: InputListing[] = [];
    for (const { input, role } of inputs) {
        const entries: ObjectEntry[] = [];
        const there = new Set<string>();
        for await (const entry of store.list(input.prefix)) {
            if (entry.size === 0 || !isWanted(entry.key, input, days)) continue;
            there.add(entry.key);
            if (hasArrived(entry, known.arrived_by)) entries.push(entry);
        }
        const landed = known.landed(input, role);
        const gone = goneEntries(known, input, there, days).filter(
            (entry) => !known.accept_gone || landed(entry) !== null,
        );
        entries.push(...gone);
        if (entries.length === 0) {
            throw new RunError('STORE_PREFIX_EMPTY', {
                store: store.address,
                prefix: input.prefix,
                pattern: `${input.dates ? `${input.dates} from ${days[0]} to ${days.at(-1)}` : '*'}${known.arrived_by ? ` and arrived by ${known.arrived_by}` : ''}`,
            });
        }
        if (entries.length > config.limits.objects) {
            throw new RunError('LIMIT_OBJECTS', {
                actual: entries.length,
                limit: config.limits.objects,
                prefix: input.prefix,
            });
        }
        listings.push({
            ...{ input, role },
            entries: entries.sort(byKey),
            gone: gone.map(({ key }) => key),
            counted_by: known.before?.run_id ?? '',
            landed_count: entries.filter((entry) => landed(entry) !== null).length,
        });
    }
    return listings;
}

/** Of a store that does not say when it got an object nothing is known to be late. */
function hasArrived({ arrived_at }: ObjectEntry, by: string | undefined): boolean {
    if (arrived_at === undefined || by === undefined) return true;
    return Date.parse(arrived_at) <= Date.parse(by);
}

/** Objects that were counted before and are not listed any more. */
function goneEntries(
    { before }: Known,
    input: Input,
    keys: ReadonlySet<string>,
    days: readonly string[],
): readonly ObjectEntry[] {
    return (before?.inputs ?? [])
        .filter((of) => of.input === input.name && !keys.has(of.key))
        .filter(({ key }) => key.startsWith(input.prefix) && isWanted(key, input, days))
        .map(({ key, size, etag }) => ({ key, size, etag }));
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
