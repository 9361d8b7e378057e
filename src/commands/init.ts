import { accessSync, constants, copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { writeBucket } from '../../fixtures/generator/index.ts';
import { generatedSpecs, generatedWallets, projectFiles } from '../../fixtures/project.ts';
import { RunError } from '../errors/index.ts';
import { makeFolders } from '../run/folders.ts';
import type { Answer, CommandContext } from './command.ts';

/** A month that is over, so that the first run has everything. */
const samplePeriod = '2026-10';

/** Writes a project over a folder with sample data. @throws RunError USAGE when DIR is not empty. */
export async function init(dir: string, context: CommandContext): Promise<Answer> {
    const folder = resolve(context.cwd, dir);
    makeEmptyFolder(folder);
    const data = join(folder, 'data');
    const truth = await writeBucket({ seed: 1, period: samplePeriod, events: 1_000 }, data);
    const files = {
        ...projectFiles({ name: 'sample', store: { folder: 'data' }, wallets: generatedWallets }),
        'rates.specs.yaml': generatedSpecs(samplePeriod),
        '.gitignore': '.tieout/\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    for (const name of ['accounts.json', 'assets.json', 'rates.csv']) {
        copyFileSync(join(data, name), join(folder, name));
    }
    const names = [
        ...Object.keys(files),
        'accounts.json',
        'assets.json',
        'rates.csv',
        'data/',
    ].sort();
    const at = relative(context.cwd, folder) || '.';
    return {
        exit: 0,
        text: `${at}: ${names.join(' ')}\n${truth.usage_lines} usage lines and ${truth.debit_lines} debit lines of ${samplePeriod}, with differences planted in them\n\nNext:\n  cd ${at}\n  tieout doctor\n  tieout rules test\n  tieout run --period ${samplePeriod}\n  tieout report --period ${samplePeriod}\n`,
        json: { folder, files: names, period: samplePeriod },
    };
}

function makeEmptyFolder(folder: string): void {
    const remedy = 'Name a folder that is empty or does not exist yet.';
    const refuse = (detail: string) => new RunError('USAGE', { detail, remedy });
    try {
        makeFolders(folder);
        accessSync(folder, constants.W_OK);
    } catch (error) {
        throw refuse(`${folder} cannot be made or written: ${(error as Error).message}`);
    }
    if (readdirSync(folder).length > 0) {
        throw refuse(`${folder} is not empty: nothing was written`);
    }
}
