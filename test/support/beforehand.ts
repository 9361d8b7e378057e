import { spawnSync } from 'node:child_process';
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sha256 } from '../../src/duck/sql.ts';
import { type Said, tieout } from './terminal.ts';

/**
 * Types lines in a folder before what a test is about; gives what each said. A line over the same files is typed
 * once in a run of the suites: whoever comes second gets a copy of what it left, with its instants. For tests that
 * stand on a run; what a run does itself is typed by `tieout`.
 */
export async function beforehand(
    { folder }: { readonly folder: string },
    ...lines: readonly (string | readonly string[])[]
): Promise<readonly Said[]> {
    const said: Said[] = [];
    for (const line of lines) said.push(await typed(folder, line));
    return said;
}

async function typed(folder: string, line: string | readonly string[]): Promise<Said> {
    const kept = join(tmpdir(), 'beforehand', sha256(JSON.stringify([filesOf(folder), line])));
    if (existsSync(kept)) {
        for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
        copy(join(kept, 'folder'), folder);
        return JSON.parse(readFileSync(join(kept, 'said.json'), 'utf8'));
    }
    const said = await tieout(line, { cwd: folder });
    // What names the folder itself can't be true of another.
    if (!JSON.stringify(said).includes(folder)) keep(folder, said, kept);
    return said;
}

function keep(folder: string, said: Said, kept: string): void {
    mkdirSync(dirname(kept), { recursive: true });
    const made = mkdtempSync(`${kept}-`);
    mkdirSync(join(made, 'folder'));
    copy(folder, join(made, 'folder'));
    writeFileSync(join(made, 'said.json'), JSON.stringify(said));
    try {
        renameSync(made, kept);
    } catch {
        rmSync(made, { recursive: true }); // another worker was first
    }
}

/** A store of files knows them by the instant of their last change: it is copied to the nanosecond. */
function copy(from: string, to: string): void {
    const { status, stderr } = spawnSync('cp', ['-a', `${from}/.`, to], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
}

function filesOf(folder: string): readonly (readonly [string, string])[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
        .map((path) => [path.slice(folder.length), sha256(readFileSync(path))] as const);
}
