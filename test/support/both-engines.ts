import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Effects } from '../../src/effects.ts';
import { silent } from '../../src/effects.ts';
import { type RunResult, runPipeline } from '../../src/run/pipeline.ts';
import type { RunOptions } from '../../src/run/prepare.ts';
import { openProject } from '../../src/run/project.ts';
import { openStore } from '../../src/store/open.ts';
import { collection, type InProcess, openChdb } from './chdb.ts';
import { defaults } from './project.ts';
import type { S3Server } from './s3-server.ts';

/** The same night on both engines: the files of each run, and what ClickHouse was sent. */
export interface BothNights {
    readonly here: RunResult;
    readonly there: RunResult;
    readonly statements: readonly string[];
    readonly remove: () => void;
}

export type Objects = Readonly<Record<string, string | Uint8Array>>;

let buckets = 0;

/** Runs a project over objects of a bucket, with DuckDB alone and with ClickHouse in process. */
export async function bothNights(
    s3: S3Server,
    files: Readonly<Record<string, string>>,
    objects: Objects,
    options: Partial<RunOptions> = {},
): Promise<BothNights> {
    const bucket = `both-engines-${process.pid}-${buckets++}`;
    for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value);
    await s3.makeBucket(bucket);
    for (const [key, body] of Object.entries(objects)) await s3.put(bucket, key, body);
    const store = { bucket, endpoint: s3.endpoint, region: 'us-east-1', path_style: true };
    const root = mkdtempSync(join(tmpdir(), 'tieout-both-'));
    const sessions: InProcess[] = [];
    const effects: Effects = {
        openStore: async (of, folder) => openStore(of.store, folder),
        openClickHouse: async () => {
            const session = await openChdb(s3.env);
            sessions.push(session);
            return session;
        },
        now: () => '2026-11-05T09:00:00Z',
        progress: silent,
    };
    const night = async (name: string, engine: object) => {
        const folder = mkdtempSync(join(root, name));
        for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
        const config = parse(files['tieout.yaml'] ?? '');
        const changed = { ...config, store, engine: { ...config.engine, ...engine } };
        writeFileSync(join(folder, 'tieout.yaml'), stringify(changed));
        const project = openProject(join(folder, 'tieout.yaml'));
        return runPipeline(project, effects, { ...defaults, ...options });
    };
    const here = await night('here', {});
    const there = await night('there', { clickhouse: { url: 'http://localhost', collection } });
    const [{ statements } = { statements: [] }] = sessions;
    const remove = () => {
        vi.unstubAllEnvs();
        rmSync(root, { recursive: true, force: true });
    };
    return { here, there, statements, remove };
}

/** What says how a run was made, not what it found. */
const ofTheRun = new Set(['certificate.json', 'items.json', 'report.html']);

/** Every file of both runs is the same to the byte, and so is what their certificates say was found. */
export function expectSame({ here, there }: Pick<BothNights, 'here' | 'there'>): void {
    const names = readdirSync(here.run.output).sort();
    expect(readdirSync(there.run.output).sort()).toEqual(names);
    for (const name of names.filter((of) => !ofTheRun.has(of))) {
        const [one, other] = [here, there].map(({ run }) => readFileSync(join(run.output, name)));
        if (name.endsWith('.parquet')) expect([name, one?.equals(other!)]).toEqual([name, true]);
        else expect([name, String(other)]).toEqual([name, String(one)]);
    }
    expect(found(there)).toEqual(found(here));
}

function found({ certificate }: RunResult) {
    const { run_digest, inputs, suspense, tie_outs, breaks, causes, payers } = certificate;
    const { completeness, wallet_movements, stages, result } = certificate;
    // How many rows the stages looked at is how it was found.
    const totals = certificate.totals.filter(({ slice }) => slice !== 'looked at');
    return {
        ...{ run_digest, inputs, suspense, tie_outs, breaks, causes, payers },
        ...{ completeness, wallet_movements, stages, result, totals },
    };
}

/** How many rows came back, of how many, as the certificate says. */
export function returnedOf({ certificate }: RunResult): readonly [number, number] {
    const { counted_there = '', looked_at = '' } = certificate.history;
    const [certain = 0, returned = 0] = [counted_there, looked_at].map((text) =>
        Number.parseInt(text, 10),
    );
    return [returned, certain + returned];
}
