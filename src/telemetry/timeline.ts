import type { Certificate } from '../schema/certificate.ts';
import { type Outcome, resultOf } from '../schema/outcome.ts';
import type { Part } from './parts.ts';

/** A command from its start to its end, milliseconds since 1970. */
export interface Timeline {
    readonly outcome: Outcome;
    readonly began: number;
    readonly ended: number;
    readonly parts: readonly Part[];
    /** Of the package. */
    readonly version: string;
}

type Attributes = Record<string, string | number | boolean>;

/** One span to be: the parts of a command lie within it. */
export interface PlannedSpan {
    readonly name: string;
    readonly began: number;
    readonly ended: number;
    readonly isFailed: boolean;
    readonly attributes: Attributes;
}

/** The span of the command, and those of its parts in order. */
export function spansOf(timeline: Timeline): {
    readonly command: PlannedSpan;
    readonly parts: readonly PlannedSpan[];
} {
    const { outcome, began, ended, parts } = timeline;
    const { command, period, exit, error, run } = outcome;
    const certificate = run?.certificate ?? null;
    return {
        command: {
            name: `tieout ${command}`,
            began,
            ended,
            isFailed: error !== null,
            attributes: {
                'tieout.command': command,
                'tieout.exit': exit,
                'tieout.result': resultOf(outcome),
                ...(period ? { 'tieout.period': period } : {}),
                ...(run ? { 'tieout.run_id': run.run_id, 'tieout.is_reused': run.is_reused } : {}),
                ...(error ? { 'error.type': error.code } : {}),
            },
        },
        parts: parts.map((part) => {
            const rows = certificate ? rowsOf(part.name, certificate) : null;
            const isFailed = part.ended === null && error !== null;
            return {
                name: part.name,
                began: part.began,
                ended: part.ended ?? ended,
                isFailed,
                attributes: {
                    ...(rows === null ? {} : { 'tieout.rows': rows }),
                    ...(isFailed && error ? { 'error.type': error.code } : {}),
                },
            };
        }),
    };
}

/** The last value of something, after this command. */
export interface Gauge {
    readonly name: string;
    readonly unit: string;
    readonly description: string;
    readonly points: readonly { readonly value: number; readonly attributes: Attributes }[];
}

/** What a dashboard shows of a command. No run id: it would make a new series each night. */
export function gaugesOf(timeline: Timeline): readonly Gauge[] {
    const { outcome, began, ended, parts } = timeline;
    const { command, exit, run } = outcome;
    const certificate = run?.certificate ?? null;
    const spans = parts.map((part) => ({
        ...part,
        seconds: seconds(part.began, part.ended ?? ended),
    }));
    return [
        gauge('tieout.command.duration', 's', 'How long the command took.', [
            point(seconds(began, ended), { command, result: resultOf(outcome) }),
        ]),
        gauge('tieout.command.exit', '1', 'Its exit code.', [point(exit, { command })]),
        gauge(
            'tieout.part.duration',
            's',
            'How long each part of the command took.',
            spans.map(({ name, seconds: value }) => point(value, { command, part: name })),
        ),
        ...(certificate ? certificateGauges(command, certificate, parts) : []),
    ];
}

function certificateGauges(
    command: string,
    certificate: Certificate,
    parts: readonly Part[],
): readonly Gauge[] {
    const held = certificate.payers.filter(({ recon_status }) => recon_status === 'held');
    const open = certificate.breaks.filter(({ code }) => code !== 'AMOUNT_ROUNDING');
    return [
        gauge(
            'tieout.part.rows',
            '{row}',
            'Rows that each part wrote; of a fetch, lines that it read.',
            parts.flatMap(({ name }) => {
                const rows = rowsOf(name, certificate);
                return rows === null ? [] : [point(rows, { command, part: name })];
            }),
        ),
        gauge(
            'tieout.breaks',
            '{break}',
            'Open breaks by code.',
            [...Map.groupBy(open, ({ code }) => code)].map(([code, of]) =>
                point(
                    of.reduce((sum, { break_count }) => sum + break_count, 0),
                    { command, code },
                ),
            ),
        ),
        gauge('tieout.held_payers', '{payer}', 'Payers whose lines wait.', [
            point(new Set(held.map(({ payer_id }) => payer_id)).size, { command }),
        ]),
    ];
}

const gauge = (
    name: string,
    unit: string,
    description: string,
    points: Gauge['points'],
): Gauge => ({ name, unit, description, points });

const point = (value: number, attributes: Attributes) => ({ value, attributes });

const seconds = (from: number, to: number) => (to - from) / 1_000;

/** Rows of a stage by its control totals, lines of an input for its fetch; null where none count. */
function rowsOf(part: string, { totals, inputs }: Certificate): number | null {
    const counts = part.startsWith('fetch ')
        ? inputs.filter(({ input }) => part === `fetch ${input}`).map(({ lines }) => lines)
        : totals.filter(({ stage }) => stage === part).map(({ row_count }) => row_count);
    if (counts.length === 0) return null;
    return Number.parseInt(String(counts.reduce((sum, count) => sum + BigInt(count), 0n)), 10);
}
