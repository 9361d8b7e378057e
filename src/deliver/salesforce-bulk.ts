import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from 'jsforce';
import { z } from 'zod';
import { salesforceKey } from '../export/salesforce.ts';
import { fitsUpload } from '../export/salesforce-records.ts';
import { exactText } from './http.ts';
import { type Org, unsure } from './salesforce-connection.ts';
import { type Counted, type Parcel, type Receipt, type Target, TargetError } from './target.ts';

/** Which fields of an object a batch is known and counted by. */
export interface BulkRoute {
    readonly org: Org;
    readonly object: string;
    readonly batch_field: string;
    readonly amount_field: string;
    readonly code_field: string;
    /** What we call what stands in `code_field`. */
    readonly codeOf: (code: string) => string;
    /** Milliseconds that a job may take, and between looks at it. */
    readonly wait: number;
    readonly look: number;
}

const upload = z.object({ object: z.string(), key_field: z.string(), csv: z.string() });
const grouped = z.object({ code: z.string(), found: z.int(), total: z.number().nullable() });
const failure = z.object({ sf__Error: z.string() });
const unfinished = new Set(['UploadComplete', 'InProgress']);

/** A number that Salesforce wrote, as decimal text. @throws TargetError for one that may have lost digits */
export function numberText(value: number | null): string {
    const text = exactText(value ?? 0);
    if (text !== null) return text;
    throw new TargetError('unknown', `it has a sum of ${value}, which can't be read exactly`);
}

/**
 * Batches of records by the Bulk API 2.0: upserted by a key of ours, so that a record that is there is
 * written again and never twice. A batch of which some records fail is taken away again.
 */
export function bulkRoute(route: BulkRoute): Pick<Target, 'find' | 'send' | 'readBack' | 'file'> {
    /** Jobs of this process: any other at work may yet write what we look for. */
    const own = new Set<string>();
    const counted = (parcel: Parcel) => countOf(route, parcel);
    const find = async (parcel: Parcel): Promise<Receipt | null> => {
        await requireQuiet(route, own);
        const rows = await counted(parcel);
        return rows.length === 0 ? null : { remote_id: salesforceKey(parcel.parcel_key) };
    };
    return {
        find,
        file: ({ payload }) => ({ ending: 'csv', text: upload.parse(payload).csv }),
        send: async (parcel, found) => {
            const remote_id = salesforceKey(parcel.parcel_key);
            if (found && isWhole(parcel, await counted(parcel))) return found;
            const { object, key_field, csv } = upload.parse(parcel.payload);
            if (!fitsUpload(csv)) {
                throw new TargetError('refused', 'it is more than 100 MB: make batches smaller');
            }
            const job = { object, operation: 'upsert' as const, externalIdFieldName: key_field };
            const failed = await runJob(route, own, job, csv);
            if (failed.length === 0) return { remote_id };
            await takeAway(route, own, parcel);
            const isPassing = failed.every((text) => /UNABLE_TO_LOCK_ROW|ROW_LOCK/.test(text));
            throw new TargetError(isPassing ? 'busy' : 'refused', failuresText(failed));
        },
        readBack: async (parcel): Promise<Counted> => {
            const rows = await counted(parcel);
            const [row, other] = rows;
            if (!row) throw new TargetError('refused', 'it has nothing of it');
            if (other)
                throw new TargetError('refused', `it has ${row.code} and ${other.code} in it`);
            const { code, found, total } = row;
            return { line_count: found, amount: numberText(total), currency: route.codeOf(code) };
        },
    };
}

const isWhole = ({ line_count }: Parcel, rows: readonly { readonly found: number }[]) =>
    rows.length === 1 && rows[0]?.found === line_count;

const failuresText = (failed: readonly string[]) =>
    `${failed.length} records failed, and nothing of the batch is kept: ${failed.slice(0, 5).join('; ')}`;

async function countOf(
    { org, object, batch_field, amount_field, code_field }: BulkRoute,
    { parcel_key }: Parcel,
): Promise<readonly z.output<typeof grouped>[]> {
    const rows = await org.query<unknown>(
        `SELECT ${code_field} code, COUNT(Id) found, SUM(${amount_field}) total FROM ${object} ` +
            `WHERE ${batch_field} = '${salesforceKey(parcel_key)}' GROUP BY ${code_field}`,
    );
    const read = z.array(grouped).safeParse(rows).data;
    if (read) return read;
    throw new TargetError('unknown', 'it answered a query with something else');
}

/** A job that a start before this one left at work may still write. @throws TargetError `busy` */
async function requireQuiet({ org, object }: BulkRoute, own: ReadonlySet<string>): Promise<void> {
    const jobs = z.object({
        records: z.array(z.object({ id: z.string(), object: z.string(), state: z.string() })),
        nextRecordsUrl: z.string().nullish(),
    });
    let url: string | null = '/jobs/ingest?jobType=V2Ingest';
    while (url) {
        const asked: string = url;
        const answer = await org
            .ask((of: Connection) => of.request<unknown>(asked))
            .catch((error: unknown) => {
                throw unsure(error);
            });
        const page = jobs.safeParse(answer).data;
        if (!page) throw new TargetError('unknown', 'it answered something else than its jobs');
        const { records, nextRecordsUrl } = page;
        const busy = records.find(
            (of) => of.object === object && unfinished.has(of.state) && !own.has(of.id),
        );
        if (busy) throw new TargetError('busy', `job ${busy.id} of ${object} is still at work`);
        url = nextRecordsUrl ?? null;
    }
}

type Job = Parameters<Connection['bulk2']['createJob']>[0];

/**
 * Runs a job to its end, and says why records of it failed. Until its upload is closed a no means that
 * nothing is there; after that nobody knows before it has ended.
 */
async function runJob(
    { org, wait, look }: BulkRoute,
    own: Set<string>,
    options: Job,
    csv: string,
): Promise<readonly string[]> {
    const job = await org.ask(async (of) => {
        const opened = of.bulk2.createJob(options);
        await opened.open();
        return opened;
    });
    const { id } = job;
    own.add(id);
    try {
        await org.ask(() => job.uploadData(csv));
        await org.ask(() => job.close()).catch(noAnswer);
        for (let waited = 0; ; waited += look) {
            const { state, errorMessage } = await org.ask(() => job.check()).catch(noAnswer);
            if (state === 'Failed' || state === 'Aborted') return [errorMessage ?? state];
            if (state === 'JobComplete') break;
            if (waited >= wait) throw new TargetError('unknown', `job ${id} is still at work`);
            await pause(look);
        }
        const failed = await org.ask(() => job.getFailedResults()).catch(noAnswer);
        return z
            .array(failure)
            .parse(failed)
            .map(({ sf__Error }) => sf__Error);
    } finally {
        own.delete(id);
    }
}

const noAnswer = (error: unknown): never => {
    throw unsure(error);
};

/** @throws TargetError `unknown` when something of the batch is still there */
async function takeAway(route: BulkRoute, own: Set<string>, parcel: Parcel): Promise<void> {
    const { org, object, batch_field } = route;
    const key = salesforceKey(parcel.parcel_key);
    const rows = await org.query<{ Id: string }>(
        `SELECT Id FROM ${object} WHERE ${batch_field} = '${key}'`,
    );
    if (rows.length > 0) {
        const csv = `Id\n${rows.map(({ Id }) => Id).join('\n')}\n`;
        await runJob(route, own, { object, operation: 'delete' }, csv).catch(noAnswer);
    }
    if ((await countOf(route, parcel)).length === 0) return;
    throw new TargetError('unknown', 'records failed, and what is there could not be taken away');
}
