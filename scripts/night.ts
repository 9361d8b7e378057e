import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFiles, type Wallet } from '../fixtures/project.ts';
import { openBucket, uploadFolder } from './support/bucket.ts';
import { tieout } from './support/cli.ts';
import { type Comparison, compareWithTruth, type NightTruth } from './support/truth.ts';

const USAGE = `npm run night -- [--data DIR] [--json]

Puts a month of data into an S3 bucket (embedded, or the one of TIEOUT_S3_ENDPOINT), runs the
nightly pipeline over it and compares every number and every break with its truth.json.
    --data DIR   a folder with usage/, debits/, accounts.json, assets.json, rates.csv, truth.json
                 (default ../shared/real/night)
    --json       the comparison as JSON
`;

/** Exit 0 when everything is as the truth says, 1 when anything differs, 2 for bad usage. */
async function main(): Promise<number> {
    const { values } = parseArgs({
        options: {
            data: { type: 'string', default: '../shared/real/night' },
            json: { type: 'boolean', default: false },
            help: { type: 'boolean', default: false },
        },
    });
    const data = resolve(values.data);
    if (values.help || !existsSync(join(data, 'truth.json'))) {
        process.stderr.write(values.help ? USAGE : `no truth.json in ${data}\n\n${USAGE}`);
        return values.help ? 0 : 2;
    }
    const truth = JSON.parse(readFileSync(join(data, 'truth.json'), 'utf8')) as NightTruth;
    const folder = resolve('.night');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const bucket = await openBucket(`tieout-night-${process.pid}`);
    try {
        await uploadFolder(bucket, data, ['usage', 'debits']);
        writeProject(folder, data, bucket.endpoint, bucket.bucket);
        const period = truth.period[0].slice(0, 7);
        const asOf = new Date(Date.parse(truth.period[1]) + 4 * 86_400_000).toISOString();
        const args = ['run', '--period', period, '--as-of', asOf, '--json'];
        const { exit, stdout } = await tieout(args, { cwd: folder, quiet: values.json });
        if (exit > 1) {
            process.stderr.write(stdout);
            return exit;
        }
        const comparison = await compareWithTruth(JSON.parse(stdout), truth);
        const text = values.json ? `${JSON.stringify(comparison, null, 2)}\n` : table(comparison);
        process.stdout.write(text);
        return comparison.differences === 0 ? 0 : 1;
    } finally {
        await bucket.stop();
    }
}

/** The three roots of the data, in order: instant, two-phase and aggregated wallets. */
function walletsOf(data: string): readonly Wallet[] {
    const accounts = JSON.parse(readFileSync(join(data, 'accounts.json'), 'utf8')) as readonly {
        account_id: string;
        parent: string | null;
    }[];
    const roots = accounts.filter(({ parent }) => parent === null).map((of) => of.account_id);
    const [instant = '', twoPhase = '', aggregated = ''] = roots;
    return [
        { accounts: instant, asset: 'USD', shape: 'instant' },
        { accounts: twoPhase, asset: 'TOK', shape: 'two_phase', funding: 'postpaid' },
        { accounts: aggregated, asset: 'REQ', shape: 'aggregated', funding: 'postpaid' },
    ];
}

function writeProject(folder: string, data: string, endpoint: string, bucket: string): void {
    const store = { bucket, endpoint, region: 'us-east-1', path_style: true };
    const files = projectFiles({ name: 'night', store, wallets: walletsOf(data) });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    for (const name of ['accounts.json', 'assets.json', 'rates.csv']) {
        copyFileSync(join(data, name), join(folder, name));
    }
}

function table({ figures, codes, rounding, differences, run }: Comparison): string {
    const row = (cells: readonly string[]) =>
        `  ${cells[0]?.padEnd(52)} ${cells
            .slice(1)
            .map((cell) => cell.padStart(16))
            .join(' ')}`;
    const wrong = figures.filter(({ ok }) => !ok);
    const shown = figures.filter(({ of, ok }) => !ok || !of.includes('|'));
    return [
        `run ${run.run_id}, digest ${run.run_digest}`,
        row(['figure', 'truth', 'found', '']),
        ...shown.map(({ of, expected, actual, ok }) =>
            row([of, expected, actual, ok ? 'ok' : 'DIFFERS']),
        ),
        `  and ${figures.length - shown.length} quantities and exact amounts by model, class and band, all equal`,
        '',
        row(['code', 'planted', 'found', 'missed', 'extra']),
        ...codes.map((of) =>
            row([
                of.code,
                ...[of.planted, of.found, of.missed.length, of.extra.length].map(String),
            ]),
        ),
        ...codes.flatMap(({ code, missed, extra }) => [
            ...missed.map((key) => `  MISSED ${code} ${key}`),
            ...extra.map((key) => `  EXTRA  ${code} ${key}`),
        ]),
        '',
        ...rounding.map((of) => `  rounding within tolerance: ${of}`),
        differences === 0
            ? `Everything is as the truth says: ${figures.length} figures, ${codes.length} codes.`
            : `${differences} DIFFERENCES (${wrong.length} figures)`,
        '',
    ].join('\n');
}

process.exitCode = await main();
