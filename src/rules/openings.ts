import type { z } from 'zod';
import type { Contract, Contracts } from '../compile/contracts.ts';
import type { HolderOpening, Opening, Openings } from '../compile/openings.ts';
import type { FileProblem } from '../errors/index.ts';
import {
    commitmentOpeningSchema,
    grantOpeningSchema,
    type OpeningColumn,
    openingColumns,
    optionalOpeningColumns,
    termOpeningSchema,
} from '../schema/opening.ts';
import { didYouMean } from '../schema/suggest.ts';
import type { Place } from './card.ts';
import { readCsvTable, type TableRow } from './csv-table.ts';
import { inFileOrder, Problems } from './problems.ts';

const code = 'OPENING_INVALID';

/** Cells by column; those of columns that the file leaves out are empty. */
type Cells = Readonly<Record<OpeningColumn, string>>;

/**
 * Reads openings: what there was before the period, of terms, commitments and grants. All problems at
 * once. Which openings a period needs is for `termProblems` and `openingProblems`.
 */
export function loadOpenings(
    file: string,
    text: string,
    contracts: Contracts,
): { readonly openings: Openings } | { readonly problems: readonly FileProblem[] } {
    const problems = new Problems();
    const columns = { columns: openingColumns, optional: optionalOpeningColumns };
    const rows = readCsvTable({ file, text, ...columns, code }, problems);
    const of = rows.flatMap((row) => namedRow(row, problems) ?? []);
    const openings = {
        file,
        rows: of.flatMap((row) => readTerm(row, contracts, problems) ?? []),
        commitments: of.flatMap((row) => readCommitment(row, contracts, problems) ?? []),
        grants: of.flatMap((row) => readGrant(row, contracts, problems) ?? []),
    };
    lintTwice(file, openings, problems);
    return problems.list.length ? { problems: inFileOrder(problems.list) } : { openings };
}

interface Row {
    readonly at: Place;
    readonly cells: Cells;
}

/** A row that names one thing: a product with its meter, a commitment or a grant. */
function namedRow({ at, cells }: TableRow, problems: Problems): Row | null {
    const of = cells as Cells;
    const named = [of.product || of.meter, of.commitment, of.grant].filter((name) => name !== '');
    if (named.length === 1) return { at, cells: of };
    const names = named.length ? `names ${named.join(' and ')}` : 'names nothing that opens';
    problems.add(at, code, `this row ${names}`, {
        remedy: 'Write a product and its meter, or a commitment, or a grant.',
    });
    return null;
}

function readTerm({ at, cells }: Row, contracts: Contracts, problems: Problems): Opening | null {
    const { contract, product, meter } = cells;
    if (product === '' && meter === '') return null;
    if (contract !== '' && product !== '' && meter !== '') {
        const own = contractOf(at, contract, contracts, problems);
        if (own) lintCounted(at, own, { product, meter }, problems);
    }
    const remedy = 'Write what the term counted before the period, in units of the meter: 1250.5';
    const read = parse(at, cells, termOpeningSchema, remedy, problems);
    return read && { ...pick(read), product: read.product, meter: read.meter, line: at.line };
}

function readCommitment(
    { at, cells }: Row,
    contracts: Contracts,
    problems: Problems,
): HolderOpening | null {
    const { contract, commitment } = cells;
    if (commitment === '') return null;
    const own = contract === '' ? undefined : contractOf(at, contract, contracts, problems);
    const known = own?.commitments.map((of) => of.commitment) ?? [];
    if (own && !known.includes(commitment)) {
        const message = `contract ${contract} has no commitment "${commitment}"`;
        problems.add(at, 'OPENING_UNKNOWN', message, { remedy: didYouMean(commitment, known) });
    }
    const remedy = 'Write what counted towards it before the period: 1250.5';
    const read = parse(at, cells, commitmentOpeningSchema, remedy, problems);
    return read && { ...pick(read), holder: read.commitment, line: at.line };
}

function readGrant(
    { at, cells }: Row,
    contracts: Contracts,
    problems: Problems,
): HolderOpening | null {
    const { contract, grant } = cells;
    if (grant === '') return null;
    const own = contract === '' ? undefined : contractOf(at, contract, contracts, problems);
    if (own) lintBalance(at, own, grant, problems);
    const remedy = 'Write what was left of it before the period, in its asset: 1250.5';
    const read = parse(at, cells, grantOpeningSchema, remedy, problems);
    return read && { ...pick(read), holder: read.grant, line: at.line };
}

const pick = (of: Pick<Opening, 'contract' | 'quantity' | 'period'>) => ({
    ...{ contract: of.contract, quantity: of.quantity, period: of.period },
});

function parse<S extends z.ZodType>(
    at: Place,
    cells: Cells,
    schema: S,
    remedy: string,
    problems: Problems,
): z.output<S> | null {
    const read = schema.safeParse(cells);
    if (read.success) return read.data;
    for (const { path, message } of read.error.issues) {
        const more =
            path[0] === 'period' ? { remedy: 'Leave it empty for any period.' } : { remedy };
        problems.add(at, code, message, { path: path.join('.'), ...more });
    }
    return null;
}

function contractOf(
    at: Place,
    contract: string,
    { contracts }: Contracts,
    problems: Problems,
): Contract | undefined {
    const own = contracts.find((of) => of.contract === contract);
    if (own) return own;
    const ids = contracts.map((of) => of.contract);
    problems.add(at, 'OPENING_UNKNOWN', `no contract is called "${contract}"`, {
        remedy: ids.length
            ? didYouMean(contract, ids)
            : 'Take the row out, or name the contracts in tieout.yaml.',
    });
    return undefined;
}

/** Whether the contract counts that over its term. */
function lintCounted(
    at: Place,
    { contract, counts }: Contract,
    { product, meter }: Pick<Opening, 'product' | 'meter'>,
    problems: Problems,
): void {
    if (counts.some((of) => of.product === product && of.meter === meter)) return;
    const counted = counts.map((of) => `${of.product} of ${of.meter}`).join(', ');
    problems.add(
        at,
        'OPENING_UNKNOWN',
        `contract ${contract} does not count ${product} of ${meter} over its term`,
        { remedy: `It counts ${counted || 'nothing: no rate has tier_scope contract_term'}.` },
    );
}

/**
 * Whether a grant of the contract, or a prepaid commitment, can have a balance of that id. Which of
 * them there are in a period depends on the zone of who pays.
 */
function lintBalance(at: Place, own: Contract, id: string, problems: Problems): void {
    const balances = [
        ...own.commitments
            .filter(({ kind }) => kind === 'prepaid')
            .map(({ commitment: name, rollover }) => ({ name, isAnew: true, rollover })),
        ...own.grants.map(({ grant: name, every, rollover }) => ({
            ...{ name, isAnew: every !== 'once', rollover },
        })),
    ];
    const shapes = balances.flatMap(({ name, isAnew, rollover }) => {
        const shape = `${name}${isAnew ? '@yyyy-MM-dd' : ''}`;
        return rollover === null ? [shape] : [shape, `${shape}~rollover`];
    });
    if (shapes.includes(id.replace(/@\d{4}-\d\d-\d\d(?=$|~)/, '@yyyy-MM-dd'))) return;
    problems.add(at, 'OPENING_UNKNOWN', `contract ${own.contract} has no grant "${id}"`, {
        remedy: didYouMean(id, shapes),
    });
}

/** What one row says may be said again for another period, and for no period twice. */
function lintTwice(file: string, openings: Openings, problems: Problems): void {
    const named = [
        ...openings.rows.map((of) => ({ ...of, name: `${of.product} of ${of.meter}` })),
        ...openings.commitments.map((of) => ({ ...of, name: `commitment ${of.holder}` })),
        ...openings.grants.map((of) => ({ ...of, name: `grant ${of.holder}` })),
    ];
    const byName = Map.groupBy(named, ({ contract, name }) => JSON.stringify([contract, name]));
    for (const same of byName.values()) {
        same.forEach(({ contract, name, period, quantity, line }, index) => {
            const first = same
                .slice(0, index)
                .find((of) => of.period === null || period === null || of.period === period);
            if (!first) return;
            problems.add(
                { file, line },
                'OPENING_TWICE',
                `${name} under ${contract} is ${quantity} here and ${first.quantity} at line ${first.line}`,
                { remedy: 'Keep one of them, or say which period each of them opens.' },
            );
        });
    }
}
