import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import Table from 'cli-table3';

/** What a piece of work took. */
export interface Cost {
    readonly seconds: number;
    readonly cpu: number;
    readonly peakBytes: number;
}
/** A named piece of work with its cost. */
export interface Part {
    readonly name: string;
    readonly cost: Cost;
}

/** A moment to measure from. */
export interface Mark {
    readonly millis: number;
    readonly cpuMicros: number;
}

/** Now, in time and in time of processors. */
export function mark(): Mark {
    const { user, system } = process.cpuUsage();
    return { millis: performance.now(), cpuMicros: user + system };
}

/** What went by between two moments; memory is not looked at. */
export function between(start: Mark, end: Mark): Cost {
    return {
        seconds: (end.millis - start.millis) / 1000,
        cpu: (end.cpuMicros - start.cpuMicros) / 1_000_000,
        peakBytes: 0,
    };
}

/** Does the work and measures it, its peak memory too. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
    forgetPeak();
    const start = mark();
    await work();
    return { ...between(start, mark()), peakBytes: residentPeak() };
}

/** Linux counts the most memory a process ever held; this makes it count anew. */
function forgetPeak(): void {
    try {
        writeFileSync('/proc/self/clear_refs', '5');
    } catch {
        // Elsewhere the peak is that of the whole benchmark, or none.
    }
}

function residentPeak(): number {
    try {
        const status = readFileSync('/proc/self/status', 'utf8');
        return Number.parseInt(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? '0', 10) * 1024;
    } catch {
        return 0;
    }
}

function medianCost(parts: readonly Part[]): Cost {
    const median = (of: (cost: Cost) => number) => {
        const sorted = parts.map(({ cost }) => of(cost)).sort((one, other) => one - other);
        return sorted[Math.floor(sorted.length / 2)] ?? 0;
    };
    return {
        seconds: median(({ seconds }) => seconds),
        cpu: median(({ cpu }) => cpu),
        peakBytes: Math.max(...parts.map(({ cost }) => cost.peakBytes)),
    };
}

/** What parts cost one after the other. */
export function added(parts: readonly Part[]): Cost {
    const sum = (of: (cost: Cost) => number) =>
        parts.reduce((total, { cost }) => total + of(cost), 0);
    return {
        seconds: sum(({ seconds }) => seconds),
        cpu: sum(({ cpu }) => cpu),
        peakBytes: Math.max(...parts.map(({ cost }) => cost.peakBytes)),
    };
}

/** Medians of the parts of all rounds, in the order of the first. */
export function medians(rounds: readonly (readonly Part[])[]): readonly Part[] {
    return (rounds[0] ?? []).map(({ name }) => ({
        name,
        cost: medianCost(rounds.flatMap((parts) => parts.filter((part) => part.name === name))),
    }));
}

/** A table of parts, each against one of them by name. */
export function costTable(parts: readonly Part[], against: string): string {
    const floor = parts.find(({ name }) => name === against)?.cost;
    const table = new Table({
        head: ['what', 'seconds', `x ${against}`, 'processor seconds', `x ${against}`, 'peak GiB'],
        colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
        style: { head: [], border: [] },
    });
    for (const { name, cost } of parts) {
        const { seconds, cpu, peakBytes } = cost;
        table.push([
            name,
            seconds.toFixed(2),
            (seconds / (floor?.seconds ?? 1)).toFixed(1),
            cpu.toFixed(2),
            (cpu / (floor?.cpu ?? 1)).toFixed(1),
            peakBytes ? (peakBytes / 2 ** 30).toFixed(2) : '',
        ]);
    }
    return table.toString();
}

/** The machine that was measured on. */
export function machine(): string {
    const memory = (totalmem() / 2 ** 30).toFixed(0);
    return `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} threads, ${memory} GiB`;
}
