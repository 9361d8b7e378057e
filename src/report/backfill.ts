import type { BackfillPeriod, Provenance, Refusal } from '../schema/backfill.ts';
import { amountFigure, counted, figure } from './figures.ts';
import { right, table } from './terminal.ts';
import { clipped } from './visible.ts';

/** What a backfill found, as text for a terminal: each period with its payers, products and lines. */
export function renderBackfill(
    found: readonly { readonly period: BackfillPeriod; readonly made: Provenance }[],
): string {
    return found.map(({ period, made }) => periodText(period, made)).join('\n\n');
}

function periodText(of: BackfillPeriod, made: Provenance): string {
    const { lines, payers, products, refused, period, closings, bills_in, late_debits } = of;
    const parts = [
        head(of, made),
        lines.length
            ? amounts(['payer'], payers, ({ payer_id }) => [payer_id])
            : 'No line differs.',
        lines.length
            ? `By product\n${amounts(['payer', 'product'], products, (row) => [row.payer_id, row.product])}`
            : '',
        lines.length ? `By line\n${lineTable(of)}` : '',
        late_debits ? lateDebits(late_debits) : '',
        closings === null
            ? ''
            : `${bills_in} would open with something else: what commitments and terms counted, or grants have left`,
        made.has_other_sales
            ? 'Sales of sellers differ too, and are not corrected: compare sale_lines.csv of both runs'
            : '',
        refused.length ? refusals(refused, period) : '',
    ];
    return parts.filter(Boolean).join('\n\n');
}

function head(of: BackfillPeriod, made: Provenance): string {
    const { period, is_closed, bills_in, corrections } = of;
    const { billed, candidate, as_of } = made;
    const state = is_closed
        ? `closed: ${bills_in} is the open period that bills its corrections`
        : 'open: the new run would take the place of the old one';
    const since = corrections.length
        ? ` and ${counted(corrections.length, 'correction')} since (${corrections.map(({ kind, backfill_id }) => `${kind} ${backfill_id}`).join(', ')})`
        : '';
    return [
        `${period} is ${state}`,
        `old  ${billed ? `${billed.run_id}${since}` : 'nothing was billed'}`,
        `new  ${candidate.run_id}, as of ${as_of}`,
        ...changesText(made),
    ].join('\n');
}

/** What the two runs were made of and is not the same. */
function changesText({ evidence, billed }: Provenance): readonly string[] {
    if (billed === null) return [];
    const { objects, rules, is_other_code } = evidence;
    const { added, gone, changed } = objects;
    const count = (number: number) => figure(String(number));
    return [
        `     objects: ${count(added)} more, ${count(gone)} gone, ${count(changed)} changed; rules: ${rules.length ? rules.map((name) => clipped(name, 60)).join(', ') : 'the same'}${is_other_code ? '; another version of tieout' : ''}`,
    ];
}

interface Moved {
    readonly currency: string;
    readonly old: string;
    readonly new: string;
    readonly delta: string;
}

function amounts<R extends Moved>(
    names: readonly string[],
    rows: readonly R[],
    namesOf: (row: R) => readonly string[],
): string {
    return table(
        [...names, ...['old', 'new', 'delta'].map(right), 'currency'],
        rows.map((row) => [
            ...namesOf(row).map((name) => clipped(name, 32)),
            ...moneyOf(row),
            clipped(row.currency, 8),
        ]),
    );
}

const moneyOf = ({ currency, old, new: now, delta }: Moved) =>
    [old, now, delta].map((amount) => right(amountFigure(amount, currency)));

function lineTable({ lines }: BackfillPeriod): string {
    return table(
        ['line', 'account', 'what', ...['old', 'new', 'delta'].map(right), 'cause'],
        lines.map((line) => [
            line.line_key.slice(0, 12),
            clipped(line.account_id, 24),
            clipped(line.description, 40),
            ...moneyOf(line),
            line.cause.replaceAll('_', ' ').replaceAll('+', ' + '),
        ]),
    );
}

/** What came too late to be compared when the month was billed; settlement lines above bill it. */
function lateDebits(late: NonNullable<BackfillPeriod['late_debits']>): string {
    return `TIMING_LATE: debits of the month that the log did not have when it was billed\n${table(
        ['payer', 'account', ...['old', 'new', 'delta'].map(right), 'asset'],
        late.map((of) => [
            clipped(of.payer_id, 32),
            clipped(of.account_id, 24),
            ...[of.old, of.new, of.delta].map((amount) => right(figure(amount))),
            clipped(of.asset, 8),
        ]),
    )}`;
}

function refusals(refused: readonly Refusal[], period: string): string {
    return [
        `Not billed as corrections: to bill them, \`tieout reopen --period ${period} --reason WHY\`, run it again and close it`,
        ...refused.map(
            ({ payer_id, detail }) => `  ${clipped(payer_id, 32)}: ${clipped(detail, 200)}`,
        ),
    ].join('\n');
}
