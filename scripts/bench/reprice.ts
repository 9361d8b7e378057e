import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

const USAGE = `npm run bench:reprice -- [--events 10000000] [--text] [--dir .bench-reprice] [--keep] [--json]

Runs a month from its objects, changes a price, and computes it once more: from the partials of that
run, and from its objects; with --text also from the same rows as NDJSON under gzip. Prints how long each
took, and what share of the processor seconds from objects those from partials are.
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
    const { partials, objects, isSame } = await bothWays(folder);
    if (!isSame)
        throw new Error('a month from its partials has other charges than from its objects');
    return {
        parts: [
            { name: 'from partials', cost: partials },
            { name: 'from objects', cost: objects },
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
            text: { type: 'boolean', default: false },
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
    const folder = resolve(values.dir);
    const setting = { folder, events, memory: '6GB', threads: availableParallelism() };
    await makeData(setting);
    const { partials, objects, isSame } = await bothWays(folder);
    const share = (of: Cost) => `${((100 * partials.cpu) / of.cpu).toFixed(1)} %`;
    const figures = {
        ...{ events, threads: availableParallelism() },
        from_partials: shown(partials),
        from_parquet: shown(objects),
        share_of_parquet: share(objects),
        same_charges: isSame,
    };
    if (values.text) {
        const text = await fromText(setting);
        Object.assign(figures, { from_ndjson_gz: shown(text), share_of_ndjson_gz: share(text) });
    }
    process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : report(figures));
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
    return isSame ? 0 : 1;
}

/** Runs the month once, makes a price dearer, and computes the month again in both ways. */
async function bothWays(folder: string): Promise<BothWays> {
    rmSync(join(folder, '.tieout'), { recursive: true, force: true });
    rmSync(join(folder, '.other'), { recursive: true, force: true });
    await runPipeline(openProject(join(folder, 'tieout.yaml')), effects, options);
    // Of long prompts, one event in eighty: a break for nearly every event is no month that people have.
    const card = readFileSync(join(folder, 'rates.yaml'), 'utf8');
    writeFileSync(join(folder, 'rates.yaml'), card.replaceAll('price: "30"', 'price: "31"'));
    const project = openProject(join(folder, 'tieout.yaml'));
    const partials = await timed(() => rePrice(project, effects, options));
    const objects = await timed(() => runPipeline(apart(project), effects, options));
    rmSync(join(folder, '.other'), { recursive: true, force: true });
    const isSame = amountsOf(partials.result) === amountsOf(objects.result);
    return { partials, objects, isSame };
}

/** The same month with the dearer price, over the same rows as text. */
async function fromText(setting: DataSetting): Promise<Cost> {
    await makeText(setting);
    const folder = textFolder(setting);
    rmSync(join(folder, '.tieout'), { recursive: true, force: true });
    copyFileSync(join(setting.folder, 'rates.yaml'), join(folder, 'rates.yaml'));
    const project = openProject(join(folder, 'tieout.yaml'));
    return timed(() => runPipeline(project, effects, options));
}

const shown = ({ seconds, cpu }: Cost) =>
    `${seconds.toFixed(2)} s, ${cpu.toFixed(2)} processor seconds`;

interface BothWays {
    readonly partials: Cost;
    readonly objects: Cost;
    /** Whether both came to the same charges. */
    readonly isSame: boolean;
}

/** In a state of its own, so that nothing is found there. */
const apart = (project: Project): Project => ({
    ...project,
    state: join(project.folder, '.other'),
});

/** What was charged exactly, before anything that wallets paid. */
const amountsOf = ({ certificate: { payers } }: RunResult) =>
    JSON.stringify(payers.map(({ payer_id, amount_exact }) => [payer_id, amount_exact]));

async function timed(work: () => Promise<RunResult>): Promise<Cost & { result: RunResult }> {
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
