import { compareLineItems, compareText } from '../export/order.ts';
import type { Break, PayerTotal } from '../schema/break.ts';
import type { Certificate, ControlTotal, Conversion, Margin } from '../schema/certificate.ts';
import { isCharged, type LineItem } from '../schema/line-item.ts';
import { type Answer, answerOf } from './answer.ts';
import { type CodeTotal, codeTotals, largestFirst } from './breaks-summary.ts';
import { compareDecimals, isZero, magnitude, sum } from './figures.ts';
import { type Proof, proofsOf } from './proofs.ts';
import { headlineSentences } from './sentences.ts';
import { type Waterfall, waterfalls } from './waterfall.ts';

/** A sum in one currency or asset. Decimal text. */
export interface Sum {
    readonly unit: string;
    readonly amount: string;
}

/** A payer whose lines wait, and whether money is the reason: the sum of its breaks. */
export interface HeldPayer extends PayerTotal {
    /** False: the sum is within the limit, but a break or a fee has no price in the payer's currency. */
    readonly is_over_limit: boolean;
}

/** The answers of the first screen. */
export interface Headline {
    readonly pipeline: Certificate['pipeline'];
    readonly result: Certificate['result'];
    readonly line_count: number;
    readonly payer_count: number;
    /** Per currency: rounded lines of usage and fees, or what payers owe before rounding where no lines are written. */
    readonly rated: readonly Sum[];
    /** Account-and-asset groups: all, without a log to compare with, and not adding up. */
    readonly group_count: number;
    readonly unauditable_count: number;
    readonly untied_count: number;
    readonly unexplained: readonly Sum[];
    readonly held: readonly HeldPayer[];
    /** Line amounts that may go out, and those that wait because their payer is held. */
    readonly ready_amounts: readonly Sum[];
    readonly held_amounts: readonly Sum[];
    /** The part of `ready_amounts` whose payers have no debit log. */
    readonly unaudited_amounts: readonly Sum[];
    readonly break_count: number;
    /** Sum of sizes, and sum with signs, of the breaks that have a price. */
    readonly break_sizes: readonly Sum[];
    readonly break_effects: readonly Sum[];
    readonly unpriced_break_count: number;
    /** Breaks that belong to no payer: they hold nobody, but the run is not clean. */
    readonly stray_break_count: number;
}

/** Everything a report shows, whatever shows it. Ordered; decimals are exact text. */
export interface ReportModel {
    readonly period: string;
    /** `2026-10` as `October 2026`; any other period as it is. */
    readonly period_title: string;
    readonly pipeline: Certificate['pipeline'];
    readonly as_of: string;
    readonly run_id: string;
    readonly headline: Headline;
    /** What the reader may do now, in one sentence. */
    readonly answer: Answer;
    /** The headline in plain sentences, in reading order. */
    readonly sentences: readonly string[];
    readonly waterfalls: readonly Waterfall[];
    readonly codes: readonly CodeTotal[];
    /** All open breaks, each currency's largest first. */
    readonly breaks: readonly Break[];
    readonly payers: readonly PayerTotal[];
    readonly lines: readonly LineItem[];
    readonly margins?: readonly Margin[];
    /** None in a run without payers of other currencies. */
    readonly conversions: readonly Conversion[];
    readonly suspense: readonly { readonly code: string; readonly row_count: string }[];
    readonly inputs: Certificate['inputs'];
    /** How far the run can prove that nothing was lost on the way to it. */
    readonly completeness: string;
    readonly proofs: readonly Proof[];
    readonly controls: readonly ControlTotal[];
    readonly fingerprints: readonly { readonly name: string; readonly value: string }[];
}

/** What a report is made of: the run's certificate and its two documents. */
export interface ReportSource {
    readonly certificate: Certificate;
    readonly lines: Iterable<LineItem>;
    readonly breaks: Iterable<Break>;
}

/**
 * Builds the report of a run. Pure: the same documents give the same model, whatever the order of
 * their rows. Nothing is judged again: tie-outs, totals and holds are the certificate's, and the
 * proofs say where the lines and breaks do not add up to it.
 */
export function buildReport(source: ReportSource): ReportModel {
    const { certificate } = source;
    const lines = [...source.lines].sort(compareLineItems);
    const breaks = largestFirst(source.breaks);
    const payers = [...certificate.payers].sort(
        (a, b) => compareText(a.payer_id, b.payer_id) || compareText(a.currency, b.currency),
    );
    const period_title = titleOf(certificate.period);
    const headline = headlineOf(certificate, lines, breaks, payers);
    return {
        period: certificate.period,
        period_title,
        pipeline: certificate.pipeline,
        as_of: certificate.as_of,
        run_id: certificate.run_id,
        headline,
        answer: answerOf(headline),
        sentences: headlineSentences(period_title, headline),
        waterfalls: waterfalls(certificate, breaks),
        codes: codeTotals(certificate.breaks),
        breaks,
        payers,
        lines,
        ...(certificate.margins ? { margins: certificate.margins } : {}),
        conversions: (certificate.conversions ?? []).toSorted(
            (a, b) => compareText(a.from, b.from) || compareText(a.to, b.to),
        ),
        suspense: certificate.suspense.toSorted((a, b) => compareText(a.code, b.code)),
        inputs: certificate.inputs.toSorted(
            (a, b) => compareText(a.input, b.input) || compareText(a.key, b.key),
        ),
        completeness: certificate.completeness,
        proofs: proofsOf(certificate, lines, breaks),
        controls: certificate.totals,
        fingerprints: fingerprintsOf(certificate),
    };
}

/** Sums decimal texts per currency or asset, ordered by it. */
export function sumsBy<T>(
    items: Iterable<T>,
    pick: (item: T) => { readonly unit: string | null; readonly amount: string | null },
): readonly Sum[] {
    const groups = new Map<string, string[]>();
    for (const item of items) {
        const { unit, amount } = pick(item);
        if (unit === null || amount === null) continue;
        const group = groups.get(unit);
        if (group) group.push(amount);
        else groups.set(unit, [amount]);
    }
    return [...groups]
        .sort(([a], [b]) => compareText(a, b))
        .map(([unit, amounts]) => ({ unit, amount: sum(amounts) }));
}

function headlineOf(
    certificate: Certificate,
    lines: readonly LineItem[],
    breaks: readonly Break[],
    payers: readonly PayerTotal[],
): Headline {
    const ties = certificate.tie_outs;
    const untied = ties.filter((tie) => !isZero(tie.unexplained));
    const { pipeline } = certificate;
    const lineSums = (some: readonly LineItem[]) =>
        sumsBy(some, (line) => ({ unit: line.currency, amount: line.amount }));
    const { held = [], ready = [] } = Object.groupBy(lines, (line) =>
        line.recon_status === 'held' ? 'held' : 'ready',
    );
    const payerSums = sumsBy(payers, (one) => ({ unit: one.currency, amount: one.amount_exact }));
    const moneyOf = (item: Break, amount: string | null) => ({ unit: item.currency, amount });
    return {
        pipeline,
        result: certificate.result,
        line_count: lines.length,
        payer_count: new Set(payers.map((payer) => payer.payer_id)).size,
        rated: pipeline === 'nightly' ? lineSums(lines.filter(isCharged)) : payerSums,
        group_count: ties.length,
        unauditable_count: ties.filter((tie) => tie.status === 'unauditable').length,
        untied_count: untied.length,
        unexplained: sumsBy(untied, (tie) => ({ unit: tie.asset, amount: tie.unexplained })),
        held: payers.filter((payer) => payer.recon_status === 'held').map(heldPayer),
        ready_amounts: lineSums(ready),
        held_amounts: lineSums(held),
        unaudited_amounts: lineSums(lines.filter((line) => line.recon_status === 'unauditable')),
        break_count: breaks.length,
        break_sizes: sumsBy(breaks, (item) =>
            moneyOf(item, item.money_amount === null ? null : magnitude(item.money_amount)),
        ),
        break_effects: sumsBy(breaks, (item) => moneyOf(item, item.money_amount)),
        unpriced_break_count: breaks.filter(
            (item) => item.money_amount === null && compareDecimals(item.amount, '0') !== 0,
        ).length,
        stray_break_count: breaks.filter((item) => item.payer_id === null).length,
    };
}

function heldPayer(payer: PayerTotal): HeldPayer {
    const is_over_limit = compareDecimals(payer.break_money, payer.hold_limit) > 0;
    return { ...payer, is_over_limit };
}

const MONTHS =
    'January February March April May June July August September October November December'.split(
        ' ',
    );

function titleOf(period: string): string {
    const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(period) ?? [];
    if (month === undefined) return period;
    return `${MONTHS[Number.parseInt(month, 10) - 1]} ${year}`;
}

function fingerprintsOf(certificate: Certificate): ReportModel['fingerprints'] {
    const under = (prefix: string, values: Readonly<Record<string, string>>) =>
        Object.entries(values)
            .map(([name, value]) => ({ name: `${prefix} ${name}`, value }))
            .sort((a, b) => compareText(a.name, b.name));
    return [
        { name: 'Run', value: certificate.run_id },
        { name: 'Run fingerprint (inputs, rules, SQL, code)', value: certificate.run_fingerprint },
        { name: 'Run digest (lines, breaks, totals)', value: certificate.run_digest },
        { name: 'tieout version', value: certificate.tieout_version },
        { name: 'Engine version', value: certificate.engine_version },
        ...under('Rules', certificate.rules),
        ...certificate.stages.flatMap((stage) => under(`SQL ${stage.stage}`, stage.sql_sha256)),
        ...under('Output', certificate.outputs),
    ];
}
