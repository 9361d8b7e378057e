import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Effects, silent } from '../../src/effects.ts';
import { type RunResult, runPipeline } from '../../src/run/pipeline.ts';
import { openProject, type Project } from '../../src/run/project.ts';
import { rePrice } from '../../src/run/re-price.ts';
import { openStore } from '../../src/store/open.ts';
import { type Cost, costOf } from '../support/cost.ts';
import { type DataSetting, makeData, makeText, textFolder, writeProject } from './data.ts';
import type { Measured, Setting } from './subject.ts';

const USAGE = `npm run bench:reprice -- [--events 10000000] [--dir .bench-reprice] [--keep] [--json]

Runs a month from its objects, changes a price, and computes it once more: from the partials of that
run, from its objects, and from the same rows as NDJSON under gzip. Prints how long each took, and what
share of the processor seconds of the others those from partials are. All are in this process.
`;

const options = { pipeline: 'nightly', period: '2026-10', as_of: '2026-11-05T00:00:00Z' } as const;
const effects: Effects = {
    openStore: async (config, folder) => openStore(config.store, folder),
    now: () => options.as_of,
    progress: silent,
};

/** A month from its partials against from its objects, over the data of the suite. */
export async function measure({ folder, memory }: Setting): Promise<Measured> {
    writeProject(folder, { memory });
    const { partials, objects } = await bothWays(folder);
    if (!areSame(partials.result, objects.result)) {
        throw new Error('a month from its partials has other charges than from its objects');
    }
    return {
        parts: [
            { name: 'from partials', cost: costOnly(partials) },
            { name: 'from objects', cost: costOnly(objects) },
        ],
        answer: null,
        says: 'one price in six was changed after the month was run',
    };
}

async function main(): Promise<number> {
    const { values } = parseArgs({
        options: {
            events: { type: 'string', default: '10000000' },
            dir: { type: 'string', default: '.bench-reprice' },
            keep: { type: 'boolean', default: false },
            json: { type: 'boolean', default: false },
            help: { type: 'boolean', default: false },
        },
    });
    const { events } = values;
    if (values.help || !/^\d+$/.test(events)) {
        process.stderr.write(USAGE);
        return values.help ? 0 : 2;
    }
    const setting = {
        ...{ folder: resolve(values.dir), events, memory: '6GB', threads: availableParallelism() },
    };
    await makeData(setting);
    await makeText(setting);
    const ways = { ...(await bothWays(setting.folder)), texts: await fromTexts(setting) };
    const { partials, objects, texts } = ways;
    const isSame = [objects, texts].every(({ result }) => areSame(partials.result, result));
    const share = (of: Cost) => `${((100 * partials.cpu) / of.cpu).toFixed(1)} %`;
    const figures = {
        ...{ events, threads: setting.threads, from_partials: figuresOf(partials) },
        ...{ from_parquet: figuresOf(objects), from_ndjson_gz: figuresOf(texts) },
        ...{ share_of_parquet: share(objects), share_of_ndjson_gz: share(texts) },
        same_charges: isSame,
    };
    process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : report(figures));
    if (!values.keep) rmSync(setting.folder, { recursive: true, force: true });
    return isSame ? 0 : 1;
}

const figuresOf = ({ seconds, cpu }: Cost) =>
    `${seconds.toFixed(2)} s, ${cpu.toFixed(2)} processor seconds`;

/** Runs the month once, makes a price dearer, and computes the month again: from partials, and from objects. */
async function bothWays(folder: string): Promise<{ partials: Timed; objects: Timed }> {
    rmSync(join(folder, '.tieout'), { recursive: true, force: true });
    await runPipeline(openProject(join(folder, 'tieout.yaml')), effects, options);
    makeDearer(folder);
    const project = openProject(join(folder, 'tieout.yaml'));
    const partials = await timed(() => rePrice(project, effects, options));
    return { partials, objects: await fromObjects(project) };
}

/** The same month at the same prices from the same rows as NDJSON under gzip. */
async function fromTexts(setting: DataSetting): Promise<Timed> {
    makeDearer(textFolder(setting));
    return fromObjects(openProject(join(textFolder(setting), 'tieout.yaml')));
}

/** Of long prompts, one event in eighty: a break for nearly every event is no month that people have. */
function makeDearer(folder: string): void {
    const card = readFileSync(join(folder, 'rates.yaml'), 'utf8');
    writeFileSync(join(folder, 'rates.yaml'), card.replaceAll('price: "30"', 'price: "31"'));
}

/** A month from its objects, in a state of its own that is gone afterwards. */
async function fromObjects(project: Project): Promise<Timed> {
    const apart = { ...project, state: join(project.folder, '.other') };
    rmSync(apart.state, { recursive: true, force: true });
    const objects = await timed(() => runPipeline(apart, effects, options));
    rmSync(apart.state, { recursive: true, force: true });
    return objects;
}

const costOnly = ({ seconds, cpu, peakBytes }: Timed): Cost => ({ seconds, cpu, peakBytes });

interface Timed extends Cost {
    readonly result: RunResult;
}

/** What was charged exactly, before anything that wallets paid. */
const amountsOf = ({ certificate: { payers } }: RunResult) =>
    JSON.stringify(payers.map(({ payer_id, amount_exact }) => [payer_id, amount_exact]));

const areSame = (one: RunResult, other: RunResult) => amountsOf(one) === amountsOf(other);

async function timed(work: () => Promise<RunResult>): Promise<Timed> {
    let result: RunResult | undefined;
    const cost = await costOf(async () => {
        result = await work();
    });
    if (!result) throw new Error('a run that ended has a result');
    return { ...cost, result };
}

function report(figures: Readonly<Record<string, string | number | boolean>>): string {
    const rows = Object.entries({ processor: cpus()[0]?.model ?? 'unknown', ...figures });
    return `${rows.map(([name, value]) => `${name.padEnd(18)} ${value}`).join('\n')}\n`;
}

if (import.meta.main) process.exitCode = await main();
