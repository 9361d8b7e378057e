import { add, formatAmount, negate, parseAmount } from '../money/amount.ts';
import { counted, figure, isZero, summaryAmount } from './figures.ts';
import { right, table } from './terminal.ts';
import { clipped } from './visible.ts';

/** What a payer would pay for a product, by two cards. Amounts are exact sums, in text. */
export interface DiffRow {
    readonly payer_id: string;
    readonly currency: string;
    readonly product: string;
    readonly old: string;
    readonly new: string;
    readonly delta: string;
    /** Of the old amount, with two decimals; null where that is zero. */
    readonly percent: string | null;
}

/** Metered usage that both cards were asked about. */
export interface DiffUsage {
    readonly payer_id: string;
    readonly meter: string;
    readonly attributes: string;
    readonly unit: string;
    readonly quantity: string;
    readonly event_count: string;
}

/** Usage that one card prices and the other does not. */
export interface RatedOrNot extends DiffUsage {
    readonly product: string;
    readonly amount: string;
    readonly currency: string;
    /** UNRATED, or RATE_CURRENCY when the other card is in another currency. */
    readonly code: string;
}

/** Usage that was metered as one although a price changes within it. */
export interface Undecided extends DiffUsage {
    /** Which card says so. */
    readonly card: 'old' | 'new';
    /** When its price changes. */
    readonly changes_at: readonly string[];
}

/** What moves between two cards over the metered usage of a run. */
export interface RateDiff {
    readonly run_id: string;
    readonly period: string;
    readonly old: { readonly file: string; readonly card: string; readonly version: string };
    readonly new: { readonly file: string; readonly card: string; readonly version: string };
    readonly rows: readonly DiffRow[];
    readonly totals: readonly Omit<DiffRow, 'payer_id' | 'product'>[];
    readonly became_unrated: readonly RatedOrNot[];
    readonly became_rated: readonly RatedOrNot[];
    /** Usage that neither card prices. */
    readonly unrated: readonly DiffUsage[];
    readonly undecided: readonly Undecided[];
}

/** The difference of two amounts, and what share of the old one it is. */
export function moved(old: string, now: string): Pick<DiffRow, 'delta' | 'percent'> {
    const [before, after] = [parseAmount(old), parseAmount(now)];
    const delta = add(after, negate(before));
    if (before.units === 0n) return { delta: formatAmount(delta), percent: null };
    // Hundredths of a percent, rounded half away from zero.
    const scale = BigInt(Math.max(delta.scale, before.scale));
    const [top, bottom] = [delta, before].map(
        (of) => of.units * 10n ** (scale - BigInt(of.scale)),
    ) as [bigint, bigint];
    const size = bottom < 0n ? -bottom : bottom;
    const twice = (top < 0n ? -top : top) * 20_000n;
    const units = (twice + size) / (2n * size);
    const percent = formatAmount({ units: top < 0n ? -units : units, scale: 2 }, { minScale: 2 });
    return { delta: formatAmount(delta), percent };
}

/** The difference as text for a terminal. */
export function renderRateDiff(diff: RateDiff): string {
    const { old, new: now, rows, totals } = diff;
    const cardLine = (what: string, of: RateDiff['old']) =>
        `${what}  ${clipped(of.file, 80)} (${of.card} ${clipped(of.version, 40)})`;
    const changed = rows.filter(({ delta }) => !isZero(delta));
    const parts = [
        `${cardLine('old', old)}\n${cardLine('new', now)}\nover the metered usage of ${diff.period}, run ${diff.run_id}`,
        changed.length
            ? amounts(['payer', 'product'], changed, ({ payer_id, product }) => [payer_id, product])
            : 'No amount moves.',
        rows.length > changed.length
            ? `${counted(rows.length - changed.length, 'payer and product', 'payers and products')} without a difference`
            : '',
        totals.length
            ? `Total\n${amounts(['currency'], totals, ({ currency }) => [currency])}`
            : '',
        lost('Becomes unrated: the new card has no price for it', diff.became_unrated),
        lost('Becomes rated: the old card had no price for it', diff.became_rated),
        unrated(diff.unrated),
        undecided(diff.undecided),
    ];
    return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function amounts<R extends Omit<DiffRow, 'payer_id' | 'product'>>(
    head: readonly string[],
    rows: readonly R[],
    names: (row: R) => readonly string[],
): string {
    return table(
        [...head, ...['old', 'new', 'delta', '%'].map(right)],
        rows.map((row) => {
            const money = (amount: string) => right(summaryAmount(amount, row.currency));
            return [
                ...names(row).map((name) => clipped(name, 32)),
                ...[row.old, row.new, row.delta].map(money),
                right(row.percent === null ? 'new' : figure(row.percent, 2)),
            ];
        }),
    );
}

const usageHead = ['payer', 'meter', 'attributes', right('quantity')];
const usageCells = ({ payer_id, meter, attributes, quantity, unit }: DiffUsage) => [
    clipped(payer_id, 32),
    clipped(meter, 32),
    clipped(attributes, 100),
    right(`${figure(quantity)} ${clipped(unit, 20)}`),
];

function lost(title: string, of: readonly RatedOrNot[]): string {
    if (of.length === 0) return '';
    return `${title}\n${table(
        [...usageHead, 'product', right('amount'), 'code'],
        of.map((row) => [
            ...usageCells(row),
            clipped(row.product, 32),
            right(summaryAmount(row.amount, row.currency)),
            row.code,
        ]),
    )}`;
}

function unrated(of: readonly DiffUsage[]): string {
    return of.length ? `Neither card prices\n${table(usageHead, of.map(usageCells))}` : '';
}

function undecided(of: readonly Undecided[]): string {
    if (of.length === 0) return '';
    const rows = of.map((row) => [
        ...usageCells(row),
        row.card,
        clipped(row.changes_at.join(', '), 80),
    ]);
    return `NOT COMPARED: a price changes within usage that was metered as one, so nobody knows how much of it came before.
It is in no amount above. A run with that card meters it apart.\n${table([...usageHead, 'card', 'changes at'], rows)}`;
}
