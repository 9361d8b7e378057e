import type { CurrencyRate, CurrencyRates } from '../compile/conversions.ts';
import type { FileProblem } from '../errors/index.ts';
import { isCurrency } from '../money/currency.ts';
import { currencyRateColumns, currencyRateSchema } from '../schema/currency-rate.ts';
import { isDate } from '../time/civil.ts';
import { readCsvTable, type TableRow } from './csv-table.ts';
import { inFileOrder, Problems } from './problems.ts';

const code = 'CURRENCY_RATE_INVALID';

/**
 * Reads the file of currency rates. All problems at once. A pair that is not written is not made of
 * others: nothing is inverted or chained.
 */
export function loadCurrencyRates(
    file: string,
    text: string,
    max_age_days: number,
): { readonly rates: CurrencyRates } | { readonly problems: readonly FileProblem[] } {
    const problems = new Problems();
    const table = readCsvTable({ file, text, columns: currencyRateColumns, code }, problems);
    const rows = table.flatMap((row) => readRate(row, problems) ?? []);
    lintTwice(file, rows, problems);
    return problems.list.length
        ? { problems: inFileOrder(problems.list) }
        : { rates: { file, max_age_days, rows } };
}

function readRate({ at, cells }: TableRow, problems: Problems): CurrencyRate | null {
    const before = problems.list.length;
    const read = currencyRateSchema.safeParse(cells);
    for (const { path, message } of read.error?.issues ?? []) {
        problems.add(at, code, message, {
            path: path.join('.'),
            remedy: 'A row is like USD,EUR,2026-01-30,0.92,ECB: 1 USD was 0.92 EUR.',
        });
    }
    if (!read.success) return null;
    const { from, to, on } = read.data;
    for (const currency of [from, to].filter((name) => !isCurrency(name))) {
        problems.add(at, 'UNKNOWN_CURRENCY', `${currency} is not an ISO 4217 currency`, {
            remedy: 'Write the three-letter code, e.g. USD.',
        });
    }
    if (from === to) {
        problems.add(at, code, `this rate is from ${from} to itself`, {
            remedy: 'Take the row out: prices in a currency are not converted to it.',
        });
    }
    if (!isDate(on)) {
        problems.add(at, code, `on "${on}" is not a date`, {
            remedy: 'Write it as yyyy-mm-dd, like 2026-01-30.',
        });
    }
    return problems.list.length > before ? null : { ...read.data, line: at.line };
}

function lintTwice(file: string, rows: readonly CurrencyRate[], problems: Problems): void {
    const byDate = Map.groupBy(rows, ({ from, to, on }) => JSON.stringify([from, to, on]));
    for (const [first, ...again] of byDate.values()) {
        for (const { from, to, on, rate, line } of again) {
            problems.add(
                { file, line },
                'CURRENCY_RATE_TWICE',
                `1 ${from} on ${on} is ${rate} ${to} here and ${first?.rate} at line ${first?.line}`,
                { remedy: 'Keep one of them: an invoice has one rate.' },
            );
        }
    }
}
