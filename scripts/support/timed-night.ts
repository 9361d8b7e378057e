import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../../src/schema/certificate.ts';
import type { Cost } from './cost.ts';

/** A part of a night, in seconds since its process was started. */
export interface NightPart {
    readonly name: string;
    readonly from: number;
    readonly until: number;
    readonly seconds: number;
}

export interface NightTiming extends Cost {
    readonly parts: readonly NightPart[];
    readonly digest: string;
    /** How many rows it looked at; null for all. */
    readonly lookedAt: string | null;
    /** Where what it made is. */
    readonly outputs: string;
}

// What is installed: to strip the types of all modules takes a quarter of a second of every start.
export const installedCli = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli.js');

/**
 * One night of October 2026 as a process of its own, with the parts that its log records tell.
 * @param cli the program: what is built, or its source.
 * @throws Error when it ends without a certificate
 */
export function timedNight(folder: string, asOf: string, cli = installedCli): Promise<NightTiming> {
    const args = ['run', '--period', '2026-10', '--as-of', asOf, '--json'];
    const [start, clock] = [performance.now(), Date.now()];
    const child = spawn(process.execPath, [cli, ...args], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const log: Buffer[] = [];
    const used = watched(child.pid);
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => log.push(chunk));
    return new Promise((done, fail) => {
        child.on('error', fail);
        child.on('close', (code) => {
            const { cpu, peakBytes } = used();
            const text = Buffer.concat(out).toString('utf8');
            const records = Buffer.concat(log).toString('utf8');
            const certificate = certificateIn(text);
            if (!certificate) {
                fail(new Error(`tieout run ended with ${code}: ${text}${records}`));
                return;
            }
            done({
                ...{ seconds: (performance.now() - start) / 1000, cpu, peakBytes },
                parts: partsOf(records, clock),
                digest: certificate.run_digest,
                lookedAt: certificate.history.looked_at ?? null,
                outputs: join(folder, '.tieout', 'runs', certificate.run_id, 'output'),
            });
        });
    });
}

/** The certificate that a run printed; null of one that was refused, or failed. */
function certificateIn(text: string): Certificate | null {
    try {
        return JSON.parse(text).certificate ?? null;
    } catch {
        return null;
    }
}

/** Looks at a process until asked what it used: what it did in its last moment is not seen. */
function watched(pid: number | undefined): () => Pick<Cost, 'cpu' | 'peakBytes'> {
    let [cpu, peakBytes] = [0, 0];
    const look = () => {
        try {
            const status = readFileSync(`/proc/${pid}/status`, 'utf8');
            const peak = Number.parseInt(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? '0', 10) * 1024;
            peakBytes = Math.max(peakBytes, peak);
            cpu = Math.max(cpu, processorSeconds(`${pid}`, ['user', 'system']));
        } catch {
            // It has ended, or this is no Linux.
        }
    };
    const watch = setInterval(look, 50);
    return () => {
        clearInterval(watch);
        return { cpu, peakBytes };
    };
}

// Their numbers among the fields of /proc/PID/stat, from 1 as in its manual.
const ticks = { user: 14, system: 15, childrenUser: 16, childrenSystem: 17 } as const;

/**
 * What a process used of processors, as Linux counts it, in hundredths of a second.
 * @throws Error when it has ended
 */
export function processorSeconds(pid: string, which: readonly (keyof typeof ticks)[]): number {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of a program may hold blanks; what follows it does not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const of = (index: number) => Number.parseInt(fields[index - 3] ?? '0', 10);
    return which.reduce((sum, name) => sum + of(ticks[name]), 0) / 100;
}

function partsOf(log: string, clock: number): readonly NightPart[] {
    const started = new Map<string, number>();
    const parts: NightPart[] = [];
    for (const line of log.split('\n').filter((text) => text.startsWith('{'))) {
        const { part, msg, time } = JSON.parse(line);
        const at = (Date.parse(time) - clock) / 1000;
        if (msg === 'begin') started.set(part, at);
        if (msg !== 'end') continue;
        const from = started.get(part) ?? at;
        parts.push({ name: part, from, until: at, seconds: at - from });
    }
    return parts;
}

/** From the first beginning to the last end of the parts of some names, which may overlap; null without any. */
export function spanOf(parts: readonly NightPart[], names: RegExp): number | null {
    const some = parts.filter(({ name }) => names.test(name));
    if (some.length === 0) return null;
    const from = Math.min(...some.map((of) => of.from));
    return Math.max(...some.map(({ until }) => until)) - from;
}
