import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readStateLog } from '../../src/run/books.ts';
import { readCertificate, runFolder } from '../../src/run/folders.ts';
import { folderState } from '../../src/state/state.ts';
import { tieout } from './cli.ts';

const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');
const line = ['run', '--period', '2026-10', '--as-of', '2026-11-05T00:00:00Z'];

/** A number from 0 to below 1 that depends on the seed alone (mulberry32). */
export function chance(seed: number): number {
    let of = (seed + 0x6d2b79f5) | 0;
    of = Math.imul(of ^ (of >>> 15), of | 1);
    of ^= of + Math.imul(of ^ (of >>> 7), of | 61);
    return ((of ^ (of >>> 14)) >>> 0) / 2 ** 32;
}

/** Starts the night of a project and kills it after so many milliseconds, unless it was quicker. */
async function killAfter(folder: string, millis: number): Promise<void> {
    const child = spawn(process.execPath, [cli, ...line], { cwd: folder, stdio: 'ignore' });
    const timer = setTimeout(() => child.kill('SIGKILL'), millis);
    await once(child, 'close');
    clearTimeout(timer);
}

/** What of a state looks whole and is not: after a kill it is that of before or after, never between. */
async function halfWritten(folder: string): Promise<readonly string[]> {
    const state = join(folder, '.tieout');
    const outputs = globSync(join(state, 'runs/*/output'));
    const halves = outputs.filter((output) => {
        const run = runFolder(state, output.split('/').at(-2) ?? '');
        return readCertificate(run) === null;
    });
    const { commits } = await readStateLog(folderState(state));
    const lost = commits.filter(({ run_id }) => !readCertificate(runFolder(state, run_id)));
    return [
        ...halves.map((output) => `${output} is not whole`),
        ...lost.map(({ number }) => `entry ${number} of the log names a run that is not whole`),
        ...(commits.length > 1 ? [`the log has ${commits.length} entries of one run`] : []),
    ];
}

/** What a whole night gave. */
export interface Night {
    readonly digest: string;
    /** Every file of the output by the hash of its bytes. */
    readonly outputs: Readonly<Record<string, string>>;
    readonly entries: number;
    readonly millis: number;
}

/** Runs the night to its end, in a process of its own. */
export async function wholeNight(folder: string): Promise<Night> {
    const began = performance.now();
    const { exit, stdout } = await tieout([...line, '--json'], { cwd: folder, quiet: true });
    const millis = performance.now() - began;
    if (exit > 1) throw new Error(`exit ${exit}: ${stdout}`);
    const { run_digest: digest, outputs } = JSON.parse(stdout).certificate;
    const { commits } = await readStateLog(folderState(join(folder, '.tieout')));
    return { digest, outputs, entries: commits.length, millis };
}

/** What a seed came to: when it killed, and what was wrong, which should be nothing. */
export interface Killed {
    readonly at: readonly number[];
    readonly wrong: readonly string[];
}

/**
 * A night that is killed one to three times at moments that the seed chooses, and then runs to its
 * end, compared with one that was left alone.
 */
export async function killedNight(folder: string, seed: number, sound: Night): Promise<Killed> {
    rmSync(join(folder, '.tieout'), { recursive: true, force: true });
    const at: number[] = [];
    const wrong: string[] = [];
    const kills = 1 + Math.floor(chance(seed) * 3);
    for (let kill = 1; kill <= kills; kill += 1) {
        const millis = Math.floor(chance(seed + kill * 1_000_003) * sound.millis);
        at.push(millis);
        await killAfter(folder, millis);
        wrong.push(...(await halfWritten(folder)));
    }
    const night = await wholeNight(folder);
    wrong.push(...(await halfWritten(folder)));
    if (night.digest !== sound.digest) wrong.push(`digest ${night.digest}, not ${sound.digest}`);
    const scraps = globSync(join(folder, '.tieout/runs/*/{scratch,spill,output.partial}'));
    wrong.push(...scraps.map((scrap) => `${scrap} was left`));
    if (night.entries !== 1) wrong.push(`${night.entries} entries in the log`);
    for (const name of new Set([...Object.keys(night.outputs), ...Object.keys(sound.outputs)])) {
        if (night.outputs[name] !== sound.outputs[name]) wrong.push(`${name} has other bytes`);
    }
    return { at, wrong };
}
