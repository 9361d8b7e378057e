import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { caseNames, casesFolder, runCase } from '../fixtures/cases.ts';

const USAGE = `npm run cases:update -- [CASE...]

Writes what the cases in fixtures/cases give today into their out folders: all of them, or those that are
named. Look at the difference in git, and check it by hand against the README of the case.
`;

async function main(names: readonly string[]): Promise<number> {
    const unknown = names.filter((name) => !caseNames.includes(name));
    if (unknown.length) {
        const known = `There are: ${caseNames.join(', ')}`;
        process.stderr.write(
            names.includes('--help') ? USAGE : `No case ${unknown.join(', ')}. ${known}.\n`,
        );
        return names.includes('--help') ? 0 : 2;
    }
    for (const name of names.length ? names : caseNames) {
        const files = await runCase(name, 1);
        const out = join(casesFolder, name, 'out');
        rmSync(out, { recursive: true, force: true });
        for (const [path, text] of Object.entries(files)) {
            mkdirSync(dirname(join(out, path)), { recursive: true });
            writeFileSync(join(out, path), text);
        }
        process.stdout.write(`${name}: ${Object.keys(files).join(', ')}\n`);
    }
    return 0;
}

process.exitCode = await main(process.argv.slice(2));
