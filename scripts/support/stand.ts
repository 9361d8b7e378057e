import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEMO } from '../../fixtures/demo.ts';
import { writeBucket } from '../../fixtures/generator/index.ts';
import { generatedSpecs, generatedWallets, projectFiles } from '../../fixtures/project.ts';
import { tieout } from './cli.ts';

/** A month of five nights, each of which sees more than the one before. */
const nights = ['2026-10-08', '2026-10-15', '2026-10-22', '2026-10-29', '2026-11-05'];

/**
 * Makes a project with a month that people have worked in: nights with more and more breaks of all
 * kinds, some of them given to somebody, some resolved, and a payer released.
 */
export async function standingProject(folder: string): Promise<void> {
    rmSync(folder, { recursive: true, force: true });
    const data = join(folder, 'data');
    mkdirSync(data, { recursive: true });
    await writeBucket(DEMO, data);
    const store = { folder: 'data' };
    const files = projectFiles({ name: 'demo', store, wallets: generatedWallets });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, 'rates.specs.yaml'), generatedSpecs(DEMO.period));
    for (const name of ['accounts.json', 'assets.json', 'rates.csv']) {
        copyFileSync(join(data, name), join(folder, name));
    }
    for (const night of nights) {
        await say(folder, ['run', '--as-of', `${night}T00:00:00Z`]);
    }
    await decide(folder);
}

async function decide(folder: string): Promise<void> {
    const { items } = JSON.parse(await say(folder, ['break', 'list', '--json'])) as {
        readonly items: readonly { readonly break_id: string; readonly code: string }[];
    };
    const ids = (...codes: readonly string[]) =>
        items.filter(({ code }) => codes.includes(code)).map(({ break_id }) => break_id);
    const maria = ['--by', 'maria', '--reason'];
    const owned = ids('UNIT_MISMATCH', 'DUP_DEBIT_CONFLICT', 'ORPHAN_REVERSAL');
    await say(folder, [
        'break',
        'assign',
        ...owned,
        '--to',
        'wallet-team',
        ...maria,
        'theirs to look at',
    ]);
    const priced = ids('AMOUNT_PRICE');
    await say(folder, [
        ...['break', 'resolve', ...priced, '--as', 'explained'],
        ...[...maria, 'the wallet had the price of September'],
    ]);
    const small = ids('DUP_DEBIT_SAME', 'AMOUNT_QUANTITY');
    await say(folder, [
        ...['break', 'resolve', ...small, '--as', 'accepted'],
        ...['--by', 'joao', '--reason', 'below what a letter costs'],
    ]);
    await say(folder, [
        'release',
        'harbor',
        ...maria,
        'the missing entry is a release, seen in the log',
    ]);
}

/** Types a command about the month; held is no failure. */
async function say(cwd: string, args: readonly string[]): Promise<string> {
    const { exit, stdout } = await tieout([...args, '--period', DEMO.period], { cwd, quiet: true });
    if (exit > 1) throw new Error(`tieout ${args.join(' ')} ended with ${exit}\n${stdout}`);
    return stdout;
}
