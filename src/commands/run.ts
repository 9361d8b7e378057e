import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Conversions } from '../compile/conversions.ts';
import { RunError } from '../errors/index.ts';
import { isWaiting } from '../items/standing.ts';
import { amountWithCode, counted, figure } from '../report/figures.ts';
import { sumsBy } from '../report/headline.ts';
import { visible } from '../report/visible.ts';
import { readStateLog } from '../run/books.ts';
import { runFolder } from '../run/folders.ts';
import { asDecided, readStanding } from '../run/items.ts';
import { type Plan, planRun, type RunResult, runPipeline } from '../run/pipeline.ts';
import type { RunOptions } from '../run/prepare.ts';
import { describeStages } from '../run/stages.ts';
import type { TieOut } from '../schema/break.ts';
import type { Certificate, History } from '../schema/certificate.ts';
import type { PayerStanding, Standing } from '../schema/item.ts';
import { spokenFor } from '../state/commit-log.ts';
import { formatInstant, parseInstant } from '../time/instant.ts';
import { daysOf, isPeriod } from '../time/period.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';

export interface RunFlags {
    readonly period: string;
    readonly asOf?: string;
    /** Objects that were counted and can no longer be read count no more. */
    readonly acceptGone?: boolean;
    /** Leave out objects that the store got after --as-of. */
    readonly arrived?: boolean;
}

/** @throws RunError PERIOD_INVALID */
export function requirePeriod(period: string): string {
    if (!isPeriod(period)) {
        throw new RunError('PERIOD_INVALID', { period, detail: 'it is not a month' });
    }
    return period;
}

/**
 * The parameters of a run. Without --as-of it is the start of the current UTC day, so that a second
 * start on the same day is the same run.
 */
export function optionsOf(
    pipeline: RunOptions['pipeline'],
    { period, asOf, acceptGone, arrived }: RunFlags,
    now: string,
): RunOptions {
    requirePeriod(period);
    const as_of = asOf === undefined ? `${now.slice(0, 10)}T00:00:00Z` : requireInstant(asOf);
    // Data of a period may be a day older than it: zones, and debits booked early.
    if (daysOf(period, new Date(as_of)).length === 0) {
        throw new RunError('PERIOD_INVALID', {
            period,
            detail: `it has not begun as of ${as_of}`,
        });
    }
    if (arrived && asOf === undefined) {
        throw new RunError('USAGE', {
            detail: '--arrived needs --as-of: it leaves out objects that the store got after that',
        });
    }
    return {
        ...{ pipeline, period, as_of },
        ...(acceptGone ? { accept_gone: true as const } : {}),
        ...(arrived ? { arrived_by: as_of } : {}),
    };
}

function requireInstant(asOf: string): string {
    try {
        return formatInstant(parseInstant(asOf));
    } catch {
        throw new RunError('USAGE', {
            detail: `--as-of ${asOf} is not an instant with a zone`,
            remedy: 'Write it like 2026-11-03T02:00:00Z.',
        });
    }
}

/** `tieout run` and `tieout reconcile`. Exit 1 when anything is held. */
export async function run(
    pipeline: RunOptions['pipeline'],
    flags: RunFlags,
    context: CommandContext,
): Promise<Answer> {
    const project = projectOf(context);
    const options = optionsOf(pipeline, flags, context.effects.now());
    const result = await runPipeline(project, context.effects, options);
    const { run_id, run_digest } = result.certificate;
    const { standing } = await inState(project, context, async (state) =>
        readStanding(state, await readStateLog(state), options.period),
    );
    return {
        exit: isWaiting(standing) ? 1 : 0,
        run: {
            ...{ run_id, run_digest, is_reused: result.isReused },
            certificate: asDecided(result.certificate, standing),
        },
        text: summary(result, standing, context.cwd),
        json: {
            run_id: result.run.runId,
            folder: result.run.output,
            is_reused: result.isReused,
            payers: standing.payers,
            certificate: result.certificate,
        },
    };
}

function summary(
    { run, certificate, isReused }: RunResult,
    { period, payers: standings, items }: Standing,
    cwd: string,
): string {
    const at = (name: string) => join(relative(cwd, run.output) || '.', name);
    const { payers, tie_outs, inputs, suspense } = certificate;
    const own = items.filter((of) => of.period === period && of.status !== 'cleared');
    const resolvedCount = own.filter(({ status }) => status !== 'open').length;
    const carried = items.filter((of) => of.period !== period && of.status === 'open');
    const payersWho = (are: PayerStanding['standing']) =>
        standings
            .filter(({ standing }) => standing === are)
            .map(({ payer_id }) => visible(payer_id))
            .join(', ');
    const untied = tie_outs.filter(({ unexplained }) => unexplained !== '0');
    const suspended = suspense.reduce((sum, { row_count }) => sum + BigInt(row_count), 0n);
    const lineCount = payers.reduce((sum, { line_count }) => sum + line_count, 0);
    const amounts = sumsBy(payers, (payer) => ({ unit: payer.currency, amount: payer.amount }));
    const rows: readonly (readonly [string, string])[] = [
        ['run', `${run.runId}${isReused ? ' (finished before; nothing was done)' : ''}`],
        [
            'read',
            `${counted(inputs.length, 'object')}; ${figure(suspended.toString())} rows in suspense`,
        ],
        ['looked at', lookedAt(certificate.history)],
        ...changedText(certificate.history),
        ...(certificate.pipeline === 'nightly'
            ? ([
                  [
                      'lines',
                      `${figure(String(lineCount))} for ${counted(payers.length, 'payer')}: ${amounts.map(({ amount, unit }) => amountWithCode(amount, unit)).join(', ')}`,
                  ],
              ] as const)
            : []),
        ...correctionsText(certificate),
        [
            'tie-out',
            untied.length
                ? `NOT ZERO for ${counted(untied.length, 'account and asset', 'accounts and assets')}`
                : tiedText(tie_outs),
        ],
        [
            'breaks',
            `${figure(String(own.length - resolvedCount))} open${resolvedCount > 0 ? `, ${figure(String(resolvedCount))} resolved` : ''}${carried.length > 0 ? `; ${figure(String(carried.length))} of earlier months` : ''}`,
        ],
        ['held', payersWho('held') || 'nobody'],
        ...(payersWho('released') ? ([['released', payersWho('released')]] as const) : []),
        ...(certificate.conversions ?? []).flatMap(({ evidence }) =>
            evidence === null ? [] : [['no rate', visible(evidence)] as const],
        ),
        ...(payers.some(({ unrated_count }) => unrated_count > 0)
            ? ([['no price', `some usage of held payers; it is in ${at('unrated.csv')}`]] as const)
            : []),
        ['digest', certificate.run_digest],
        ['report', at('report.html')],
        ...(certificate.pipeline === 'nightly'
            ? ([['lines in', at('line_items.csv')]] as const)
            : []),
        ['breaks in', at('breaks.csv')],
    ];
    return `${rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n')}\n`;
}

function lookedAt({ from, because, looked_at, counted_there }: History): string {
    if (counted_there !== undefined) {
        return `${figure(looked_at ?? '0')} rows; ${figure(counted_there)} were counted on ClickHouse`;
    }
    if (from === null) return `all rows: ${because}`;
    return `${figure(looked_at ?? '0')} rows; the rest is as in ${from}`;
}

/** What a person has to know of objects that are not what they were. */
function changedText({ overwritten, gone }: History): readonly (readonly [string, string])[] {
    const some = (keys: readonly string[]) =>
        `${keys.slice(0, 3).map(visible).join(', ')}${keys.length > 3 ? ` and ${keys.length - 3} more` : ''}`;
    return [
        ...(overwritten
            ? ([['rewritten', `${some(overwritten)}: counted as now stored`]] as const)
            : []),
        ...(gone ? ([['gone', `${some(gone)}: counted as they were read`]] as const) : []),
    ];
}

/** What of the lines is billed of closed periods. */
function correctionsText({
    corrections = [],
}: Certificate): readonly (readonly [string, string])[] {
    if (corrections.length === 0) return [];
    const lineCount = corrections.reduce((sum, { line_count }) => sum + line_count, 0);
    const amounts = sumsBy(corrections, ({ currency: unit, amount }) => ({ unit, amount }));
    const periods = [...new Set(corrections.map(({ corrects_period }) => corrects_period))];
    const money = amounts.map(({ amount, unit }) => amountWithCode(amount, unit)).join(', ');
    return [
        ['corrects', `${counted(lineCount, 'line')} of ${periods.sort().join(', ')}: ${money}`],
    ];
}

/** `tieout plan`: what a run would read and do. Touches nothing. */
export async function plan(flags: RunFlags, context: CommandContext): Promise<Answer> {
    const project = projectOf(context);
    const options = optionsOf('nightly', flags, context.effects.now());
    const store = await context.effects.openStore(project.config, project.folder);
    try {
        const planned = await inState(project, context, async (state) => {
            const log = await readStateLog(state);
            const spoken = state.isBucket ? null : spokenFor(log, options.period);
            const previous = spoken && runFolder(state.folder, spoken.run_id);
            return planRun(project, store, { state, log, previous }, options);
        });
        return { exit: 0, text: planText(planned, store.address), json: planJson(planned) };
    } finally {
        await store.close();
    }
}

function bytesOf(entries: readonly { readonly size: number }[]): number {
    return entries.reduce((sum, entry) => sum + entry.size, 0);
}

function planText(planned: Plan, address: string): string {
    const { options, listings, stages, run, finished, tree } = planned;
    const inputs = listings.map(
        ({ input, entries, landed_count }) =>
            `  ${input.name.padEnd(14)} ${counted(entries.length, 'object').padStart(14)} (${landed_count} in the lake) ${figure(String(bytesOf(entries))).padStart(16)} bytes  ${address}/${input.prefix}`,
    );
    const steps = describeStages(stages).map(
        ({ stage, outputs, sql_sha256 }) =>
            `  ${stage.padEnd(14)} ${counted(outputs, 'relation').padStart(14)}  sha256 ${sql_sha256.slice(0, 16)}`,
    );
    return [
        `run ${run.runId}: period ${options.period}, as of ${options.as_of}`,
        `fingerprint ${planned.fingerprint}`,
        `${counted(new Set(tree.paths.map(({ account_id }) => account_id)).size, 'account')} under ${counted(new Set(tree.paths.map(({ payer_id }) => payer_id)).size, 'payer')}`,
        ...conversionsText(tree.conversions),
        'would read',
        ...inputs,
        'would run',
        ...steps,
        finished
            ? `reused: this run has finished (${finished.run_digest.slice(0, 16)}); running it again does nothing`
            : 'reused: nothing',
        '',
    ].join('\n');
}

/** What would be converted by what, and what could not be. */
function conversionsText({ rates, missing }: Conversions): readonly string[] {
    return [
        ...rates.map(
            ({ from, to, rate, source, on }) =>
                `converts prices in ${from} to ${to} x ${rate} (${visible(source)}, ${on})`,
        ),
        ...missing.map(({ evidence }) => `CONVERSION_MISSING: ${visible(evidence)}`),
    ];
}

function planJson({ options, listings, stages, run, fingerprint, finished, tree }: Plan): unknown {
    return {
        run_id: run.runId,
        ...options,
        fingerprint,
        inputs: listings.map(({ input, role, entries, landed_count }) => ({
            input: input.name,
            role,
            object_count: entries.length,
            landed_count,
            bytes: bytesOf(entries),
            objects: entries,
        })),
        stages: describeStages(stages),
        conversions: { rates: tree.conversions.rates, missing: tree.conversions.missing },
        reuses: finished ? { run_digest: finished.run_digest } : null,
    };
}

/** The certificate of a run folder's output. */
export function certificateOf(output: string): Certificate {
    return JSON.parse(readFileSync(join(output, 'certificate.json'), 'utf8')) as Certificate;
}

/** Zero is only said of what was compared. */
function tiedText(tie_outs: readonly TieOut[]): string {
    const tied = tie_outs.filter(({ status }) => status === 'tied').length;
    const rest = tie_outs.length - tied;
    const without = `${counted(rest, 'account and asset', 'accounts and assets')} without a debit log`;
    if (tied === 0 && rest > 0) return `nothing: ${without}`;
    const zero = `zero for ${counted(tied, 'account and asset', 'accounts and assets')}`;
    return rest === 0 ? zero : `${zero}; ${without}`;
}
