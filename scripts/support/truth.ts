import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Truth } from '../../fixtures/generator/index.ts';
import { Engine } from '../../src/duck/engine.ts';
import { type Amount, add, compare, formatAmount, parseAmount } from '../../src/money/amount.ts';
import type { Certificate } from '../../src/schema/certificate.ts';

/** truth.json as it is read: quantities are plain integers there. */
export type NightTruth = Omit<Truth, 'quantity'> & {
    readonly quantity: Readonly<Record<string, number>>;
};

/** What `tieout run --json` answers. */
interface RunAnswer {
    readonly run_id: string;
    readonly folder: string;
    readonly certificate: Certificate;
}

export interface Comparison {
    readonly run: { readonly run_id: string; readonly run_digest: string };
    readonly figures: readonly {
        readonly of: string;
        readonly expected: string;
        readonly actual: string;
        readonly ok: boolean;
    }[];
    readonly codes: readonly {
        readonly code: string;
        readonly planted: number;
        readonly found: number;
        readonly missed: readonly string[];
        readonly extra: readonly string[];
    }[];
    readonly rounding: readonly string[];
    readonly differences: number;
}

/** The kinds of unusable lines in truth.json, as the codes of suspense. */
const suspenseOf: Readonly<Record<string, string>> = {
    malformed_json: 'MALFORMED_JSON',
    missing_id: 'MISSING_ID',
    not_a_number: 'NOT_A_NUMBER',
    negative_quantity: 'NEGATIVE_QUANTITY',
    unknown_account: 'UNKNOWN_ACCOUNT',
    bad_time: 'BAD_TIME',
};

type Line = Readonly<Record<string, string>>;

/** Compares what a run left with the truth: counts, exact sums, and every break by code and key. */
export async function compareWithTruth(answer: RunAnswer, truth: NightTruth): Promise<Comparison> {
    const { certificate, folder } = answer;
    const read = (name: string): readonly Line[] =>
        parse(readFileSync(join(folder, name), 'utf8'), { columns: true });
    // What was rated; what wallets paid of it is taken off by lines of their own.
    const usageLines = read('line_items.csv').filter(({ line_type }) => line_type === 'usage');
    const figures = [
        ...countFigures(certificate, truth),
        ...(await unratedFigures(folder, truth)),
        ...amountFigures(usageLines, truth),
    ];
    const codes = compareBreaks(read('breaks.csv'), truth);
    const wrongKeys = codes.reduce(
        (sum, { missed, extra }) => sum + missed.length + extra.length,
        0,
    );
    return {
        run: { run_id: answer.run_id, run_digest: certificate.run_digest },
        figures,
        codes,
        rounding: certificate.breaks
            .filter(({ code }) => code === 'AMOUNT_ROUNDING')
            .map((of) => `${of.amount} ${of.asset} over ${of.break_count} matches`),
        differences: wrongKeys + figures.filter(({ ok }) => !ok).length,
    };
}

type Figure = Comparison['figures'][number];

function countFigure(of: string, expected: number | bigint, actual: number | bigint): Figure {
    return {
        of,
        expected: String(expected),
        actual: String(actual),
        ok: BigInt(expected) === BigInt(actual),
    };
}

function exactFigure(of: string, expected: string, actual: Amount | undefined): Figure {
    const found = actual ?? { units: 0n, scale: 0 };
    const truth = parseAmount(expected);
    return {
        of,
        expected: formatAmount(truth),
        actual: formatAmount(found),
        ok: compare(truth, found) === 0,
    };
}

function countFigures({ inputs, suspense }: Certificate, truth: NightTruth): readonly Figure[] {
    const usage = inputs.filter(({ key }) => key.startsWith('usage/'));
    const debits = inputs.filter(({ key }) => key.startsWith('debits/'));
    const total = (of: readonly { readonly [key: string]: unknown }[], name: string) =>
        of.reduce((sum, input) => sum + BigInt(String(input[name])), 0n);
    const codes = new Map(suspense.map(({ code, row_count }) => [code, BigInt(row_count)]));
    return [
        countFigure('usage lines', truth.usage_lines, total(usage, 'lines')),
        countFigure('debit lines', truth.debit_lines, total(debits, 'lines')),
        countFigure(
            'unique events with a price, and those without',
            truth.unique_events_all + truth.unrated_events,
            total(usage, 'events'),
        ),
        countFigure('duplicates', truth.duplicates, total(usage, 'duplicates')),
        countFigure('conflicts', truth.conflicts, total(usage, 'conflicts')),
        ...Object.entries(truth.unusable).map(([kind, count]) =>
            countFigure(
                `suspended as ${suspenseOf[kind]}`,
                count,
                codes.get(suspenseOf[kind] ?? '') ?? 0n,
            ),
        ),
    ];
}

/** Events without a price are counted in the run's database: metered rows are sums. */
async function unratedFigures(folder: string, truth: NightTruth): Promise<readonly Figure[]> {
    const engine = await Engine.open({
        file: join(dirname(folder), 'tables.duckdb'),
        memory: '1GB',
        threads: 1,
        spill: folder,
        readOnly: true,
    });
    try {
        const row = await engine.one(
            `select count(*) filter (where is_in_period and not is_unrated) as priced,
                count(*) filter (where is_unrated) as unrated
            from compiled.event_values`,
        );
        return [
            countFigure(
                'priced events of the period',
                truth.unique_events_in_period,
                row.priced as bigint,
            ),
            countFigure('unrated events', truth.unrated_events, row.unrated as bigint),
        ];
    } finally {
        engine.close();
    }
}

function sumBy(
    lines: readonly Line[],
    key: (line: Line) => string,
    value: string,
): Map<string, Amount> {
    const sums = new Map<string, Amount>();
    for (const line of lines) {
        const at = key(line);
        sums.set(at, add(sums.get(at) ?? { units: 0n, scale: 0 }, parseAmount(line[value] ?? '')));
    }
    return sums;
}

/** Sums of exact amounts and quantities of the lines; a key on one side only is a difference too. */
function amountFigures(lines: readonly Line[], truth: NightTruth): readonly Figure[] {
    const attributes = (line: Line) => {
        const of = JSON.parse(line.attributes ?? '{}');
        return `${of.model}|${of.token_class}|${of.context_band}`;
    };
    const byKey = (
        name: string,
        expected: Readonly<Record<string, string>>,
        actual: ReadonlyMap<string, Amount>,
    ) =>
        [...new Set([...Object.keys(expected), ...actual.keys()])]
            .sort()
            .map((key) => exactFigure(`${name} ${key}`, expected[key] ?? '0', actual.get(key)));
    const quantities = Object.fromEntries(
        Object.entries(truth.quantity).map(([key, value]) => [key, String(value)]),
    );
    return [
        exactFigure(
            'exact amount in total',
            truth.rated_amount_exact,
            sumBy(lines, () => '', 'amount_exact').get(''),
        ),
        ...byKey(
            'exact amount of',
            truth.rated_amount_by_payer,
            sumBy(lines, (line) => line.payer_id ?? '', 'amount_exact'),
        ),
        ...byKey('quantity', quantities, sumBy(lines, attributes, 'quantity')),
        ...byKey('amount', truth.amount, sumBy(lines, attributes, 'amount_exact')),
    ];
}

/** `CODE(aggregated)` in the truth is the same code on a day of an account. */
function compareBreaks(breaks: readonly Line[], truth: NightTruth): Comparison['codes'] {
    const planted = Map.groupBy(
        Object.entries(truth.injected_keys).flatMap(([name, keys]) =>
            keys.map((key) => ({ code: name.replace('(aggregated)', ''), key })),
        ),
        ({ code }) => code,
    );
    const found = Map.groupBy(breaks, (of) => of.code ?? '');
    const unnamed: Readonly<Record<string, number>> = {
        UNRATED: truth.unrated_events,
        DUP_METER_CONFLICT: truth.conflicts,
    };
    const codes = [
        ...new Set([...planted.keys(), ...found.keys(), ...Object.keys(unnamed)]),
    ].sort();
    return codes.map((code) => {
        const actual = (found.get(code) ?? []).map((of) => of.break_key ?? '');
        const count = unnamed[code];
        if (count !== undefined) return unnamedCode(code, actual, count);
        const expected = (planted.get(code) ?? []).map(({ key }) => key);
        return {
            code,
            planted: expected.length,
            found: actual.length,
            missed: without(expected, actual),
            extra: without(actual, expected),
        };
    });
}

/** Of some codes the truth says how many there are, and not which. */
function unnamedCode(
    code: string,
    actual: readonly string[],
    planted: number,
): Comparison['codes'][number] {
    return {
        ...{ code, planted, found: actual.length },
        missed: Array.from({ length: Math.max(0, planted - actual.length) }, () => '(unnamed)'),
        extra: actual.slice(planted),
    };
}

/** What is in `all` and not in `others`, each as often as it is too often. */
function without(all: readonly string[], others: readonly string[]): readonly string[] {
    const rest = [...others];
    return all.filter((key) => {
        const at = rest.indexOf(key);
        if (at < 0) return true;
        rest.splice(at, 1);
        return false;
    });
}
