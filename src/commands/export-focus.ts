import { join, relative, resolve } from 'node:path';
import { RunError } from '../errors/index.ts';
import { focusVersions } from '../export/focus-columns.ts';
import { deliveryTotals, sumOfLines } from '../export/invoices.ts';
import { amountWithCode, counted, figure } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { type FocusExport, type FocusFile, focusExport, writeFocus } from '../run/focus.ts';
import type { FocusConfig } from '../schema/focus.ts';
import { nearestWord } from '../schema/suggest.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { requirePeriod } from './run.ts';

export interface FocusFlags {
    readonly period: string;
    readonly version?: string;
    readonly out?: string;
    readonly format?: string;
}

const formats = ['csv', 'parquet'] as const;

/**
 * `tieout export focus`: what a period bills as files of the FinOps Open Cost and Usage Specification.
 * @throws RunError USAGE, RUN_NOT_FOUND, OUTPUT_CHANGED, RUN_OUTDATED
 */
export async function exportFocus(flags: FocusFlags, context: CommandContext): Promise<Answer> {
    const project = projectOf(context);
    const period = requirePeriod(flags.period);
    const version = requireWord('--version', flags.version ?? '1.4', focusVersions);
    const format = requireWord('--format', flags.format ?? 'csv', formats);
    const config = requireFocus(project.config.focus);
    const folder = resolve(context.cwd, flags.out ?? join(`focus-${version}`, period));
    return inState(project, context, async (state) => {
        const exported = await focusExport(state, project, config, period);
        const files = await writeFocus(exported, { folder, version, format });
        return answerOf(exported, files, context.cwd);
    });
}

/** @throws RunError USAGE */
function requireFocus(config: FocusConfig | undefined): FocusConfig {
    if (config) return config;
    throw new RunError('USAGE', {
        detail: 'tieout.yaml does not say who sells: it has no `focus`',
        remedy: 'Write `focus: { service_provider: YOUR BRAND }` into it; docs/focus.md has the rest.',
    });
}

/** @throws RunError USAGE */
function requireWord<W extends string>(flag: string, word: string, words: readonly W[]): W {
    const known = words.find((of) => of === word);
    if (known !== undefined) return known;
    const near = nearestWord(word, words);
    throw new RunError('USAGE', {
        detail: `${flag} ${word} is none of ${words.join(', ')}`,
        ...(near ? { remedy: `Write ${flag} ${near}.` } : {}),
    });
}

function answerOf(exported: FocusExport, files: readonly FocusFile[], cwd: string): Answer {
    const { run_id, lines, held } = exported;
    const invoices = [...Map.groupBy(lines, ({ invoice_key }) => invoice_key).values()];
    const totals = deliveryTotals(
        invoices.map((of) => ({
            currency: of[0]?.currency ?? '',
            lines: of,
            total: sumOfLines(of),
        })),
    );
    const written = files.map((of) => ({ ...of, file: relative(cwd, of.file) }));
    const rows = [
        `run        ${run_id}`,
        ...totals.map(
            ({ currency, amount, invoice_count, line_count }) =>
                `billed     ${amountWithCode(amount, currency)} on ` +
                `${counted(invoice_count, 'invoice')} with ${counted(line_count, 'line')}`,
        ),
        ...written.map(
            ({ file, row_count }) => `file       ${file}, ${figure(String(row_count))} rows`,
        ),
        ...held.map(
            ({ payer_id, payer_name }) =>
                `held       ${visible(payer_id)} (${visible(payer_name)}): its lines stay out until ` +
                'they are released',
        ),
    ];
    const json = { run_id, totals, files: written, held: held.map(({ payer_id }) => payer_id) };
    return { exit: held.length > 0 ? 1 : 0, text: `${rows.join('\n')}\n`, json };
}
