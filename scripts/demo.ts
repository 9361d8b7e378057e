import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DEMO } from '../fixtures/demo.ts';
import { writeBucket } from '../fixtures/generator/index.ts';
import { generatedSpecs, generatedWallets, projectFiles } from '../fixtures/project.ts';
import { openBucket, uploadFolder } from './support/bucket.ts';
import { tieout } from './support/cli.ts';

/** A night's work on a small invented bucket, in an S3 that lives as long as this script. */
async function main(): Promise<number> {
    const folder = resolve('.demo');
    const data = join(folder, 'data');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(data, { recursive: true });
    say(`1. Make a bucket of ${DEMO.events} LLM requests and the debits wallets took for them`);
    const truth = await writeBucket(DEMO, data);
    say(`   ${truth.usage_lines} usage lines, ${truth.debit_lines} debit lines`);
    const bucket = await openBucket('tieout-demo');
    try {
        const objects = await uploadFolder(bucket, data, ['usage', 'debits']);
        say(`2. Put ${objects} objects into s3://${bucket.bucket} at ${bucket.endpoint}`);
        writeProject(folder, data, bucket.endpoint, bucket.bucket);
        say('3. Check the rate card and its worked examples: tieout rules test');
        await step(folder, ['rules', 'test'], [0]);
        say(`4. Run the night: tieout run --period ${DEMO.period}`);
        await step(
            folder,
            ['run', '--period', DEMO.period, '--as-of', '2026-11-05T00:00:00Z'],
            [0, 1],
        );
        say('5. Read the reconciliation: tieout report');
        await step(folder, ['report', '--period', DEMO.period], [0, 1]);
        say(
            `Exit 1 of a run means held: ${planted(truth.injected_breaks)} differences were planted.`,
        );
        say(`Everything is in ${folder}; start with the report.`);
        return 0;
    } finally {
        await bucket.stop();
    }
}

function writeProject(folder: string, data: string, endpoint: string, bucket: string): void {
    const store = { bucket, endpoint, region: 'us-east-1', path_style: true };
    const files = projectFiles({ name: 'demo', store, wallets: generatedWallets });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, 'rates.specs.yaml'), generatedSpecs(DEMO.period));
    for (const name of ['accounts.json', 'assets.json', 'rates.csv']) {
        copyFileSync(join(data, name), join(folder, name));
    }
}

async function step(cwd: string, args: readonly string[], fine: readonly number[]): Promise<void> {
    const { exit, stdout } = await tieout(args, { cwd });
    process.stdout.write(stdout.replaceAll(/^(?=.)/gm, '   '));
    if (!fine.includes(exit)) throw new Error(`tieout ${args.join(' ')} ended with ${exit}`);
}

function planted(breaks: Readonly<Record<string, number>>): number {
    return Object.values(breaks).reduce((sum, count) => sum + count, 0);
}

function say(text: string): void {
    process.stdout.write(`${text}\n`);
}

process.exitCode = await main();
