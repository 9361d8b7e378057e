import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../duck/engine.ts';
import { canonicalJson, type JsonValue } from '../export/json.ts';
import { type Found, rollForward } from '../items/roll-forward.ts';
import { standingOf } from '../items/standing.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Item, Standing } from '../schema/item.ts';
import { type CommitLog, decisionsIn, releasesIn, spokenFor } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import { monthAfter } from '../time/period.ts';
import { requireSpoken, wholeOutput } from './books.ts';
import { trimmed } from './decimals.ts';
import type { RunFolder } from './folders.ts';
import { fetchOutput } from './published.ts';

/** Output of a run: its breaks as they are followed. When each was first seen no other output says. */
export const itemsFile = 'items.json';

/** What was followed before a run. */
export type Followed = Pick<Found, 'before' | 'carried'>;

/** The items of a run; none of one that kept none. */
export function readItems(run: RunFolder | null): readonly Item[] {
    const file = run && join(run.output, itemsFile);
    return file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

/** The text of `items.json`: an array, one item an entry, ordered. */
export function itemsText(found: Found): string {
    return `${canonicalJson(rollForward(found) as unknown as JsonValue)}\n`;
}

/** What a match may differ by, by asset: the amount alone, no share of it. */
export async function readTolerances(engine: Engine): Promise<Found['tolerances']> {
    const rows = await engine.rows(
        'select asset, tolerance from recon.wallet_assets order by asset',
    );
    return new Map(rows.map((row) => [String(row.asset), trimmed(row.tolerance)]));
}

/** The run that speaks for the month before, whose open items are carried on; null for none. */
export async function runOfMonthBefore(
    state: State,
    log: CommitLog,
    period: string,
): Promise<RunFolder | null> {
    const commit = spokenFor(log, monthAfter(period, -1));
    return commit && fetchOutput(state, commit);
}

/** How things stand in a period, and the run that says so. */
export interface StandingRun {
    readonly run: RunFolder;
    readonly certificate: Certificate;
    readonly standing: Standing;
}

/**
 * What the run that speaks for a period found, with what people decided about it.
 * @throws RunError RUN_NOT_FOUND, OUTPUT_CHANGED, STATE_DAMAGED, STORE_*
 */
export async function readStanding(
    state: State,
    log: CommitLog,
    period: string,
): Promise<StandingRun> {
    const commit = requireSpoken(state, log, period);
    const run = await fetchOutput(state, commit);
    const certificate = wholeOutput(run, commit);
    const { run_id, as_of, payers } = certificate;
    const decided = { decisions: decisionsIn(log), releases: releasesIn(log) };
    const stated = { period, run_id, as_of, items: readItems(run), payers, ...decided };
    return { run, certificate, standing: standingOf(stated) };
}

/** Whether anything waits for a person: lines of a payer, or a break that is nobody's. */
export function isWaiting({ period, payers, items }: Standing): boolean {
    const isStray = (of: Standing['items'][number]) =>
        of.period === period && of.payer_id === null && of.status === 'open';
    return payers.some(({ standing }) => standing === 'held') || items.some(isStray);
}

/** A certificate for those who are told of a run: lines that a person let go are not held. */
export function asDecided(certificate: Certificate, { payers }: Standing): Certificate {
    const held = new Set(
        payers.filter(({ standing }) => standing === 'held').map(({ payer_id }) => payer_id),
    );
    const decided = certificate.payers.map((payer) =>
        payer.recon_status === 'held' && !held.has(payer.payer_id)
            ? { ...payer, recon_status: 'clear' as const }
            : payer,
    );
    return { ...certificate, payers: decided };
}
