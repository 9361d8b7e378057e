import { rmSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { floorQueries } from '../support/bench-data.ts';
import { type NightTiming, timedNight } from '../support/timed-night.ts';
import { type DataSetting, makeData, openEngine } from './data.ts';

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
    const setting = { folder, events, memory: '6GB', threads: availableParallelism() };
    await makeData(setting, shape);
    const join_seconds = await measureJoin(setting);
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

/** The fastest of three: what the engine itself needs, and not what else the machine did. */
async function measureJoin(setting: DataSetting): Promise<number> {
    const duck = await openEngine(setting);
    const sql = floorQueries(join(setting.folder, 'data'))['full join on event id'] ?? '';
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
