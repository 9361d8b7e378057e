import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Engine } from '../src/duck/engine.ts';
import { type Effects, silent } from '../src/effects.ts';
import { type RunResult, runPipeline } from '../src/run/pipeline.ts';
import { openProject, type Project } from '../src/run/project.ts';
import { rePrice } from '../src/run/re-price.ts';
import { openStore } from '../src/store/open.ts';
import { benchProject, generateQueries, ndjsonQueries } from './support/bench-data.ts';

const USAGE = `npm run bench:reprice -- [--events 10000000] [--dir .bench-reprice] [--keep] [--json]

Runs a month from its objects, changes a price, and computes it once more: from the partials of that
run, from its objects, and from the same rows as NDJSON under gzip. Prints how long each took, and what
share of the processor seconds from objects those from partials are. All are in this process.
`;

const options = { pipeline: 'nightly', period: '2026-10', as_of: '2026-11-05T00:00:00Z' } as const;
const effects: Effects = {
    openStore: async (config, folder) => openStore(config.store, folder),
    now: () => options.as_of,
    progress: silent,
};

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
    const folder = resolve(values.dir);
    await generate(folder, BigInt(events));
    rmSync(join(folder, '.tieout'), { recursive: true, force: true });
    writeFileSync(join(folder, 'rates.yaml'), benchProject()['rates.yaml'] ?? '');
    await runPipeline(openProject(join(folder, 'tieout.yaml')), effects, options);
    // Of long prompts, one event in eighty: a break for nearly every event is no month that people have.
    const dearer = (benchProject()['rates.yaml'] ?? '').replaceAll('price: "30"', 'price: "31"');
    writeFileSync(join(folder, 'rates.yaml'), dearer);
    const project = openProject(join(folder, 'tieout.yaml'));
    const partials = await timed(() => rePrice(project, effects, options));
    const objects = await timed(() => runPipeline(apart(project), effects, options));
    const texts = await timed(() => runPipeline(asTexts(project), effects, options));
    const isSame = [objects, texts].every(
        ({ result }) => amountsOf(result) === amountsOf(partials.result),
    );
    const share = (of: Timed) => `${((100 * partials.processor) / of.processor).toFixed(1)} %`;
    const figures = {
        ...{ events, threads: availableParallelism() },
        from_partials: figuresOf(partials),
        from_parquet: figuresOf(objects),
        from_ndjson_gz: figuresOf(texts),
        share_of_parquet: share(objects),
        share_of_ndjson_gz: share(texts),
        same_charges: isSame,
    };
    process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : report(figures));
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
    return isSame ? 0 : 1;
}

/** In a state of its own, so that nothing is found there. */
const apart = (project: Project): Project => ({
    ...project,
    state: join(project.folder, '.other'),
});

/** Over the same rows as text. */
const asTexts = (project: Project): Project => ({
    ...project,
    state: join(project.folder, '.texts'),
    config: { ...project.config, store: { folder: 'texts' } },
});

/** What was charged exactly, before anything that wallets paid. */
const amountsOf = ({ certificate: { payers } }: RunResult) =>
    JSON.stringify(payers.map(({ payer_id, amount_exact }) => [payer_id, amount_exact]));

interface Timed {
    readonly seconds: number;
    readonly processor: number;
    readonly result: RunResult;
}

const figuresOf = ({ seconds, processor }: Timed) =>
    `${seconds.toFixed(2)} s, ${processor.toFixed(2)} processor seconds`;

async function timed(work: () => Promise<RunResult>): Promise<Timed> {
    const [began, used] = [performance.now(), process.cpuUsage()];
    const result = await work();
    const { user, system } = process.cpuUsage(used);
    const seconds = (performance.now() - began) / 1000;
    return { seconds, processor: (user + system) / 1_000_000, result };
}

/** Data of the wanted size is kept between runs of one folder. */
async function generate(folder: string, events: bigint): Promise<void> {
    const mark = join(folder, 'events');
    const wanted = events.toString();
    for (const state of ['.other', '.texts']) {
        rmSync(join(folder, state), { recursive: true, force: true });
    }
    if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
    rmSync(folder, { recursive: true, force: true });
    for (const side of ['usage', 'debits']) {
        for (const kind of ['data', 'texts']) {
            mkdirSync(join(folder, kind, side), { recursive: true });
        }
    }
    const duck = await Engine.open({
        ...{ file: ':memory:', memory: '6GB', threads: availableParallelism(), spill: folder },
    });
    const [data, texts] = [join(folder, 'data'), join(folder, 'texts')];
    const queries = [...generateQueries(data, events), ...ndjsonQueries(data, texts)];
    for (const sql of queries) await duck.run(sql);
    duck.close();
    for (const [name, text] of Object.entries(benchProject())) {
        writeFileSync(join(folder, name), text);
    }
    writeFileSync(mark, wanted);
}

function report(figures: Readonly<Record<string, string | number | boolean>>): string {
    const rows = Object.entries({ processor: cpus()[0]?.model ?? 'unknown', ...figures });
    return `${rows.map(([name, value]) => `${name.padEnd(18)} ${value}`).join('\n')}\n`;
}

process.exitCode = await main();
