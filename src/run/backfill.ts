import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RowOf } from '../duck/table.ts';
import type { Effects } from '../effects.ts';
import { moneyText } from '../export/invoices.ts';
import { currencyExponent } from '../money/currency.ts';
import {
    type BackfillLine,
    type BackfillPeriod,
    correctable,
    type Provenance,
} from '../schema/backfill.ts';
import type { Certificate } from '../schema/certificate.ts';
import { type CommitLog, closedBy, spokenFor } from '../state/commit-log.ts';
import { type Correction, correctionsOf, openAfter } from '../state/corrections.ts';
import type { State } from '../state/state.ts';
import { monthAfter } from '../time/period.ts';
import { readBackfill } from './backfills.ts';
import { readStateLog, wholeOutput } from './books.ts';
import { causeFinder } from './causes.ts';
import { closedWith, closingsFile, contractsThatDiffer, restatedClosings } from './closings.ts';
import { changedIn, evidenceOf } from './evidence.ts';
import type { RunFolder } from './folders.ts';
import { type Told, untoldDebits } from './late-debits.ts';
import {
    type corrected,
    type Differences,
    differences,
    type LineDifference,
    type ProductTotal,
} from './line-differences.ts';
import { openRun, type RunResult, withStore } from './pipeline.ts';
import type { RunOptions } from './prepare.ts';
import { type Project, previous } from './project.ts';
import { fetchOutput } from './published.ts';
import { payersUnder, refusalsOf } from './refusals.ts';

/** Makes the run that a period is compared with: from raw, or in any quicker way that gives the same. */
export type CandidateMaker = (
    project: Project,
    effects: Effects,
    options: RunOptions,
) => Promise<RunResult>;

/** What a comparison found, by which runs. */
export interface Found {
    readonly period: BackfillPeriod;
    readonly made: Provenance;
    readonly candidate: RunResult;
}

/** The run that bills a period, with its certificate. */
interface Billed {
    readonly run: RunFolder;
    readonly certificate: Certificate;
}

/**
 * Compares what was billed of a period (the run that speaks for it, with the corrections since) with
 * what would be by a candidate: each line that differs, why, and whether a correction may bill it.
 * @throws RunError OUTPUT_CHANGED, BACKFILL_DAMAGED, and as a run
 */
export async function comparePeriod(
    project: Project,
    state: State,
    effects: Effects,
    log: CommitLog,
    options: RunOptions,
    make: CandidateMaker,
): Promise<Found> {
    const { period } = options;
    const candidate = await make(project, effects, options);
    // From partials it is as of the instant of their run.
    const { as_of } = candidate.certificate;
    const billed = await billedBy(state, log, period);
    const since = correctionsOf(log, period);
    const told = await toldBy(state, since);
    const found = await differences(
        billed?.run ?? null,
        candidate.run,
        correctedBy(told),
        project.config.engine,
    );
    const isClosed = closedBy(log, period) !== null;
    const bills_in = isClosed ? openAfter(log, period, (of) => monthAfter(of, 1)) : null;
    const payers = payersOf(found.products);
    const { refused, closings } =
        bills_in === null || billed === null
            ? { refused: [], closings: null }
            : await billable(project, state, effects, log, {
                  ...{ options: { ...options, as_of }, bills_in, payers },
                  ...{ billed: billed.certificate, candidate },
              });
    const evidence = evidenceOf(billed?.certificate ?? null, candidate.certificate);
    const late = untoldDebits(found.lateDebits, told);
    return {
        candidate,
        made: {
            billed: billed && namedOf(billed.certificate),
            ...{ candidate: namedOf(candidate.certificate), as_of, evidence },
            has_other_sales:
                billed !== null && salesOf(billed.certificate) !== salesOf(candidate.certificate),
        },
        period: {
            ...{ period, is_closed: isClosed, bills_in },
            corrections: since.map(({ kind, backfill_id, bills_in: where }) => ({
                ...{ kind, backfill_id, bills_in: where },
            })),
            refused: [...refused],
            closings,
            payers,
            products: found.products.map(({ payer_id, product, ...of }) => ({
                ...{ payer_id, product, ...movedOf(of) },
            })),
            lines: linesOf(
                found,
                billed?.certificate ?? null,
                candidate,
                changedIn(evidence, project),
            ),
            ...(late.length ? { late_debits: [...late] } : {}),
        },
    };
}

const salesOf = ({ outputs }: Certificate) => outputs['sale_lines.csv'];
const namedOf = ({ run_id, run_digest }: Certificate) => ({ run_id, run_digest });

/** The nightly run that speaks for a period, whole as the log left it; null without one. */
async function billedBy(state: State, log: CommitLog, period: string): Promise<Billed | null> {
    const commit = spokenFor(log, period, 'nightly');
    if (!commit) return null;
    const run = await fetchOutput(state, commit);
    return { run, certificate: wholeOutput(run, commit) };
}

/** A closed period that is compared, and the open one that would bill the differences. */
interface Billing {
    readonly options: RunOptions;
    readonly bills_in: string;
    readonly payers: BackfillPeriod['payers'];
    readonly billed: Certificate;
    readonly candidate: RunResult;
}

/**
 * Whose differences the open period can bill, and what it then opens with. That it can open with
 * something else it has to be the very next one, and told by the run before it.
 */
async function billable(
    project: Project,
    state: State,
    effects: Effects,
    log: CommitLog,
    { options, bills_in, payers, billed, candidate }: Billing,
): Promise<Pick<BackfillPeriod, 'refused' | 'closings'>> {
    const { period } = options;
    const old = (await closedWith(state, log, period))?.closings?.text ?? null;
    const now = readFileSync(join(candidate.run.output, closingsFile), 'utf8');
    const changed = old === null ? [] : contractsThatDiffer(old, now);
    if (payers.length === 0 && changed.length === 0) return { refused: [], closings: null };
    const isNext = monthAfter(period, 1) === bills_in && project.config.openings === previous;
    const { paths } = await payersIn(project, effects, options);
    const refused = refusalsOf(
        {
            ...{ project, billed, candidate: candidate.certificate, payers },
            contracts: isNext ? [] : changed,
            billing: await payersIn(project, effects, { ...options, period: bills_in }),
        },
        paths,
    );
    if (old === null || !isNext) return { refused: [...refused], closings: null };
    const isRefused = new Set(refused.map(({ payer_id }) => payer_id));
    // Sales are not corrected, so what their contracts counted stays as it was.
    const isSale = (of: string) =>
        project.contracts.contracts.some(({ contract, seller }) => contract === of && seller);
    const kept = changed.filter((contract) => {
        // What is left under a contract that is gone must not vanish with it: the next run stops.
        const payers = payersUnder(contract, project, paths);
        return isSale(contract) || payers === null || payers.some((of) => isRefused.has(of));
    });
    const text = restatedClosings(old, now, new Set(kept));
    const isSame = contractsThatDiffer(old, text).length === 0;
    return { refused: [...refused], closings: isSame ? null : text };
}

/** What the backfills that count say of the period that they correct. */
async function toldBy(state: State, corrections: readonly Correction[]): Promise<readonly Told[]> {
    const told: Told[] = [];
    for (const correction of corrections) {
        const { periods } = await readBackfill(state, correction);
        const period = periods.find((of) => of.period === correction.period);
        if (period) told.push({ sign: correction.kind === 'revert' ? -1 : 1, period });
    }
    return told;
}

/** What corrections changed so far, added up by line. */
function correctedBy(told: readonly Told[]): readonly RowOf<typeof corrected>[] {
    const sums = new Map<string, RowOf<typeof corrected>>();
    for (const { sign, period } of told) {
        for (const line of correctable(period)) {
            const before = sums.get(line.line_key)?.amount_minor ?? 0n;
            const { line_key, line_type, payer_id, account_id, product, description } = line;
            const { service_start, service_end, currency } = line;
            sums.set(line_key, {
                ...{ line_key, line_type, payer_id, account_id, product, description },
                ...{ service_start, service_end, currency },
                amount_minor: before + BigInt(sign) * BigInt(line.delta_minor),
            });
        }
    }
    return [...sums.values()];
}

/** Who pays in a period, and in what. */
export async function payersIn(project: Project, effects: Effects, options: RunOptions) {
    const { tree } = await withStore(project, effects, async (store, state) =>
        openRun(project, store, { state, log: await readStateLog(state) }, options),
    );
    return { period: options.period, paths: tree.paths };
}

interface Minor {
    readonly currency: string;
    readonly old_minor: bigint;
    readonly new_minor: bigint;
}

/** Rounded amounts, and their difference: what was billed with it is what would be, to the cent. */
function movedOf({ currency, old_minor, new_minor }: Minor) {
    const scale = currencyExponent(currency) ?? 0;
    const text = (units: bigint) => moneyText({ units, scale }, currency);
    return {
        currency,
        ...{ old: text(old_minor), new: text(new_minor), delta: text(new_minor - old_minor) },
    };
}

function payersOf(products: readonly ProductTotal[]): BackfillPeriod['payers'] {
    const byPayer = Map.groupBy(products, (of) => JSON.stringify([of.payer_id, of.currency]));
    return [...byPayer.values()].flatMap((own) => {
        const [first] = own;
        if (!first) return [];
        const { payer_id, payer_name, currency } = first;
        const sum = (side: 'old_minor' | 'new_minor') =>
            own.reduce((total, of) => total + of[side], 0n);
        const minor = { currency, old_minor: sum('old_minor'), new_minor: sum('new_minor') };
        const delta_minor = String(minor.new_minor - minor.old_minor);
        return [{ payer_id, payer_name, ...movedOf(minor), delta_minor }];
    });
}

function linesOf(
    { lines, cells }: Differences,
    billed: Certificate | null,
    { certificate }: RunResult,
    changed: ReturnType<typeof changedIn>,
): BackfillLine[] {
    const unrated = new Set(
        [...(billed?.payers ?? []), ...certificate.payers]
            .filter(({ unrated_count }) => unrated_count > 0)
            .map(({ payer_id }) => payer_id),
    );
    const causeOf = causeFinder({ changed, cells, unrated });
    return lines.map((line) => ({
        ...factsOf(line),
        ...movedOf(line),
        delta_minor: String(line.new_minor - line.old_minor),
        cause: causeOf(line),
    }));
}

function factsOf(line: LineDifference) {
    const { line_key, line_type, payer_id, account_id, product, description } = line;
    const { service_start, service_end } = line;
    return {
        ...{ line_key, line_type, payer_id, account_id, product, description },
        ...{ service_start, service_end },
    };
}
