import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'tieout-tests-';
const room = 4 * 2 ** 30;

/**
 * Before any suite: everything temporary that this run makes is below one folder, `tieout-tests-PID`, that goes with the
 * run. What runs that were killed have left goes first, what they mounted with it.
 */
export default function ownTemporary(): () => void {
    const parents = [...new Set([tmpdir(), '/dev/shm'])];
    for (const folder of parents.flatMap(leftIn)) remove(folder);
    const folder = join(parents.findLast(hasRoom) ?? tmpdir(), `${prefix}${process.pid}`);
    mkdirSync(folder);
    process.env.TMPDIR = folder; // workers and the commands that tests start inherit it
    return () => remove(folder);
}

/** Memory, where there is enough of it: nights wait for the disk a third of their time. */
function hasRoom(folder: string): boolean {
    try {
        const { bavail, bsize } = statfsSync(folder);
        return bavail * bsize >= room;
    } catch {
        return false;
    }
}

/** Folders of runs whose process is no more. */
function leftIn(parent: string): readonly string[] {
    return namesIn(parent)
        .filter((name) => name.startsWith(prefix) && !isAlive(name.slice(prefix.length)))
        .map((name) => join(parent, name));
}

function namesIn(folder: string): readonly string[] {
    try {
        return readdirSync(folder);
    } catch {
        return [];
    }
}

function isAlive(pid: string): boolean {
    try {
        return process.kill(Number(pid), 0);
    } catch {
        return false;
    }
}

function remove(folder: string): void {
    const mounts = mounted().filter((path) => path.startsWith(`${folder}/`));
    for (const path of mounts) spawnSync('umount', ['--lazy', path]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Where something is mounted, as Linux says; nothing on other systems. */
function mounted(): readonly string[] {
    try {
        const rows = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n');
        return rows.map((row) => row.split(' ')[1] ?? '');
    } catch {
        return [];
    }
}
