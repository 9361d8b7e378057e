import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { chance } from '../../scripts/support/kill.ts';
import { failure } from '../../src/commands/failure.ts';
import { runPipeline } from '../../src/run/pipeline.ts';
import { openProject } from '../../src/run/project.ts';
import type { Certificate } from '../../src/schema/certificate.ts';
import { s3Store } from '../../src/store/s3.ts';
import { takesAll } from '../support/how-many.ts';
import { memoryStore } from '../support/memory-store.ts';
import { besideTiny } from '../support/night.ts';
import { defaults, type TestProject, testProject } from '../support/project.ts';
import { type S3Proxy, startProxy, type WireFault } from '../support/s3-proxy.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { tinyFiles } from '../support/terminal.ts';

/*
 * Whole nights whose bucket is behind a wire on which a third of all requests go wrong, as the seed
 * has it: each gives the bytes of a sound night, or asks to be tried again (exit 75); then, on a wire
 * that works, it does.
 */
const bucket = `tieout-night-wire-${process.pid}`;
const seeds = Number(process.env.TIEOUT_WIRE_SEEDS ?? (takesAll ? 6 : 2));
const first = Number(process.env.TIEOUT_WIRE_SEED ?? 1);
const known: readonly number[] = JSON.parse(
    readFileSync(join(import.meta.dirname, 'regressions.json'), 'utf8'),
).wire;
const faults: readonly WireFault[] = [
    ...(['unavailable', 'lost', 'cut', 'reset', 'short', 'shrunk', 'stall', 'slow'] as const),
];

let server: S3Server;
let proxy: S3Proxy;
let sound: Certificate;
const made: TestProject[] = [];

beforeAll(async () => {
    server = await startS3();
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
    await server.makeBucket(bucket);
    for (const [name, text] of Object.entries(tinyFiles())) {
        if (name.startsWith('data/')) await server.put(bucket, name.slice('data/'.length), text);
    }
    proxy = await startProxy(server.endpoint, server.isReal);
    sound = await night(project());
});
afterAll(async () => {
    vi.unstubAllEnvs();
    for (const one of made) one.remove();
    await proxy?.stop();
    await server?.stop();
});

function project(): TestProject {
    const one = testProject(besideTiny(), memoryStore({}));
    made.push(one);
    return one;
}

async function night({ folder, effects }: TestProject): Promise<Certificate> {
    const options = { bucket, endpoint: proxy.endpoint, path_style: true };
    const openStore = async () => s3Store(options, { attempts: 2, silenceMillis: 300 });
    const opened = openProject(join(folder, 'tieout.yaml'));
    return (await runPipeline(opened, { ...effects, openStore }, defaults)).certificate;
}

/** A third of the requests: which, and how, is the seed's. */
function disturb(seed: number): void {
    proxy.rule(({ number }) => {
        if (chance(seed * 1_009 + number) > 1 / 3) return null;
        return faults[Math.floor(chance(seed * 9_176 + number) * faults.length)] ?? null;
    });
}

const all = [...known, ...Array.from({ length: seeds }, (_, at) => first + at)];

test.each(all)('seed %i', async (seed) => {
    const one = project();
    disturb(seed);
    const before = proxy.struck.length;
    const disturbed = await night(one).catch((error) => error);
    const struck = proxy.struck.slice(before).join(', ');
    if (disturbed instanceof Error) expect(failure(disturbed), struck).toMatchObject({ exit: 75 });
    else expect(disturbed, struck).toEqual(sound);
    proxy.rule(() => null);
    expect(await night(one)).toEqual(sound);
});
