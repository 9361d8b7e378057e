import { createHash } from 'node:crypto';
import {
    createReadStream,
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { debitRowsSql, type InputFiles, usageRowsSql } from '../compile/rows.ts';
import { type EventShape, eventShape } from '../compile/shape.ts';
import { quoteText, sha256 } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import type { Config, DebitInput, UsageInput } from '../schema/config.ts';
import type { ObjectEntry } from '../store/object-store.ts';

/*
 * The lake: what objects hold, row by row, as Parquet, kept over all runs. It grows by batches: the
 * objects of one input that one run was the first to read. A batch never changes once it has its
 * name, and its name says what is in it, so that two runs that land the same objects do not collide.
 */

export type Role = 'usage' | 'debits';
export type Input = UsageInput | DebitInput;

/** An object of a batch, pinned when it was read. */
export interface BatchObject {
    readonly key: string;
    readonly size: number;
    readonly etag: string;
    /** Of the bytes as stored. */
    readonly sha256: string;
    /** Physical lines; null for Parquet. */
    readonly line_count: number | null;
    /** Its own file in the batch; null where the rows of all objects are in one. */
    readonly file: string | null;
    /** Stand-ins of what was erased from its rows, in order; left out where nothing was. */
    readonly erased?: string;
}

/** Objects of one input and format that landed together. Rows number them from 1. */
export interface Batch {
    readonly id: string;
    readonly folder: string;
    /** What the rows were made by: input, types, code of the parser, engine. */
    readonly basis: string;
    readonly input: string;
    readonly role: Role;
    readonly format: InputFiles['format'];
    readonly objects: readonly BatchObject[];
    /** File name to sha256 of everything in the folder but its manifest. */
    readonly files: Readonly<Record<string, string>>;
    /** Batches that it holds the objects of: with it there, they are not read any more. */
    readonly replaces?: readonly string[];
    /** When it took their place. */
    readonly replaced_at?: string;
}

/** The rows of a batch that are not files of their own. */
export const rowsFile = 'rows.parquet';
/** Says of a folder what batch it is: the last of its files to come, the first to go. */
export const manifestFile = 'batch.json';
/** Changes when what a batch consists of does. */
const layout = 1;

/** Where an object is in the lake. */
export interface Landed {
    readonly batch: Batch;
    /** From 1. */
    readonly number: number;
}

/** Everything that decides which rows become of an object of an input. */
export function basisOf(
    { limits }: Pick<Config, 'limits'>,
    input: Input,
    role: Role,
    shape: EventShape,
    engineVersion: string,
): string {
    const { prefix: _prefix, dates: _dates, ...reading } = input;
    const texts = (['ndjson', 'csv', 'parquet'] as const).map((format) => {
        const files = { input: input.name, format, paths: [], numbers: [] };
        return role === 'usage'
            ? usageRowsSql(input as UsageInput, files, shape)
            : debitRowsSql(input as DebitInput, files, null);
    });
    return sha256(JSON.stringify([layout, engineVersion, limits.line_bytes, reading, texts]));
}

/** Inputs of a config by name, each with itself by its basis: what is read as a batch says. */
export function basesOf(
    config: Config,
    engineVersion: string,
): ReadonlyMap<string, ReadonlyMap<string, Input>> {
    const shape = eventShape(config);
    const of = (inputs: readonly Input[], role: Role) =>
        inputs.map((input) => {
            const basis = basisOf(config, input, role, shape, engineVersion);
            return [input.name, new Map([[basis, input]])] as const;
        });
    return new Map([...of(config.usage, 'usage'), ...of(config.debits, 'debits')]);
}

const pinOf = ({ key, size, etag }: Pick<ObjectEntry, 'key' | 'size' | 'etag'>): string =>
    JSON.stringify([key, size, etag]);

/**
 * The objects of one input in the lake, by key, size and ETag. Batches of another basis are others.
 * @param lake folder of the lake.
 */
export function landedObjects(
    lake: string,
    input: string,
    basis: string,
): (entry: Pick<ObjectEntry, 'key' | 'size' | 'etag'>) => Landed | null {
    const found = new Map<string, Landed>();
    for (const batch of liveBatches(storedBatches(lake, input))) {
        if (batch.basis !== basis) continue;
        for (const [index, object] of batch.objects.entries()) {
            found.set(pinOf(object), { batch, number: index + 1 });
        }
    }
    return (entry) => found.get(pinOf(entry)) ?? null;
}

/** Batches of one input that are in the lake, whatever their basis, by id. */
export function storedBatches(lake: string, input: string): readonly Batch[] {
    const folder = join(lake, input);
    return (existsSync(folder) ? readdirSync(folder).sort() : []).flatMap(
        (id) => readBatch(join(folder, id)) ?? [],
    );
}

/**
 * Those that no other one replaces. Whoever replaces them says so in its own manifest: it is there
 * whole, and they are not read any more, in the same instant.
 */
export function liveBatches(batches: readonly Batch[]): readonly Batch[] {
    const replaced = new Set(batches.flatMap(({ replaces = [] }) => replaces));
    return batches.filter(({ id }) => !replaced.has(id));
}

/** Beside the inputs: keys of rows, which can be made again. */
export const keysFolder = '.keys';
/** Beside the inputs: batches on their way into the lake. */
export const makingFolder = '.making';

/** Inputs with batches in the lake, in order. */
export function lakeInputs(lake: string): readonly string[] {
    const names = existsSync(lake) ? readdirSync(lake).sort() : [];
    return names.filter((name) => name !== keysFolder && name !== makingFolder);
}

/** Where the keys of the rows of a batch are kept. */
export const keysPath = (lake: string, { input, id }: Pick<Batch, 'input' | 'id'>): string =>
    join(lake, keysFolder, input, `${id}.parquet`);

/** Takes a batch out of the lake with what was made of it: first what makes it one. */
export function deleteBatch(lake: string, batch: Batch): void {
    rmSync(join(batch.folder, manifestFile), { force: true });
    rmSync(batch.folder, { recursive: true, force: true });
    rmSync(keysPath(lake, batch), { force: true });
}

/** A folder without a readable manifest is no batch. */
function readBatch(folder: string): Batch | null {
    try {
        return parseBatch(readFileSync(join(folder, manifestFile), 'utf8'), folder);
    } catch {
        return null;
    }
}

/** The batch that a manifest speaks of; null when it is none. */
export function parseBatch(text: string, folder: string): Batch | null {
    try {
        return { ...(JSON.parse(text) as Omit<Batch, 'folder'>), folder };
    } catch {
        return null;
    }
}

/** Whether a batch has the rows of an object, as the tables of a run pin it. */
export const isOfObject = (
    batch: Batch,
    {
        input,
        basis,
        key,
        sha256: hash,
    }: Pick<Batch, 'input' | 'basis'> & Pick<BatchObject, 'key' | 'sha256'>,
): boolean =>
    batch.input === input &&
    batch.basis === basis &&
    batch.objects.some((object) => object.key === key && object.sha256 === hash);

/** How many files are written to the disk for good at a time. */
const filesAtOnce = 8;

/**
 * Gives a folder that holds the files of a batch its place in the lake. If the same batch is there
 * already, that one stays.
 * @param from folder with the files, on the same disk.
 */
export async function keepBatch(
    lake: string,
    from: string,
    of: Omit<Batch, 'id' | 'folder' | 'files'>,
): Promise<Batch> {
    const files: Record<string, string> = {};
    const own = new Map(of.objects.map(({ file, sha256: hash }) => [file, hash]));
    const names = readdirSync(from).sort();
    const limit = pLimit(filesAtOnce);
    const flushes = names.map((name) => limit(() => flushed(join(from, name))));
    // Of a Parquet object the hash is known: it was taken on its way here.
    for (const name of names) files[name] = own.get(name) ?? (await hashOf(join(from, name)));
    await Promise.all(flushes);
    const pins = of.objects.map(({ file: _, ...pin }) => pin);
    const replaced = of.replaces ? [of.replaces] : [];
    // Two machines may write the same rows as other bytes: those are two batches.
    const named = [of.basis, of.input, of.format, pins, files, ...replaced];
    const id = sha256(JSON.stringify(named)).slice(0, 16);
    const manifest = { id, ...of, files };
    const path = join(from, manifestFile);
    writeFileSync(path, `${JSON.stringify(manifest)}\n`, { flush: true });
    const folder = join(lake, of.input, id);
    mkdirSync(dirname(folder), { recursive: true });
    const there = readBatch(folder);
    if (there) rmSync(from, { recursive: true });
    else {
        rmSync(folder, { recursive: true, force: true });
        renameSync(from, folder);
    }
    return { ...(there ?? manifest), folder };
}

async function flushed(path: string): Promise<void> {
    const file = await open(path, 'r+');
    try {
        await file.sync();
    } finally {
        await file.close();
    }
}

/** The sha256 of a file. */
export async function hashOf(path: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
        hash.update(chunk as Buffer);
    }
    return hash.digest('hex');
}

/**
 * Proves that a batch is what was landed: the engine reads a Parquet file with a changed byte
 * without a word.
 * @throws RunError LAKE_DAMAGED
 */
export async function verifyBatch(batch: Batch): Promise<void> {
    for (const [name, expected] of Object.entries(batch.files)) {
        const file = join(batch.folder, name);
        const actual = existsSync(file) ? await hashOf(file) : 'it is gone';
        if (actual !== expected) {
            throw new RunError('LAKE_DAMAGED', { file, folder: batch.folder, expected, actual });
        }
    }
}

/** Some objects of a batch with the numbers they have in a run, by their numbers in the batch. */
export type Numbers = ReadonlyMap<number, number>;

/** What a batch is read as. */
export interface BatchSource {
    readonly batch: Batch;
    readonly numbers: Numbers;
}

/** The files of a batch whose objects are files of their own, as the parser wants them. */
export function ownFiles({ batch, numbers }: BatchSource): InputFiles {
    const of = [...numbers].sort(([a], [b]) => a - b);
    return {
        input: batch.input,
        format: batch.format,
        paths: of.map(([number]) => join(batch.folder, batch.objects[number - 1]?.file ?? '')),
        numbers: of.map(([, no]) => no),
    };
}

/** Whether the rows of a batch lie in one file, by the numbers of the batch. */
export const isTogether = ({ objects }: Batch): boolean =>
    objects.every(({ file }) => file === null);

/** The select over rows of a batch that lie in one file, objects numbered as the run does. */
export function togetherSql({ batch, numbers }: BatchSource): string {
    const places = batch.objects.map((_, index) => numbers.get(index + 1) ?? null);
    const source = `read_parquet(${quoteText(join(batch.folder, rowsFile))})`;
    const [first] = places;
    const isInARow = places.every((no, index) => no !== null && no === (first ?? 0) + index);
    if (isInARow) {
        const offset = (first ?? 1) - 1;
        return `select * replace (object_no + ${offset} as object_no) from ${source}`;
    }
    const list = `cast([${places.map((no) => no ?? 'null').join(', ')}] as bigint[])`;
    const isHere = places.includes(null) ? ` where ${list}[object_no] is not null` : '';
    return `select * replace (${list}[object_no] as object_no) from ${source}${isHere}`;
}
