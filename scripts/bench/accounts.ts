import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rate } from '../../pipelines/40-rate/stage.ts';
import { priceUsage } from '../../pipelines/45-price/stage.ts';
import { rollUp } from '../../pipelines/50-roll-up/stage.ts';
import { bill } from '../../pipelines/72-bill/stage.ts';
import { drawDown } from '../../pipelines/76-draw-down/stage.ts';
import { invoice } from '../../pipelines/80-invoice/stage.ts';
import { Engine } from '../../src/duck/engine.ts';
import { fillPromises } from '../../src/run/prepare.ts';
import type { Stage } from '../../src/stage/define.ts';
import { runStage } from '../../src/stage/run.ts';
import {
    type AccountBenchSize,
    accountsText,
    compileBench,
    compilePromiseBench,
    fillBill,
    fillCard,
    fillPaths,
    fillUsage,
    openBench,
    wideAccountsText,
} from '../support/bench-accounts-data.ts';
import { added, costOf, costTable, machine, medians, type Part } from '../support/cost.ts';

const USAGE = `npm run bench:accounts -- [--accounts 10000] [--days 10] [--kinds 3] [--commitments 0] [--grants 0] [--wide] [--runs 3] [--json]

Compiles accounts.yaml of so many accounts in trees of four levels, half of them with a pool inside, then
rates, prices and rolls up their metered usage twice: at a price of a unit, account by account, and with
tiers that pools fill together. With commitments or grants (one a payer, of which there are a fifth as many
as accounts; commitments in money and in units, paid before and after) contracts.yaml is compiled and the
charges become lines, once without any promise and once with these: 72-bill, 76-draw-down and 80-invoice. With
--wide all accounts are below one payer, and promises are of accounts. Prints medians, and each part against
the plain way.
`;

async function main(): Promise<number> {
    const { values } = parseArgs({
        options: {
            accounts: { type: 'string', default: '10000' },
            days: { type: 'string', default: '10' },
            kinds: { type: 'string', default: '3' },
            commitments: { type: 'string', default: '0' },
            grants: { type: 'string', default: '0' },
            runs: { type: 'string', default: '3' },
            wide: { type: 'boolean', default: false },
            json: { type: 'boolean', default: false },
            help: { type: 'boolean', default: false },
        },
    });
    const { json, help, wide, ...texts } = values;
    if (help || Object.values(texts).some((text) => !/^\d{1,7}$/.test(text))) {
        process.stderr.write(USAGE);
        return help ? 0 : 2;
    }
    const number = (text: string) => Number.parseInt(text, 10);
    const size: AccountBenchSize = {
        accounts: number(values.accounts),
        isWide: wide,
        days: number(values.days),
        kinds: number(values.kinds),
        commitments: number(values.commitments),
        grants: number(values.grants),
    };
    const folder = mkdtempSync(join(tmpdir(), 'tieout-bench-accounts-'));
    try {
        const parts = await measure(folder, size, Math.max(number(values.runs), 1));
        process.stdout.write(
            json ? `${JSON.stringify({ ...texts, parts }, null, 2)}\n` : report(texts, parts),
        );
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
    return 0;
}

/** Every part of every round, one after the other, in one process. */
async function measure(
    folder: string,
    size: AccountBenchSize,
    runs: number,
): Promise<readonly Part[]> {
    const engine = await Engine.open({
        ...{ file: ':memory:', memory: '4GB', threads: availableParallelism() },
        spill: join(folder, 'spill'),
    });
    await openBench(engine);
    const text = (size.isWide ? wideAccountsText : accountsText)(size.accounts);
    await fillPaths(engine, compileBench(text));
    await fillUsage(engine, size);
    const rounds: (readonly Part[])[] = [];
    for (let round = 0; round < runs; round += 1) {
        const parts: Part[] = [];
        const add = async (name: string, work: () => Promise<unknown>) =>
            parts.push({ name, cost: await costOf(work) });
        // A stage whose inputs are said to be the same would be left as it is.
        const run = (stage: Stage, of: string) => () =>
            runStage(stage, {
                ...{ engine, lake: join(folder, 'lake'), upstream: `${of} ${round}`, position: 1 },
            });
        await add('compile accounts', async () => compileBench(text));
        const tree = compileBench(text);
        await add('fill accounts', () => fillPaths(engine, tree));
        for (const kind of ['plain', 'pooled'] as const) {
            await fillCard(engine, kind === 'plain' ? null : {});
            const stages: Part[] = [];
            for (const stage of [rate, priceUsage, rollUp]) {
                const cost = await costOf(run(stage, kind));
                stages.push({ name: `${kind}: ${stage.name}`, cost });
            }
            parts.push({ name: kind, cost: added(stages) }, ...stages);
        }
        if (size.commitments || size.grants) {
            await fillBill(engine, tree);
            await add('compile promises', async () => compilePromiseBench(size, tree));
            const promises = compilePromiseBench(size, tree);
            for (const kind of ['nothing promised', 'promised'] as const) {
                await fillPromises(engine, kind === 'promised' ? promises : null);
                const stages: Part[] = [];
                for (const stage of [bill, drawDown, invoice]) {
                    const cost = await costOf(run(stage, kind));
                    stages.push({ name: `${kind}: ${stage.name}`, cost });
                }
                parts.push({ name: kind, cost: added(stages) }, ...stages);
            }
        }
        rounds.push(parts);
    }
    engine.close();
    return medians(rounds);
}

function report(of: Readonly<Record<string, string>>, parts: readonly Part[]): string {
    const said = Object.entries(of).map(([name, count]) => `${count} ${name}`);
    return [`${said.join(', ')}; medians`, machine(), costTable(parts, 'plain'), ''].join('\n');
}

process.exitCode = await main();
