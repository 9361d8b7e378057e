import type { FileProblem } from '../errors/index.ts';
import { formatInstant, type Instant } from '../time/instant.ts';
import type { Contract, Contracts } from './contracts.ts';

/** What a contract counted over its term before the period, of a product and meter. */
export interface Opening {
    readonly contract: string;
    readonly product: string;
    readonly meter: string;
    /** In units of the meter. */
    readonly quantity: string;
    readonly line: number;
}

/** The openings file; without one it has no rows. */
export interface Openings {
    readonly file: string;
    readonly rows: readonly Opening[];
}

/** No openings: no term began before the period. */
export const noOpenings: Openings = { file: '', rows: [] };

/** Who pays under a contract, with its period. */
export interface TermPayer {
    readonly payer_id: string;
    readonly start: Instant;
    readonly end: Instant;
}

/**
 * Terms that a period cannot be counted in: begun before it with nothing said of that time, not begun
 * and said to have been used, or with more than one payer to share its tiers.
 * @param payers contract to those who pay under it.
 */
export function termProblems(
    { file, contracts }: Contracts,
    openings: Openings,
    payers: ReadonlyMap<string, readonly TermPayer[]>,
): readonly FileProblem[] {
    return contracts
        .filter(({ counts }) => counts.length > 0)
        .flatMap((contract) => {
            const [payer, ...others] = payers.get(contract.contract) ?? [];
            if (!payer) return [];
            if (others.length) return [severalPayers(file, contract, [payer, ...others])];
            return contract.counts.flatMap((count) => {
                const row = openings.rows.find(
                    (of) =>
                        of.contract === contract.contract &&
                        of.product === count.product &&
                        of.meter === count.meter,
                );
                if (contract.from >= payer.start) return unused(openings.file, row, contract);
                const isCounted = count.from < payer.end && count.to > payer.start;
                return row || !isCounted ? [] : [missing(file, openings, contract, count, payer)];
            });
        });
}

function severalPayers(
    file: string,
    { contract, line }: Contract,
    payers: readonly TermPayer[],
): FileProblem {
    const ids = payers.map(({ payer_id }) => payer_id).sort();
    return {
        code: 'TERM_PAYERS',
        file,
        line,
        message: `contract ${contract} counts tiers over its term, and ${ids.length} accounts pay under it: ${ids.join(', ')}`,
        remedy: 'Give each payer a contract of its own: tiers of one count for one payer.',
    };
}

/** A term that begins with the period, or later, has nothing before it. */
function unused(
    file: string,
    row: Opening | undefined,
    { contract, from }: Contract,
): readonly FileProblem[] {
    if (!row || !/[1-9]/.test(row.quantity)) return [];
    return [
        {
            code: 'OPENING_NOT_ZERO',
            file,
            line: row.line,
            message: `${row.product} of ${row.meter} under ${contract} opens with ${row.quantity}, and its term begins at ${formatInstant(from)}, not before the period`,
            remedy: 'Take the row out, or correct the begin of the contract.',
        },
    ];
}

function missing(
    file: string,
    openings: Openings,
    { contract, from, line }: Contract,
    { product, meter }: { readonly product: string; readonly meter: string },
    { start }: TermPayer,
): FileProblem {
    const place = openings.file || 'a CSV file that `openings` of tieout.yaml names';
    return {
        code: 'OPENING_MISSING',
        file,
        line,
        message: `contract ${contract} counts ${product} of ${meter} from ${formatInstant(from)}, and nothing says what was used before ${formatInstant(start)}`,
        remedy: `Write the row ${contract},${product},${meter},QUANTITY in ${place}; 0 if nothing was.`,
    };
}
