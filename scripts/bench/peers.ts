import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Subject } from './subject.ts';

/** Packages of peers, pinned. They are never a dependency of the project: only this installs them. */
const versions = { chdb: '3.4.0', 'nodejs-polars': '0.26.1', 'decimal.js': '10.6.0' } as const;

const folder = join(tmpdir(), 'tieout-bench-peers');

/** The package of a peer. @throws Error where it was not installed */
export function loadPeer<T>(name: keyof typeof versions): T {
    return createRequire(join(folder, 'package.json'))(name);
}

/** What a peer calls itself in the results. */
export const peerVersion = (name: keyof typeof versions): string => `${name} ${versions[name]}`;

/** Where Debian's package puts the newest PostgreSQL; null where there is none. */
export function postgresFolder(): string | null {
    const root = '/usr/lib/postgresql';
    if (!existsSync(root)) return null;
    const newest = readdirSync(root).sort((one, other) => Number(other) - Number(one));
    const folders = newest.map((version) => join(root, version, 'bin'));
    return folders.find((bin) => existsSync(join(bin, 'initdb'))) ?? null;
}

/**
 * Which peers cannot be measured, and why, once those that are missing were installed outside of the
 * project, if that is wanted.
 */
export function missingPeers(
    of: readonly Subject[],
    installs: boolean,
    say: (line: string) => void,
): ReadonlyMap<string, string> {
    const wanted = new Set(of.flatMap(({ peer }) => peer ?? []));
    const missing = new Map<string, string>();
    if (wanted.delete('postgresql') && !postgresFolder()) {
        missing.set('postgresql', 'not installed: apt-get install postgresql');
    }
    const packages = [...wanted].filter((name) => name !== 'postgresql' && !isThere(name));
    if (!installs) {
        for (const name of packages)
            missing.set(name, 'not installed: `npm run bench` installs it');
    }
    if (packages.length === 0 || !installs) return missing;
    const specs = packages.map((name) => `${name}@${versions[name as keyof typeof versions]}`);
    say(`installing ${specs.join(', ')} into ${folder}`);
    mkdirSync(folder, { recursive: true });
    const flags = ['--no-save', '--no-audit', '--no-fund', '--prefix', folder];
    const done = spawnSync('npm', ['install', ...flags, ...specs], { encoding: 'utf8' });
    for (const name of packages.filter((of) => !isThere(of))) {
        const why = done.stderr?.trim().split('\n').at(-1) ?? String(done.error);
        missing.set(name, `not installed: ${why}`);
    }
    return missing;
}

function isThere(name: string): boolean {
    const file = join(folder, 'node_modules', name, 'package.json');
    if (!existsSync(file)) return false;
    return (
        JSON.parse(readFileSync(file, 'utf8')).version === versions[name as keyof typeof versions]
    );
}
