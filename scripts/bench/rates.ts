import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rate } from '../../pipelines/40-rate/stage.ts';
import { Engine } from '../../src/duck/engine.ts';
import { runStage } from '../../src/stage/run.ts';
import {
    fillRateBench,
    floorSetup,
    floorSql,
    type RateBenchSize,
} from '../support/bench-rates-data.ts';
import {
    between,
    costOf,
    costTable,
    type Mark,
    machine,
    mark,
    medians,
    type Part,
} from '../support/cost.ts';
import type { Measured, Setting } from './subject.ts';

const USAGE = `npm run bench:rates -- [--rows 1000000] [--combinations 50000] [--rates 10000] [--runs 3] [--json]

Rates metered rows with a card of six attributes through the stage 40-rate as a run does it, and
measures a bare hash join of as many rows with as many rates beside it. Prints the ratio, in seconds
and in seconds of processors, which a busy machine changes less. Nothing is asserted.
`;

/** What a stage costs over so many metered rows and rates as the suite looks at. */
export async function measure(setting: Setting): Promise<Measured> {
    const size: RateBenchSize = { rows: 1_000_000n, combinations: 50_000n, rates: 10_000 };
    mkdirSync(setting.folder, { recursive: true });
    return {
        parts: await measureSize(setting.folder, size, 3),
        answer: null,
        says: `${size.rows} metered rows of ${size.combinations} combinations, ${size.rates} rates of six attributes`,
    };
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
        const parts = await measureSize(folder, size, Number.parseInt(values.runs, 10));
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
async function measureSize(
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
    return medians(rounds);
}

function report(runs: string, size: RateBenchSize, parts: readonly Part[]): string {
    return [
        `${size.rows} metered rows of ${size.combinations} combinations, ${size.rates} rates, ${runs} run(s), medians`,
        machine(),
        costTable(parts, 'floor'),
        '',
    ].join('\n');
}

if (import.meta.main) process.exitCode = await main();
