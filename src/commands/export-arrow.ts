import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { lineItems } from '../../pipelines/80-invoice/tables.ts';
import { arrowFile } from '../duck/arrow.ts';
import { figure } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { inBilled } from '../run/billed.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { requirePeriod } from './run.ts';

export interface ArrowFlags {
    readonly period: string;
    readonly out?: string;
}

/**
 * `tieout export arrow`: the lines of a period as an Arrow IPC file, without those of held payers.
 * @throws RunError RUN_NOT_FOUND, OUTPUT_CHANGED, RUN_OUTDATED
 */
export async function exportArrow(flags: ArrowFlags, context: CommandContext): Promise<Answer> {
    const project = projectOf(context);
    const period = requirePeriod(flags.period);
    const file = resolve(context.cwd, flags.out ?? `line_items-${period}.arrow`);
    return inState(project, context, (state) =>
        inBilled(state, project, period, async (engine, { run, held }) => {
            const out = new Set(held.map(({ payer_id }) => payer_id));
            const order = 'payer_id, account_id, product, attributes, service_start, line_key';
            const rows = (await engine.table(lineItems, order)).filter(
                ({ payer_id }) => !out.has(payer_id),
            );
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(`${file}.partial`, arrowFile(lineItems, rows), { flush: true });
            renameSync(`${file}.partial`, file);
            const written = relative(context.cwd, file);
            const text = [
                `run        ${run.runId}`,
                `file       ${written}, ${figure(String(rows.length))} lines`,
                ...held.map(
                    ({ payer_id }) =>
                        `held       ${visible(payer_id)}: its lines stay out until they are released`,
                ),
            ];
            const json = {
                run_id: run.runId,
                file: written,
                line_count: rows.length,
                held: [...out],
            };
            return { exit: held.length > 0 ? 1 : 0, text: `${text.join('\n')}\n`, json };
        }),
    );
}
