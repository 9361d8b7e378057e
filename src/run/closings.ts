import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { sha256 } from '../duck/sql.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { CommitLog } from '../state/commit-log.ts';
import { standing } from '../state/corrections.ts';
import type { State } from '../state/state.ts';
import { readBackfill } from './backfills.ts';
import { latestNightly } from './books.ts';
import { type RunFolder, readCertificate } from './folders.ts';

/** What a nightly run leaves for the period after it: its closings are openings. */
export const closingsFile = 'closings.csv';

/** What a period closes with, and the nightly run that speaks for it. */
export interface Closed {
    readonly run: RunFolder;
    readonly certificate: Certificate;
    /** Null of a run that wrote none. */
    readonly closings: {
        readonly file: string;
        readonly text: string;
        readonly sha256: string;
    } | null;
}

/**
 * What a period closes with: as its latest nightly run says, while its certificate vouches for the
 * bytes, or as the last backfill that corrected it does. Null without a whole run.
 * @throws RunError BACKFILL_DAMAGED
 */
export async function closedWith(
    state: State,
    log: CommitLog,
    period: string,
): Promise<Closed | null> {
    const run = await latestNightly(state, log, period);
    const certificate = run && readCertificate(run);
    if (!certificate) return null;
    for (const correction of standing(log, period).toReversed()) {
        const { periods } = await readBackfill(state, correction);
        const text = periods.find((of) => of.period === period)?.closings ?? null;
        if (text === null) continue;
        const file = join(state.folder, 'backfills', correction.backfill_id, 'diff.json');
        return { run, certificate, closings: { file, text, sha256: sha256(text) } };
    }
    if (certificate.outputs[closingsFile] === undefined) {
        return { run, certificate, closings: null };
    }
    const file = join(run.output, closingsFile);
    const text = readFileSync(file, 'utf8');
    return { run, certificate, closings: { file, text, sha256: sha256(text) } };
}

/** A row as it is written, with its line break. */
interface Written {
    readonly contract: string;
    readonly raw: string;
}

function rowsOf(text: string): { readonly header: string; readonly rows: readonly Written[] } {
    const records = parse(text, { raw: true }) as unknown as readonly {
        readonly raw: string;
        readonly record: readonly string[];
    }[];
    const [header, ...rows] = records.map(({ raw, record }) => ({
        contract: record[0] ?? '',
        raw,
    }));
    return { header: header?.raw ?? '', rows };
}

/** Contracts of which two closings of a period do not say the same, sorted. */
export function contractsThatDiffer(old: string, now: string): readonly string[] {
    const [one, other] = [rowsOf(old).rows, rowsOf(now).rows];
    const only = (some: readonly Written[], others: readonly Written[]) => {
        const said = new Set(others.map(({ raw }) => raw));
        return some.filter(({ raw }) => !said.has(raw)).map(({ contract }) => contract);
    };
    return [...new Set([...only(one, other), ...only(other, one)])].sort();
}

/** The new closings, with the old ones of contracts that are not corrected. */
export function restatedClosings(old: string, now: string, kept: ReadonlySet<string>): string {
    const { header, rows } = rowsOf(now);
    return [
        header,
        ...rows.filter(({ contract }) => !kept.has(contract)).map(({ raw }) => raw),
        ...rowsOf(old)
            .rows.filter(({ contract }) => kept.has(contract))
            .map(({ raw }) => raw),
    ].join('');
}
