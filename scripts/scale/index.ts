import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bigBytes, smallLimit } from '../../src/run/lake-compact.ts';
import { type BenchResults, figuresOf } from './figures.ts';
import { assumed, largestMonth, type MeasuredFigures, monthCost } from './plan.ts';
import { lakeOfYear } from './year.ts';

const USAGE = `npm run scale -- [--bench docs/benchmarks.json] [--into docs/scale.md]

Works out what months of 1, 10 and 100 billion events cost from what the benchmark measured, and lets a
year of nights pass over the lake with the rules that merge and delete its batches. Prints the tables, or
puts them into the page, between its marks.
`;

function main(): number {
    const { values } = parseArgs({
        options: {
            bench: { type: 'string', default: 'docs/benchmarks.json' },
            into: { type: 'string' },
            help: { type: 'boolean', default: false },
        },
    });
    if (values.help) {
        process.stderr.write(USAGE);
        return 0;
    }
    const bench: BenchResults = JSON.parse(readFileSync(values.bench, 'utf8'));
    const figures = figuresOf(bench);
    const tables = {
        measured: measuredTable(bench, figures),
        assumed: assumedTable(),
        months: monthsTable(figures),
        limits: limitsTable(figures),
        year: yearTable(),
    };
    if (values.into) writeFileSync(values.into, filled(readFileSync(values.into, 'utf8'), tables));
    else process.stdout.write(`${Object.values(tables).join('\n\n')}\n`);
    return 0;
}

/** The page with each table in the place of the one that it has. @throws RangeError where a mark is missing */
export function filled(page: string, tables: Readonly<Record<string, string>>): string {
    return Object.entries(tables).reduce((text, [name, table]) => {
        const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
        const [from, until] = [text.indexOf(begin), text.indexOf(end)];
        if (from < 0 || until < from) throw new RangeError(`the page has no ${begin} ... ${end}`);
        return `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(until)}`;
    }, page);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const rule = `|---|${'---:|'.repeat(head.length - 1)}`;
    return [line(head), rule, ...rows.map(line)].join('\n');
}

/** On what the figures were measured. */
function measuredOn({ machine, measured_on, events, smallEvents, runs, note }: BenchResults) {
    const sizes = [events, smallEvents].map((text) => count(Number(text)));
    const said = note ? `; ${note}` : '';
    return `measured on ${measured_on}: ${machine}; ${sizes.join(' and ')} events, ${runs} run(s)${said}`;
}

function measuredTable(bench: BenchResults, of: MeasuredFigures): string {
    const seconds = (value: number) => `${value.toFixed(2)} s`;
    const rows = [
        ['a: of a night, whatever its size', seconds(of.nightSeconds)],
        ['b: for a million new pairs', seconds(of.secondsPerMillion)],
        ['h: for a million pairs that were there', seconds(of.historySecondsPerMillion)],
        ['t: more for a million pairs of NDJSON.gz', seconds(of.textSecondsPerMillion)],
        [
            'c: ClickHouse, the core of the job, a million pairs',
            seconds(of.clusterSecondsPerMillion),
        ],
        ['p: Parquet of a pair', `${of.bytesPerPair.toFixed(0)} bytes`],
        ['m: memory for a new pair', `${of.memoryPerPair.toFixed(0)} bytes`],
        ['memory of a night, whatever its size', size(of.memoryBase)],
    ];
    return markdown([measuredOn(bench), 'processor time, or bytes'], rows);
}

function assumedTable(): string {
    const rows = [
        ['nights of a month', `${assumed.nights}`],
        ['hours within which a night has to be done', `${assumed.windowHours}`],
        ['what a core does on a large machine, of what it does here', `${assumed.efficiency}`],
        ['one machine', `${assumed.machineCores} cores, ${size(assumed.machineMemory)}`],
        ['a node of a cluster', `${assumed.nodeCores} cores, ${size(assumed.nodeMemory)}`],
        ['network to the store', `${size(assumed.networkBytesPerSecond)}/s`],
        ['an object', size(assumed.objectBytes)],
        ['requests for an object, of which ranges are read', `${assumed.rangesPerObject}`],
        ['a core for an hour', `${assumed.dollarsPerCoreHour} USD`],
        ['1 GB for a month', `${assumed.dollarsPerGigabyteMonth} USD`],
        ['1,000 PUT or LIST requests', `${assumed.dollarsPerThousandPuts} USD`],
        ['1,000 GET requests', `${assumed.dollarsPerThousandGets} USD`],
    ];
    return markdown(['assumed', ''], rows);
}

function monthsTable(figures: MeasuredFigures): string {
    const months = [1e9, 1e10, 1e11].map((events) => monthCost(events, figures));
    const row = (name: string, text: (of: (typeof months)[number]) => string) => [
        name,
        ...months.map(text),
    ];
    return markdown(
        ['a month of', ...months.map(({ events }) => `${count(events)} events`)],
        [
            row('pairs a night', (of) => count(of.pairsPerNight)),
            row('Parquet a night', (of) => size(of.bytesPerNight)),
            row('objects a night', (of) => count(of.objectsPerNight)),
            row('core hours of the month, one machine', (of) => of.coreHours.toFixed(1)),
            row('of them for history', (of) => of.historyCoreHours.toFixed(1)),
            row('hours of the last night, one machine', (of) => of.lastNightHours.toFixed(2)),
            row('hours of its download', (of) => of.downloadHours.toFixed(2)),
            row('memory wanted by a night', (of) => size(of.memory)),
            row('within the window on one machine', (of) => (of.fitsOneMachine ? 'yes' : 'no')),
            row('nodes of a cluster for the window', (of) => count(of.nodes)),
            row('core hours of the month, cluster', (of) => of.clusterCoreHours.toFixed(1)),
            row('GET requests of the cluster', (of) => count(of.rangeRequests)),
            row('LIST requests', (of) => count(of.listRequests)),
            row('USD: one machine', (of) => of.dollars.machine.toFixed(0)),
            row('USD: cluster', (of) => of.dollars.cluster.toFixed(0)),
            row('USD: storage of the month', (of) => of.dollars.storage.toFixed(0)),
            row('USD: requests', (of) => of.dollars.requests.toFixed(2)),
        ],
    );
}

function limitsTable(figures: MeasuredFigures): string {
    const rows = [2, 8, 32, 96].map((cores) => {
        const events = largestMonth(figures, cores);
        return [`${cores}`, count(events), count(events / assumed.nights)];
    });
    return markdown(['cores of one machine', 'events of a month', 'events a night'], rows);
}

/** What one input brings a night, from a small one to one that is written as a whole. */
const inputs = [
    { objects: 1, bytes: 1e6 },
    { objects: 24, bytes: 1e7 },
    { objects: 24, bytes: 1e8 },
    { objects: 24, bytes: 3e9 },
    { objects: 300, bytes: 3e10 },
];

function yearTable(): string {
    const rows = inputs.map((daily) => {
        const nights = lakeOfYear(daily);
        const last = nights.at(-1);
        const most = (of: (night: (typeof nights)[number]) => number) =>
            count(Math.max(...nights.map(of)));
        const times = (last?.rewrittenBytes ?? 0) / (daily.bytes * nights.length);
        return [
            `${daily.objects} ${daily.objects === 1 ? 'object' : 'objects'}, ${size(daily.bytes)}`,
            ...[count(daily.objects * nights.length), count(last?.batches ?? 0)],
            ...[most(({ batches }) => batches), count(last?.objects ?? 0)],
            ...[most(({ storedObjects }) => storedObjects), times.toFixed(2)],
        ];
    });
    const head = ['an input brings a night', 'objects that came', 'batches at the end'];
    const rest = ['most batches', 'objects at the end', 'most objects', 'times written anew'];
    const rule = `Merged: more than ${smallLimit} batches of less than ${size(bigBytes)}.`;
    return `${rule}\n\n${markdown([...head, ...rest], rows)}`;
}

const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Bytes in the largest unit that leaves at least one. */
function size(bytes: number): string {
    const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];
    const at = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
    const value = bytes / 1000 ** at;
    return `${value.toFixed(value < 10 && at > 0 ? 1 : 0)} ${units[at]}`;
}

if (import.meta.main) process.exitCode = main();
