import Table from 'cli-table3';
import { ageBuckets } from '../items/age.ts';
import type { StepName } from '../schema/report.ts';
import { amountFigure, figure, roundedFigure, sum, summaryAmount } from './figures.ts';
import { holdReason } from './headline.ts';
import type { ReportModel } from './model.ts';
import { stepNames } from './three-way.ts';
import { clipped } from './visible.ts';

/** Rows of the tables; all are in the run folder. */
const LIMIT = 40;
const NAME = 32;
const HELD_LIMIT = 6;

export type Cell = string | { readonly content: string; readonly hAlign: 'right' };

const name = (text: string | null): string => clipped(text ?? '', NAME);
export const right = (content: string): Cell => ({ content, hAlign: 'right' });

/** A table without lines, of at most forty rows. */
export function table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
    const made = new Table({
        style: { head: [], border: [], compact: true },
        chars: {
            ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
            ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
            ...{ left: '  ', 'left-mid': '  ', right: '', 'right-mid': '', middle: '  ' },
            ...{ mid: '', 'mid-mid': '' },
        },
    });
    made.push([...head], ...rows.slice(0, LIMIT).map((row) => [...row]));
    const more = rows.length - LIMIT;
    const text = made.toString().replace(/ +$/gm, '');
    return text + (more > 0 ? `\n  ... and ${figure(String(more))} more` : '');
}

/** The report as text for a terminal or a mail: the sentences first, then the tables behind them. */
export function renderTerminal(model: ReportModel): string {
    const parts = [
        `Tie-out report: ${name(model.period_title)} (${clipped(model.run_id, 80)}, as of ${name(model.as_of)})`,
        clipped(model.answer.text, 400),
        heldPayers(model),
        model.sentences.map((sentence) => `- ${clipped(sentence, 400)}`).join('\n'),
        titled(
            'Tie-out: rated - debited = breaks + rounding + repriced + unexplained',
            tieOut(model),
        ),
        model.three_way.totals.length
            ? titled('From authorized to invoiced, all payers together', ways(model))
            : '',
        model.three_way.totals.some(({ deliveries }) => deliveries.length > 0)
            ? titled('From invoiced to delivered, all payers together', deliveries(model))
            : '',
        model.codes.length ? titled('Breaks by code', codes(model)) : '',
        model.ages.length ? titled('Open breaks by age in days', ages(model)) : '',
        model.trend.length > 1 ? titled('Night by night', trend(model)) : '',
        titled('Payers', payers(model)),
        model.corrections.length ? titled('Corrections of closed periods', corrections(model)) : '',
        model.margins?.length
            ? titled('Margins, rounded (exact in margins.csv)', margins(model.margins))
            : '',
        model.conversions.length ? titled('Conversions', conversions(model)) : '',
        model.suspense.length ? titled('In suspense', suspense(model)) : '',
    ];
    return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function titled(title: string, body: string): string {
    return `${title}\n${body}`;
}

/** The first held payers and why; the table of payers has all. */
function heldPayers({ headline }: ReportModel): string {
    if (headline.untied_count > 0) return '';
    const shown = headline.held
        .slice(0, HELD_LIMIT)
        .map((payer) => `  held: ${name(payer.payer_name)}: ${clipped(holdReason(payer), 400)}`);
    const more = headline.held.length - shown.length;
    return [...shown, ...(more > 0 ? [`  and ${figure(String(more))} more`] : [])].join('\n');
}

function tieOut({ waterfalls }: ReportModel): string {
    const head = [
        'payer',
        'asset',
        ...['rated', 'debited', 'breaks', 'rounding', 'repriced', 'unexplained'].map(right),
    ];
    return table(
        [...head, 'result'],
        waterfalls.map((one) => {
            const of = (value: string) => right(amountFigure(value, one.asset));
            return [
                name(one.payer_id),
                name(one.asset),
                ...[one.rated, one.debited, one.broken, one.rounding].map(of),
                ...[one.repriced, one.unexplained].map(of),
                one.untied_count === 0 ? one.status : 'NOT TIED',
            ];
        }),
    );
}

/** Steps other than breaks are told as one: the page and the tables tell them apart. */
function ways({ three_way }: ReportModel): string {
    const head = ['authorized', 'breaks', 'other steps', 'metered', 'further steps', 'invoiced'];
    return table(
        ['asset', ...head.map(right)],
        three_way.totals.map(
            ({ asset, authorized, to_metered, metered, to_invoiced, invoiced }) => {
                const of = (value: string) => right(amountFigure(value, asset));
                const { breaks = [], others = [] } = Object.groupBy(to_metered, ({ step }) =>
                    step === 'break' ? 'breaks' : 'others',
                );
                const sumOf = (steps: readonly { readonly amount: string }[]) =>
                    of(sum(steps.map(({ amount }) => amount)));
                return [
                    ...[name(asset), of(authorized), sumOf(breaks), sumOf(others), of(metered)],
                    ...(invoiced === null
                        ? [right(''), right('not invoiced')]
                        : [sumOf(to_invoiced), of(invoiced)]),
                ];
            },
        ),
    );
}

function deliveries({ three_way }: ReportModel): string {
    const ownSteps = ['held', 'not_delivered', 'underway', 'rejected'] as const;
    const head = [...ownSteps.map((step) => stepNames[step]), 'otherwise', 'delivered'];
    return table(
        ['target', 'asset', right('invoiced'), ...head.map(right)],
        three_way.totals.flatMap(({ asset, invoiced, deliveries }) =>
            deliveries.map(({ target, to_delivered, delivered }) => {
                const of = (value: string) => right(amountFigure(value, asset));
                const stepOf = (step: StepName) =>
                    of(
                        sum(
                            to_delivered
                                .filter((one) => one.step === step)
                                .map(({ amount }) => amount),
                        ),
                    );
                return [
                    ...[name(target), name(asset), of(invoiced ?? '0'), ...ownSteps.map(stepOf)],
                    ...[stepOf('of_another_run'), of(delivered)],
                ];
            }),
        ),
    );
}

function ages({ ages }: ReportModel): string {
    return table(
        ['code', ...ageBuckets.map(right)],
        [...Map.groupBy(ages, ({ code }) => code)].map(([code, of]) => [
            name(code),
            ...ageBuckets.map((bucket) => {
                const found = of.find(({ age_bucket }) => age_bucket === bucket);
                return right(found ? figure(String(found.item_count)) : '');
            }),
        ]),
    );
}

/** The latest night first. */
function trend({ trend }: ReportModel): string {
    return table(
        ['as of', right('breaks'), right('money in breaks'), right('held payers')],
        trend
            .toReversed()
            .map(({ as_of, break_count, money, held_count }) => [
                ...[name(as_of), right(figure(String(break_count)))],
                right(
                    money.map(({ amount, unit }) => name(summaryAmount(amount, unit))).join(', '),
                ),
                right(figure(String(held_count))),
            ]),
    );
}

function codes({ codes }: ReportModel): string {
    return table(
        ['code', right('breaks'), right('effect in the asset'), right('in money')],
        codes.flatMap(({ code, totals }) =>
            totals.map((total) => [
                name(code),
                right(figure(String(total.break_count))),
                right(`${amountFigure(total.amount, total.asset)} ${name(total.asset)}`),
                right(
                    total.money_amount === null || total.currency === null
                        ? 'no price'
                        : `${amountFigure(total.money_amount, total.currency)} ${name(total.currency)}`,
                ),
            ]),
        ),
    );
}

function payers({ payers }: ReportModel): string {
    return table(
        ['payer', right('lines'), right('amount'), right('in breaks'), right('limit'), 'status'],
        payers.map((payer) => [
            name(payer.payer_id),
            right(figure(String(payer.line_count))),
            right(`${amountFigure(payer.amount, payer.currency)} ${name(payer.currency)}`),
            right(amountFigure(payer.break_money, payer.currency)),
            right(amountFigure(payer.hold_limit, payer.currency)),
            payer.recon_status,
        ]),
    );
}

function corrections({ corrections }: ReportModel): string {
    return table(
        ['period', 'payer', right('lines'), right('amount'), 'backfill'],
        corrections.map(({ corrects_period, payer_id, line_count, amount, ...of }) => [
            ...[name(corrects_period), name(payer_id), right(figure(String(line_count)))],
            right(`${amountFigure(amount, of.currency)} ${name(of.currency)}`),
            name(of.backfill_id),
        ]),
    );
}

function margins(margins: NonNullable<ReportModel['margins']>): string {
    const head = ['bought', 'own use', 'sold', 'margin'].map(right);
    return table(
        ['seller', 'product', ...head, 'currency'],
        margins.map(({ seller_id, product, currency, bought, own_use, sold, margin }) => [
            ...[name(seller_id), name(product)],
            ...[bought, own_use, sold, margin].map((amount) =>
                right(amount === null ? 'none' : roundedFigure(amount, currency)),
            ),
            name(currency),
        ]),
    );
}

function conversions({ conversions }: ReportModel): string {
    return table(
        ['from', 'to', right('rate'), 'stated for', 'by'],
        conversions.map(({ from, to, rate, on, source, evidence }) => [
            ...[name(from), name(to), right(rate === null ? 'none' : figure(rate))],
            ...[on ?? '', rate === null ? clipped(evidence ?? '', 200) : name(source)],
        ]),
    );
}

function suspense({ suspense }: ReportModel): string {
    return table(
        ['code', right('rows')],
        suspense.map(({ code, row_count }) => [name(code), right(figure(row_count))]),
    );
}
