import { mkdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { Engine } from '../../src/duck/engine.ts';
import { quoteText } from '../../src/duck/sql.ts';
import { generateQueries } from '../support/bench-data.ts';
import { type NightTiming, timedNight } from '../support/timed-night.ts';
import { writeProject } from './data.ts';

const USAGE = `npm run bench:nights -- [--events 100000] [--nights 30] [--dir .bench-nights] [--keep]

A month night by night: every night brings the events and debits of one more day, copies of events of
the day before, and debits of it that come late. Prints what each night took and how the last compares
with the second, which had as much new data; then runs everything at once, and compares the digests.
`;

async function main(): Promise<number> {
    const { values } = parseArgs({
        options: {
            events: { type: 'string', default: '100000' },
            nights: { type: 'string', default: '30' },
            dir: { type: 'string', default: '.bench-nights' },
            keep: { type: 'boolean', default: false },
            help: { type: 'boolean', default: false },
        },
    });
    const count = Number.parseInt(values.nights, 10);
    if (values.help || !/^\d+$/.test(values.events) || !(count >= 2 && count <= 31)) {
        process.stderr.write(USAGE);
        return values.help ? 0 : 2;
    }
    const folder = resolve(values.dir);
    rmSync(folder, { recursive: true, force: true });
    for (const side of ['usage', 'debits']) {
        mkdirSync(join(folder, 'made', side), { recursive: true });
        mkdirSync(join(folder, 'data', side), { recursive: true });
    }
    writeProject(folder, {});
    const duck = await Engine.open({
        ...{ file: ':memory:', memory: '4GB', spill: folder },
        threads: availableParallelism(),
    });
    for (const sql of generateQueries(join(folder, 'made'), BigInt(values.events) * 31n)) {
        await duck.run(sql);
    }
    const nights: NightTiming[] = [];
    for (let day = 1; day <= count; day += 1) {
        await arrive(duck, folder, day);
        nights.push(await timedNight(folder, nightAfter(day)));
        process.stderr.write(`night ${day}: ${nights.at(-1)?.seconds.toFixed(2)} s\n`);
    }
    duck.close();
    rmSync(join(folder, '.tieout'), { recursive: true });
    const once = await timedNight(folder, nightAfter(count));
    process.stdout.write(report(nights, once));
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
    return 0;
}

const dateOf = (day: number) => `2026-10-${String(day).padStart(2, '0')}`;
/** The night after a day, when its last debits are there. */
export const nightAfter = (day: number) =>
    day === 31 ? '2026-11-01T00:00:00Z' : `${dateOf(day + 1)}T00:00:00Z`;

/** One debit in 1,000 comes a night late, one event in 2,000 is sent again a night later. */
export async function arrive(duck: Engine, folder: string, day: number): Promise<void> {
    const made = (side: string, of: number) =>
        `read_parquet(${quoteText(join(folder, 'made', side, `dt=${dateOf(of)}.parquet`))})`;
    const write = (select: string, side: string, name: string) =>
        duck.run(
            `copy (${select}) to ${quoteText(join(folder, 'data', side, `dt=${dateOf(day)}.${name}.parquet`))} (format parquet)`,
        );
    await write(`select * from ${made('usage', day)}`, 'usage', 'day');
    await write(
        `select * from ${made('debits', day)} where hash(entry_id) % 1000 <> 0`,
        'debits',
        'day',
    );
    if (day === 1) return;
    const sent = `select * from ${made('usage', day - 1)} where hash(id, 11) % 2000 = 0`;
    await write(sent, 'usage', 'late');
    const late = `select * from ${made('debits', day - 1)} where hash(entry_id) % 1000 = 0`;
    await write(late, 'debits', 'late');
}

function report(nights: readonly NightTiming[], once: NightTiming): string {
    const table = new Table({
        head: ['night', 'seconds', 'rows looked at', 'peak GiB'],
        style: { head: [], border: [] },
    });
    for (const [index, { seconds, lookedAt, peakBytes }] of nights.entries()) {
        table.push([
            `${index + 1}`,
            { content: seconds.toFixed(2), hAlign: 'right' },
            { content: lookedAt ?? 'all', hAlign: 'right' },
            { content: (peakBytes / 2 ** 30).toFixed(2), hAlign: 'right' },
        ]);
    }
    const second = nights[1]?.seconds ?? 0;
    const last = nights.at(-1);
    return [
        table.toString(),
        `night ${nights.length} / night 2: ${((last?.seconds ?? 0) / second).toFixed(2)}`,
        `everything at once: ${once.seconds.toFixed(2)} s; ${once.digest === last?.digest ? 'the same digest' : 'ANOTHER DIGEST'}`,
        '',
    ].join('\n');
}

if (import.meta.main) process.exitCode = await main();
