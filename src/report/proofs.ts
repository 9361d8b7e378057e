import { compareText } from '../export/order.ts';
import type { Break } from '../schema/break.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { LineItem } from '../schema/line-item.ts';
import { ACCEPTED_CODE } from './break-codes.ts';
import { compareDecimals, counted, isZero, negated, sum } from './figures.ts';
import { closes, type ThreeWays } from './three-way.ts';

/** One statement that must hold, how often it was checked, and where it does not. */
export interface Proof {
    readonly statement: string;
    readonly checked: string;
    readonly holds: boolean;
    /** At most five places, and how many more. */
    readonly failures: readonly string[];
}

/** The proofs a reader could repeat with the documents at hand. */
export function proofsOf(
    certificate: Certificate,
    lines: readonly LineItem[],
    breaks: readonly Break[],
): readonly Proof[] {
    return [
        completeness(certificate),
        identity(certificate),
        nothingUnexplained(certificate),
        // A reconciliation writes no lines: its payers' totals have nothing to add up to.
        ...(certificate.pipeline === 'nightly' ? [linesAddUp(certificate, lines)] : []),
        ...(certificate.corrections ? [correctionsAddUp(certificate, lines)] : []),
        breaksAddUp(certificate, breaks),
    ];
}

function proof(statement: string, checked: string, failures: readonly string[]): Proof {
    const more = failures.length - 5;
    const shown = more > 0 ? [...failures.slice(0, 5), `and ${more} more`] : failures;
    return { statement, checked, holds: failures.length === 0, failures: shown };
}

function completeness({ inputs }: Certificate): Proof {
    const failures = inputs
        .filter(({ lines, events, duplicates, conflicts, suspended }) => {
            const accounted = sum([events, duplicates, conflicts, suspended]);
            return compareDecimals(lines, accounted) !== 0;
        })
        .map((input) => input.key);
    return proof(
        'Lines in = events + duplicates + conflicts + suspended, for every input object.',
        counted(inputs.length, 'object'),
        failures,
    );
}

/** Unauditable groups have no debits: there is nothing to subtract. */
function identity({ tie_outs }: Certificate): Proof {
    const audited = tie_outs.filter((tie) => tie.status === 'tied');
    const failures = audited
        .filter((tie) => {
            const gap = compareDecimals(tie.rated, sum([tie.debited, tie.difference]));
            const parts = sum([tie.broken, tie.rounding, tie.repriced, tie.unexplained]);
            return gap !== 0 || compareDecimals(tie.difference, parts) !== 0;
        })
        .map((tie) => `${tie.payer_id} / ${tie.account_id} / ${tie.asset}`);
    return proof(
        'Rated - debited = breaks + rounding + repriced + unexplained, per account and asset with a debit log.',
        counted(audited.length, 'group'),
        failures,
    );
}

function nothingUnexplained({ tie_outs }: Certificate): Proof {
    const failures = tie_outs
        .filter((tie) => !isZero(tie.unexplained))
        .map((tie) => `${tie.payer_id} / ${tie.account_id} / ${tie.asset}: ${tie.unexplained}`);
    return proof(
        'Unexplained is exactly zero, per account and asset.',
        counted(tie_outs.length, 'group'),
        failures,
    );
}

function linesAddUp({ payers }: Certificate, lines: readonly LineItem[]): Proof {
    const actual = Map.groupBy(lines, (line) => JSON.stringify([line.payer_id, line.currency]));
    const expected = new Map(
        payers.map((payer) => [JSON.stringify([payer.payer_id, payer.currency]), payer]),
    );
    const keys = [...new Set([...actual.keys(), ...expected.keys()])].sort(compareText);
    const failures = keys
        .filter((key) => {
            const group = actual.get(key) ?? [];
            const payer = expected.get(key);
            if (!payer) return true;
            const total = sum(group.map((line) => line.amount));
            return group.length !== payer.line_count || compareDecimals(total, payer.amount) !== 0;
        })
        .map((key) => (JSON.parse(key) as readonly string[]).join(' / '));
    return proof(
        'Lines add up to the payer’s total, in number and amount, per payer and currency.',
        counted(keys.length, 'payer total'),
        failures,
    );
}

/** Every line that corrects another is in one of the totals, and the other way round. */
function correctionsAddUp({ corrections = [] }: Certificate, lines: readonly LineItem[]): Proof {
    const keyOf = (of: {
        readonly backfill_id: string | null;
        readonly corrects_period: string | null;
        readonly payer_id: string;
        readonly currency: string;
    }) => [of.corrects_period, of.backfill_id, of.payer_id, of.currency].join(' / ');
    const correcting = lines.filter(({ line_type }) => line_type.endsWith('_adjustment'));
    const left = [
        ...corrections.map((of) => ({ key: keyOf(of), amount: of.amount })),
        ...correcting.map((of) => ({ key: keyOf(of), amount: negated(of.amount) })),
    ];
    const failures = [...Map.groupBy(left, ({ key }) => key)]
        .filter(([, of]) => !isZero(sum(of.map(({ amount }) => amount))))
        .map(([key]) => key)
        .sort(compareText);
    return proof(
        'Lines that correct closed periods add up to what their backfills found, per period, backfill, payer and currency.',
        counted(corrections.length, 'total'),
        failures,
    );
}

/** Differences accepted within tolerance are left out: they are in no list. */
function breaksAddUp({ breaks: totals }: Certificate, breaks: readonly Break[]): Proof {
    const keyOf = (code: string, asset: string | null) => `${code} / ${asset ?? ''}`;
    const counts = new Map<string, number>();
    const count = (key: string, by: number) => counts.set(key, (counts.get(key) ?? 0) + by);
    for (const { code, asset, break_count } of totals) count(keyOf(code, asset), break_count);
    for (const { code, asset } of breaks) count(keyOf(code, asset), -1);
    const keys = [...counts.keys()].filter((key) => !key.startsWith(`${ACCEPTED_CODE} / `));
    return proof(
        'The list of breaks has as many as the totals say, per code and asset.',
        counted(keys.length, 'total'),
        keys.filter((key) => counts.get(key) !== 0).sort(compareText),
    );
}

/** The ways come from outcomes, charges and lines; what they must come to is the certificate's. */
export function threeWayProof(
    { tie_outs, payers, pipeline }: Certificate,
    { rows, totals }: ThreeWays,
): Proof {
    const isDelivered = rows.some(({ deliveries }) => deliveries.length > 0);
    const isSame = (asset: string, what: string, of: string, expected: readonly string[]) =>
        compareDecimals(of, sum(expected)) === 0 ? [] : [`${asset}: ${what}`];
    const failures = [
        ...rows
            .filter((row) => !closes(row))
            .map(({ payer_id, product, asset }) => `${payer_id} / ${product} / ${asset}`),
        ...totals.flatMap(({ asset, authorized, invoiced, to_metered }) => {
            const debited = tie_outs.filter((tie) => tie.asset === asset);
            const billed = payers.filter((payer) => payer.currency === asset);
            const left = to_metered.filter((of) => of.step === 'unexplained');
            return [
                ...isSame(
                    asset,
                    'authorized',
                    authorized,
                    debited.map((of) => of.debited),
                ),
                ...left.map(({ amount }) => `${asset}: ${amount} unexplained`),
                ...(pipeline === 'nightly' && invoiced !== null
                    ? isSame(
                          asset,
                          'invoiced',
                          invoiced,
                          billed.map((of) => of.amount),
                      )
                    : []),
            ];
        }),
    ];
    return proof(
        `Authorized + steps = metered, ${isDelivered ? '' : 'and '}metered + steps = invoiced${isDelivered ? ', and invoiced + steps = delivered' : ''}, per payer, product and asset; they come to the tie-outs and to what is invoiced.`,
        counted(rows.length, 'row'),
        failures,
    );
}
