import { compareLineItems, compareText } from '../export/order.ts';
import type { Break, PayerTotal } from '../schema/break.ts';
import type {
    Certificate,
    ControlTotal,
    Conversion,
    CorrectionTotal,
    Margin,
} from '../schema/certificate.ts';
import type { TargetDeliveries } from '../schema/delivery.ts';
import type { OpenItem, PayerStanding, Standing } from '../schema/item.ts';
import type { LineItem } from '../schema/line-item.ts';
import type { AgeTotal, BreakEvidence, Night } from '../schema/report.ts';
import type { Statements } from '../schema/statement.ts';
import { ageTotals } from './ages.ts';
import { type Answer, answerOf } from './answer.ts';
import { type CodeTotal, codeTotals, largestFirst } from './breaks-summary.ts';
import { type Headline, headlineOf } from './headline.ts';
import { type Proof, proofsOf, threeWayProof } from './proofs.ts';
import { headlineSentences } from './sentences.ts';
import { asItStands, decidedSentences, isOpen } from './standing.ts';
import { type ThreeWayPart, type ThreeWays, threeWays } from './three-way.ts';
import { type Waterfall, waterfalls } from './waterfall.ts';

/** Everything a report shows, whatever shows it. Ordered; decimals are exact text. */
export interface ReportModel extends Statements {
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
    /** All breaks of the run, each currency's largest first. */
    readonly breaks: readonly Break[];
    /** Breaks as they are followed, with what people decided; none where nobody asked. */
    readonly items: readonly OpenItem[];
    /** Whose lines may go out, with what people decided; none where nobody asked. */
    readonly standing: readonly PayerStanding[];
    readonly ages: readonly AgeTotal[];
    /** The runs of the period, oldest first; none in the page of a run itself. */
    readonly trend: readonly Night[];
    readonly three_way: ThreeWays;
    /** Account by account, as the certificate has them. */
    readonly tie_outs: Certificate['tie_outs'];
    /** Both sides of the largest breaks; none in the page of a run itself. */
    readonly evidence: readonly BreakEvidence[];
    readonly payers: readonly PayerTotal[];
    readonly lines: readonly LineItem[];
    /** What makes rated and debited differ, and what moved wallets; none where a run does not say. */
    readonly causes: NonNullable<Certificate['causes']>;
    readonly wallet_movements: NonNullable<Certificate['wallet_movements']>;
    readonly margins?: readonly Margin[];
    /** What is billed of closed periods. */
    readonly corrections: readonly CorrectionTotal[];
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

/** What a report is made of: the run's certificate, its two documents, and what contracts promise. */
export interface ReportSource {
    readonly certificate: Certificate;
    readonly lines: Iterable<LineItem>;
    readonly breaks: Iterable<Break>;
    /** Left out where nothing was promised. */
    readonly statements?: Statements;
    /** The breaks as they are followed. Left out: all are open, and nobody decided anything. */
    readonly standing?: Standing;
    readonly three_way?: readonly ThreeWayPart[];
    readonly trend?: readonly Night[];
    /** What targets have of the period. Left out: nobody asked. */
    readonly deliveries?: readonly TargetDeliveries[];
    readonly evidence?: readonly BreakEvidence[];
}

/**
 * Builds the report of a run. Pure: the same documents give the same model, whatever the order of
 * their rows. Nothing is judged again: tie-outs, totals and holds are the certificate's, and the
 * proofs say where the lines and breaks do not add up to it.
 */
export function buildReport(source: ReportSource): ReportModel {
    const { standing, evidence = [], trend = [] } = source;
    const { certificate } = source;
    const breaks = largestFirst(source.breaks);
    const stated = asItStands(certificate, [...source.lines], standing);
    const lines = stated.lines.toSorted(compareLineItems);
    const payers = stated.payers.toSorted(
        (a, b) => compareText(a.payer_id, b.payer_id) || compareText(a.currency, b.currency),
    );
    const period_title = titleOf(certificate.period);
    const open = breaks.filter(isOpen(standing));
    const headline = headlineOf({ ...certificate, result: stated.result }, lines, open, payers);
    const three_way = threeWaysOf(source);
    return {
        period: certificate.period,
        period_title,
        pipeline: certificate.pipeline,
        as_of: certificate.as_of,
        run_id: certificate.run_id,
        headline,
        answer: answerOf(headline),
        sentences: [...headlineSentences(period_title, headline), ...decidedSentences(standing)],
        waterfalls: waterfalls(certificate, breaks),
        codes: codeTotals(certificate.breaks),
        breaks,
        items: standing?.items ?? [],
        standing: standing?.payers ?? [],
        ages: ageTotals(standing?.items ?? []),
        trend,
        three_way,
        tie_outs: certificate.tie_outs.toSorted(
            (a, b) =>
                compareText(a.payer_id, b.payer_id) ||
                compareText(a.account_id, b.account_id) ||
                compareText(a.asset, b.asset),
        ),
        evidence,
        payers,
        lines,
        ...statementsOf(source),
        causes: certificate.causes ?? [],
        wallet_movements: certificate.wallet_movements ?? [],
        ...(certificate.margins ? { margins: certificate.margins } : {}),
        corrections: certificate.corrections ?? [],
        conversions: (certificate.conversions ?? []).toSorted(
            (a, b) => compareText(a.from, b.from) || compareText(a.to, b.to),
        ),
        suspense: certificate.suspense.toSorted((a, b) => compareText(a.code, b.code)),
        inputs: certificate.inputs.toSorted(
            (a, b) => compareText(a.input, b.input) || compareText(a.key, b.key),
        ),
        completeness: certificate.completeness,
        proofs: [
            ...proofsOf(certificate, lines, breaks),
            ...(source.three_way ? [threeWayProof(certificate, three_way)] : []),
        ],
        controls: certificate.totals,
        fingerprints: fingerprintsOf(certificate),
    };
}

function threeWaysOf(source: ReportSource): ThreeWays {
    const { certificate, three_way = [], standing, deliveries } = source;
    const { payers, pipeline, run_id } = certificate;
    const held = new Set(
        (standing?.payers ?? []).filter((of) => of.standing === 'held').map((of) => of.payer_id),
    );
    return threeWays(three_way, {
        names: new Map(payers.map(({ payer_id, payer_name }) => [payer_id, payer_name])),
        invoiced: new Set(pipeline === 'nightly' ? payers.map(({ currency }) => currency) : []),
        isPricedAnew: certificate.repriced_from !== undefined,
        ...(deliveries ? { underway: { run_id, held, deliveries } } : {}),
    });
}

function statementsOf({ statements }: ReportSource): Statements {
    const { commitments = [], balances = [] } = statements ?? {};
    return {
        commitments: commitments.toSorted(
            (a, b) =>
                compareText(a.payer_id, b.payer_id) ||
                compareText(a.commitment_id, b.commitment_id),
        ),
        balances: balances.toSorted(
            (a, b) => compareText(a.payer_id, b.payer_id) || compareText(a.grant_id, b.grant_id),
        ),
    };
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
