import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { rate } from '../pipelines/40-rate/stage.ts';
import { Engine } from '../src/duck/engine.ts';
import { runStage } from '../src/stage/run.ts';
import {
    fillRateBench,
    floorSetup,
    floorSql,
    type RateBenchSize,
} from './support/bench-rates-data.ts';

const USAGE = `npm run bench:rates -- [--rows 1000000] [--combinations 50000] [--rates 10000] [--runs 3] [--json]

Rates metered rows with a card of six attributes through the stage 40-rate as a run does it, and
measures a bare hash join of as many rows with as many rates beside it. Prints the ratio, in seconds
and in seconds of processors, which a busy machine changes less. Nothing is asserted.
`;

interface Cost {
    readonly seconds: number;
    readonly cpu: number;
    readonly peakBytes: number;
}
interface Part {
    readonly name: string;
    readonly cost: Cost;
}

async function main(): Promise<number> {
    const { values } = parseArgs({
        options: {
            rows: { type: 'string', default: '1000000' },
            combinations: { type: 'string', default: '50000' },
            rates: { type: 'string', default: '10000' },
            runs: { type: 'string', default: '3' },
            json: { type: 'boolean', default: false },
            help: { type: 'boolean', default: false },
        },
    });
    const counts = [values.rows, values.combinations, values.rates, values.runs];
    if (values.help || counts.some((text) => !/^[1-9]\d{0,8}$/.test(text))) {
        process.stderr.write(USAGE);
        return values.help ? 0 : 2;
    }
    const size = {
        rows: BigInt(values.rows),
        combinations: BigInt(values.combinations),
        rates: Number.parseInt(values.rates, 10),
    };
    const folder = mkdtempSync(join(tmpdir(), 'tieout-bench-rates-'));
    try {
        const parts = await measure(folder, size, Number.parseInt(values.runs, 10));
        process.stdout.write(
            values.json
                ? `${JSON.stringify({ ...values, parts }, null, 2)}\n`
                : report(values.runs, size, parts),
        );
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
    return 0;
}

/** Medians of the floor, the whole stage and its parts, one after the other in every round. */
async function measure(
    folder: string,
    size: RateBenchSize,
    runs: number,
): Promise<readonly Part[]> {
    const engine = await Engine.open({
        file: ':memory:',
        memory: '4GB',
        threads: availableParallelism(),
        spill: join(folder, 'spill'),
    });
    await fillRateBench(engine, size);
    await engine.runAll(floorSetup);
    const rounds: (readonly Part[])[] = [];
    for (let round = 0; round < runs; round += 1) {
        const floor = await costOf(() => engine.run(floorSql));
        const checks: { readonly name: string; readonly at: Mark }[] = [];
        const context = { engine, upstream: `${round}`, position: 1 };
        const stage = await costOf(() =>
            runStage(rate, {
                ...context,
                onCheck: (name) => checks.push({ name, at: mark() }),
            }),
        );
        const ends = [...checks.slice(1).map(({ at }) => at), mark()];
        const parts = checks.map(({ name, at }, index) => {
            const isLast = index === checks.length - 1;
            const shown = isLast ? `${name}, equations, control totals` : name;
            return { name: shown, cost: between(at, ends[index] ?? at) };
        });
        rounds.push([{ name: 'floor', cost: floor }, { name: 'stage', cost: stage }, ...parts]);
    }
    engine.close();
    return (rounds[0] ?? []).map(({ name }) => ({
        name,
        cost: medianCost(rounds.flatMap((parts) => parts.filter((part) => part.name === name))),
    }));
}

interface Mark {
    readonly millis: number;
    readonly cpuMicros: number;
}

function mark(): Mark {
    const { user, system } = process.cpuUsage();
    return { millis: performance.now(), cpuMicros: user + system };
}

function between(start: Mark, end: Mark): Cost {
    return {
        seconds: (end.millis - start.millis) / 1000,
        cpu: (end.cpuMicros - start.cpuMicros) / 1_000_000,
        peakBytes: 0,
    };
}

async function costOf(work: () => Promise<unknown>): Promise<Cost> {
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

function report(runs: string, size: RateBenchSize, parts: readonly Part[]): string {
    const floor = parts.find(({ name }) => name === 'floor')?.cost;
    const table = new Table({
        head: ['what', 'seconds', 'x floor', 'processor seconds', 'x floor', 'peak GiB'],
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
    return [
        `${size.rows} metered rows of ${size.combinations} combinations, ${size.rates} rates, ${runs} run(s), medians`,
        `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} threads, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
        table.toString(),
        '',
    ].join('\n');
}

process.exitCode = await main();
