import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { Engine } from '../../src/duck/engine.ts';
import { benchProject, floorQueries, generateQueries } from '../support/bench-data.ts';
import { type NightTiming, type Timing, timedNight } from '../support/timed-night.ts';

const USAGE = `npm run bench -- [--events 10000000] [--runs 1] [--dir .bench] [--keep] [--json]

Makes Parquet usage events and as many debits, measures the bare engine doing the least that a night
must do (scan, dedupe, group by meter key and day, full join on the event id), then the whole
\`tieout run\` as a process of its own, and prints the ratio. Nothing is asserted.
`;

async function main(): Promise<number> {
    const { values } = parseArgs({
        options: {
            events: { type: 'string', default: '10000000' },
            runs: { type: 'string', default: '1' },
            dir: { type: 'string', default: '.bench' },
            keep: { type: 'boolean', default: false },
            json: { type: 'boolean', default: false },
            help: { type: 'boolean', default: false },
        },
    });
    if (values.help || !/^\d+$/.test(values.events) || !/^[1-9]\d?$/.test(values.runs)) {
        process.stderr.write(USAGE);
        return values.help ? 0 : 2;
    }
    const folder = resolve(values.dir);
    const events = BigInt(values.events);
    await generate(folder, events);
    const floors: (readonly Timing[])[] = [];
    const nights: NightTiming[] = [];
    for (let run = 0; run < Number.parseInt(values.runs, 10); run += 1) {
        floors.push(await measureFloor(folder));
        rmSync(join(folder, '.tieout'), { recursive: true, force: true });
        nights.push(await timedNight(folder, '2026-11-05T00:00:00Z'));
    }
    process.stdout.write(
        values.json
            ? `${JSON.stringify({ events: values.events, floors, nights }, null, 2)}\n`
            : report(events, floors, nights),
    );
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
    return 0;
}

async function engine(spill: string): Promise<Engine> {
    return Engine.open({ file: ':memory:', memory: '6GB', threads: availableParallelism(), spill });
}

/** Data of the wanted size is kept between runs of one folder. */
async function generate(folder: string, events: bigint): Promise<void> {
    const mark = join(folder, 'events');
    if (existsSync(mark) && readFileSync(mark, 'utf8') === events.toString()) return;
    rmSync(folder, { recursive: true, force: true });
    for (const side of ['usage', 'debits'])
        mkdirSync(join(folder, 'data', side), { recursive: true });
    const duck = await engine(folder);
    for (const sql of generateQueries(join(folder, 'data'), events)) await duck.run(sql);
    duck.close();
    for (const [name, text] of Object.entries(benchProject()))
        writeFileSync(join(folder, name), text);
    writeFileSync(mark, events.toString());
}

async function measureFloor(folder: string): Promise<readonly Timing[]> {
    const duck = await engine(folder);
    const timings: Timing[] = [];
    for (const [name, sql] of Object.entries(floorQueries(join(folder, 'data')))) {
        const start = performance.now();
        await duck.rows(sql);
        timings.push({ name, seconds: (performance.now() - start) / 1000 });
    }
    duck.close();
    return timings;
}

function median(values: readonly number[]): number {
    const sorted = [...values].sort((one, other) => one - other);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function medians(runs: readonly (readonly Timing[])[]): readonly Timing[] {
    const names = [...new Set(runs.flatMap((run) => run.map(({ name }) => name)))];
    return names.map((name) => ({
        name,
        seconds: median(
            runs.map((run) =>
                run.filter((of) => of.name === name).reduce((s, of) => s + of.seconds, 0),
            ),
        ),
    }));
}

function report(
    events: bigint,
    floors: readonly (readonly Timing[])[],
    nights: readonly NightTiming[],
): string {
    const floor = medians(floors);
    const floorSeconds = floor.reduce((sum, { seconds }) => sum + seconds, 0);
    const night = median(nights.map(({ seconds }) => seconds));
    const parts = medians(nights.map((of) => of.parts));
    const rest = night - parts.reduce((sum, { seconds }) => sum + seconds, 0);
    const table = new Table({
        head: ['what', 'seconds', 'x floor'],
        style: { head: [], border: [] },
    });
    const row = (name: string, seconds: number) =>
        table.push([
            name,
            { content: seconds.toFixed(2), hAlign: 'right' },
            { content: (seconds / floorSeconds).toFixed(2), hAlign: 'right' },
        ]);
    for (const { name, seconds } of floor) row(`floor: ${name}`, seconds);
    row('FLOOR', floorSeconds);
    for (const { name, seconds } of parts) row(`night: ${name}`, seconds);
    row('night: start and end of the process', rest);
    row('NIGHT', night);
    const peak = Math.max(...nights.map(({ peakBytes }) => peakBytes)) / 2 ** 30;
    const digests = new Set(nights.map(({ digest }) => digest)).size;
    return [
        `${events} events and as many debits, ${nights.length} run(s), medians`,
        `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} threads, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
        table.toString(),
        `peak memory of the night ${peak.toFixed(2)} GiB; ${digests} digest(s)`,
        '',
    ].join('\n');
}

process.exitCode = await main();
