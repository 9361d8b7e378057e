import type { Contracts } from '../compile/contracts.ts';
import type { Opening, Openings } from '../compile/openings.ts';
import type { FileProblem } from '../errors/index.ts';
import { openingColumns, openingSchema } from '../schema/opening.ts';
import { didYouMean } from '../schema/suggest.ts';
import type { Place } from './card.ts';
import { type CsvRow, readCsvRows } from './csv-rows.ts';
import { inFileOrder, Problems } from './problems.ts';

/**
 * Reads the openings file: what contracts counted over their terms before the period. All problems at
 * once. Which openings a period needs is for `termProblems`.
 */
export function loadOpenings(
    file: string,
    text: string,
    contracts: Contracts,
): { readonly openings: Openings } | { readonly problems: readonly FileProblem[] } {
    const problems = new Problems();
    const [header, ...rows] = readCsvRows({ file, text }, 'OPENING_INVALID', problems);
    const isReadable = header !== undefined && checkHeader(file, header, problems);
    const openings = isReadable
        ? rows.flatMap((row) => readOpening(file, header, row, contracts, problems) ?? [])
        : [];
    lintTwice(file, openings, problems);
    return problems.list.length
        ? { problems: inFileOrder(problems.list) }
        : { openings: { file, rows: openings } };
}

function checkHeader(file: string, { line, cells }: CsvRow, problems: Problems): boolean {
    const before = problems.list.length;
    const at = { file, line };
    const remedy = `The columns are ${openingColumns.join(', ')}.`;
    for (const name of openingColumns.filter((column) => !cells.includes(column))) {
        problems.add(at, 'OPENING_INVALID', `there is no column "${name}"`, { remedy });
    }
    cells.forEach((name, index) => {
        if (!openingColumns.includes(name)) {
            problems.add(at, 'OPENING_INVALID', `column "${name}" is not known`, {
                remedy: `${didYouMean(name, openingColumns)} ${remedy}`,
            });
        } else if (cells.indexOf(name) !== index) {
            problems.add(at, 'OPENING_INVALID', `two columns are called "${name}"`, { remedy });
        }
    });
    return problems.list.length === before;
}

function readOpening(
    file: string,
    header: CsvRow,
    { line, cells }: CsvRow,
    contracts: Contracts,
    problems: Problems,
): Opening | null {
    const at = { file, line };
    if (cells.length !== header.cells.length) {
        const counts = `${cells.length} cells, the header has ${header.cells.length}`;
        problems.add(at, 'OPENING_INVALID', `this row has ${counts}`, {
            remedy: 'Write one cell for each column; quote a cell with a comma in it.',
        });
        return null;
    }
    const row = Object.fromEntries(header.cells.map((name, index) => [name, cells[index] ?? '']));
    const { contract = '', product = '', meter = '' } = row;
    const isNamed = contract !== '' && product !== '' && meter !== '';
    if (isNamed) lintCounted(at, { contract, product, meter }, contracts, problems);
    const read = openingSchema.safeParse(row);
    if (read.success) return { ...read.data, line };
    for (const { path, message } of read.error.issues) {
        problems.add(at, 'OPENING_INVALID', message, {
            path: path.join('.'),
            remedy: 'Write what the term counted before the period, in units of the meter: 1250.5',
        });
    }
    return null;
}

/** Whether the contract is known, and counts that over its term. */
function lintCounted(
    at: Place,
    { contract, product, meter }: Pick<Opening, 'contract' | 'product' | 'meter'>,
    { contracts }: Contracts,
    problems: Problems,
): void {
    const own = contracts.find((of) => of.contract === contract);
    if (!own) {
        const ids = contracts.map((of) => of.contract);
        problems.add(at, 'OPENING_UNKNOWN', `no contract is called "${contract}"`, {
            remedy: ids.length
                ? didYouMean(contract, ids)
                : 'Take the row out, or name the contracts in tieout.yaml.',
        });
    } else if (!own.counts.some((of) => of.product === product && of.meter === meter)) {
        const counted = own.counts.map((of) => `${of.product} of ${of.meter}`).join(', ');
        problems.add(
            at,
            'OPENING_UNKNOWN',
            `contract ${contract} does not count ${product} of ${meter} over its term`,
            {
                remedy: `It counts ${counted || 'nothing: no rate has tier_scope contract_term'}.`,
            },
        );
    }
}

function lintTwice(file: string, openings: readonly Opening[], problems: Problems): void {
    const byKey = Map.groupBy(openings, ({ contract, product, meter }) =>
        JSON.stringify([contract, product, meter]),
    );
    for (const [first, ...again] of byKey.values()) {
        for (const { contract, product, meter, quantity, line } of again) {
            problems.add(
                { file, line },
                'OPENING_TWICE',
                `${product} of ${meter} under ${contract} is ${quantity} here and ${first?.quantity} at line ${first?.line}`,
                { remedy: 'Keep one of them: the sum of all that was used before the period.' },
            );
        }
    }
}
