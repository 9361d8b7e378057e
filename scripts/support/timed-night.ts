import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Timing {
    readonly name: string;
    readonly seconds: number;
}

export interface NightTiming {
    readonly seconds: number;
    readonly peakBytes: number;
    readonly parts: readonly Timing[];
    readonly digest: string;
    /** How many rows it looked at; null for all. */
    readonly lookedAt: string | null;
}

// What is installed: to strip the types of all modules takes a quarter of a second of every start.
const cli = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli.js');

/**
 * One night of October 2026 as a process of its own, with the parts that its log records tell.
 * @throws Error when it ends with anything but 0 or 1
 */
export function timedNight(folder: string, asOf: string): Promise<NightTiming> {
    const args = ['run', '--period', '2026-10', '--as-of', asOf, '--json'];
    const start = performance.now();
    const child = spawn(process.execPath, [cli, ...args], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const log: Buffer[] = [];
    let peakBytes = 0;
    const watch = setInterval(() => {
        peakBytes = Math.max(peakBytes, residentPeak(child.pid));
    }, 100);
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => log.push(chunk));
    return new Promise((done, fail) => {
        child.on('error', fail);
        child.on('close', (code) => {
            clearInterval(watch);
            const text = Buffer.concat(out).toString('utf8');
            if (code !== 0 && code !== 1) {
                fail(new Error(`tieout run ended with ${code}: ${text}`));
                return;
            }
            const { certificate } = JSON.parse(text);
            done({
                seconds: (performance.now() - start) / 1000,
                peakBytes,
                parts: partsOf(Buffer.concat(log).toString('utf8')),
                digest: certificate.run_digest,
                lookedAt: certificate.history.looked_at ?? null,
            });
        });
    });
}

/** The most memory the process ever held, as Linux counts it. */
function residentPeak(pid: number | undefined): number {
    try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        return Number.parseInt(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? '0', 10) * 1024;
    } catch {
        return 0;
    }
}

function partsOf(log: string): readonly Timing[] {
    const started = new Map<string, number>();
    const parts: Timing[] = [];
    for (const line of log.split('\n').filter((text) => text.startsWith('{'))) {
        const { part, msg, time } = JSON.parse(line);
        if (msg === 'begin') started.set(part, Date.parse(time));
        if (msg !== 'end') continue;
        const seconds = (Date.parse(time) - (started.get(part) ?? Date.parse(time))) / 1000;
        parts.push({ name: part, seconds });
    }
    return parts;
}
