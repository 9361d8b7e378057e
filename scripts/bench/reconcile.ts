import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { Engine } from '../../src/duck/engine.ts';
import { benchProject, floorQueries, generateQueries } from '../support/bench-data.ts';
import { type NightTiming, timedNight } from '../support/timed-night.ts';

const USAGE = `npm run bench:reconcile -- [--events 10000000] [--shape two_phase|instant] [--dir .bench-reconcile]
    [--keep] [--json]

Makes usage events and as many authorizations, each held and captured: two entries for every event.
Measures the bare engine in a full join of the same rows on the event id, then a whole \`tieout run\` as
a process of its own, and prints what its reconciliation took, as a multiple of that join. Nothing is
asserted.
`;

async function main(): Promise<number> {
    const { values } = parseArgs({
        options: {
            events: { type: 'string', default: '10000000' },
            shape: { type: 'string', default: 'two_phase' },
            dir: { type: 'string', default: '.bench-reconcile' },
            keep: { type: 'boolean', default: false },
            json: { type: 'boolean', default: false },
            help: { type: 'boolean', default: false },
        },
    });
    const { events, shape } = values;
    const isKnown = shape === 'two_phase' || shape === 'instant';
    if (values.help || !/^\d+$/.test(events) || !isKnown) {
        process.stderr.write(USAGE);
        return values.help ? 0 : 2;
    }
    const folder = resolve(values.dir);
    await generate(folder, BigInt(events), shape);
    const join_seconds = await measureJoin(folder);
    rmSync(join(folder, '.tieout'), { recursive: true, force: true });
    const night = await timedNight(folder, '2026-11-05T00:00:00Z');
    process.stdout.write(
        values.json
            ? `${JSON.stringify({ events, shape, join_seconds, night }, null, 2)}\n`
            : report(events, shape, join_seconds, night),
    );
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
    return 0;
}

async function engine(spill: string): Promise<Engine> {
    return Engine.open({ file: ':memory:', memory: '6GB', threads: availableParallelism(), spill });
}

/** Data of the wanted size is kept between runs of one folder. */
async function generate(
    folder: string,
    events: bigint,
    shape: 'two_phase' | 'instant',
): Promise<void> {
    const mark = join(folder, 'events');
    const wanted = `${events} ${shape}`;
    if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
    rmSync(folder, { recursive: true, force: true });
    for (const side of ['usage', 'debits']) {
        mkdirSync(join(folder, 'data', side), { recursive: true });
    }
    const duck = await engine(folder);
    for (const sql of generateQueries(join(folder, 'data'), events, shape)) await duck.run(sql);
    duck.close();
    for (const [name, text] of Object.entries(benchProject(shape))) {
        writeFileSync(join(folder, name), text);
    }
    writeFileSync(mark, wanted);
}

/** The fastest of three: what the engine itself needs, and not what else the machine did. */
async function measureJoin(folder: string): Promise<number> {
    const duck = await engine(folder);
    const sql = floorQueries(join(folder, 'data'))['full join on event id'] ?? '';
    const seconds: number[] = [];
    for (let run = 0; run < 3; run += 1) {
        const start = performance.now();
        await duck.rows(sql);
        seconds.push((performance.now() - start) / 1000);
    }
    duck.close();
    return Math.min(...seconds);
}

function report(events: string, shape: string, joined: number, night: NightTiming): string {
    const reconcile = night.parts.find(({ name }) => name.includes('70-reconcile'))?.seconds ?? 0;
    const table = new Table({
        head: ['what', 'seconds', 'x join'],
        style: { head: [], border: [] },
    });
    const rows: readonly (readonly [string, number])[] = [
        ['full join on the event id', joined],
        ['night: 70-reconcile', reconcile],
        ['night: all of it', night.seconds],
    ];
    for (const [name, seconds] of rows) {
        table.push([
            name,
            { content: seconds.toFixed(2), hAlign: 'right' },
            { content: (seconds / joined).toFixed(2), hAlign: 'right' },
        ]);
    }
    const peak = night.peakBytes / 2 ** 30;
    return [
        `${events} events against as many debits, ${shape}`,
        `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} threads, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
        table.toString(),
        `peak memory of the night ${peak.toFixed(2)} GiB; digest ${night.digest}`,
        '',
    ].join('\n');
}

process.exitCode = await main();
