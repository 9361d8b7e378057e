import type { FileProblem } from '../errors/index.ts';
import { formatInstant, type Instant } from '../time/instant.ts';
import type { Contract, Contracts } from './contracts.ts';

/** What a row of the openings says, and where. */
interface Said {
    readonly contract: string;
    readonly quantity: string;
    /** The period that it opens, yyyy-MM; null for whatever is run. */
    readonly period: string | null;
    readonly line: number;
}

/** What a contract counted over its term before the period, of a product and meter. */
export interface Opening extends Said {
    readonly product: string;
    /** Its quantity is in units of it. */
    readonly meter: string;
}

/** What counted towards a commitment before the period, or was left of a grant. */
export interface HolderOpening extends Said {
    /** Id of the commitment, or of the balance. */
    readonly holder: string;
}

/** What there was before the period; without a file nothing is said. */
export interface Openings {
    readonly file: string;
    /** Of terms. */
    readonly rows: readonly Opening[];
    readonly commitments: readonly HolderOpening[];
    readonly grants: readonly HolderOpening[];
    /** The period before, where it is its run that says so: its file is '' without such a run. */
    readonly previous?: string;
}

/** No openings: nothing began before the period. */
export const noOpenings: Openings = { file: '', rows: [], commitments: [], grants: [] };

/** The openings of one period. */
export function openingsOf(openings: Openings, period: string): Openings {
    const opens = (of: Said) => of.period === null || of.period === period;
    return {
        ...openings,
        rows: openings.rows.filter(opens),
        commitments: openings.commitments.filter(opens),
        grants: openings.grants.filter(opens),
    };
}

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
                if (contract.from >= payer.start) return unused(openings, row, contract);
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
    openings: Openings,
    row: Opening | undefined,
    { contract, from }: Contract,
): readonly FileProblem[] {
    if (!row || isZero(row)) return [];
    return [
        {
            code: 'OPENING_NOT_ZERO',
            file: openings.file,
            line: row.line,
            message: `${row.product} of ${row.meter} under ${contract} opens with ${row.quantity}, and its term begins at ${formatInstant(from)}, not before the period`,
            remedy: toCorrect(openings, 'Take the row out, or correct the begin of the contract.'),
        },
    ];
}

/** Whether a row says that there was nothing, which is not the same as saying nothing. */
export function isZero({ quantity }: Pick<Said, 'quantity'>): boolean {
    return !/[1-9]/.test(quantity);
}

function missing(
    file: string,
    openings: Openings,
    { contract, from, line }: Contract,
    { product, meter }: { readonly product: string; readonly meter: string },
    { start }: TermPayer,
): FileProblem {
    return {
        code: 'OPENING_MISSING',
        file,
        line,
        message: `contract ${contract} counts ${product} of ${meter} from ${formatInstant(from)}, and nothing says what was used before ${formatInstant(start)}`,
        remedy: toSay(openings, `the row ${contract},${product},${meter},QUANTITY`),
    };
}

/** Where a person says what is missing. */
export function toSay({ file, previous }: Openings, row: string): string {
    const named = 'a CSV file that `openings` of tieout.yaml names';
    if (previous === undefined) return `Write ${row} in ${file || named}; 0 if nothing was.`;
    const run = `run \`tieout run --period ${previous}\``;
    const first = file
        ? `${file} does not say it: correct what that run was made of and ${run} again`
        : `No nightly run of ${previous} is whole: ${run} first`;
    return `${first}, or write ${row} in ${named} instead; 0 if nothing was.`;
}

/** What a person does about a row that is wrong: in a file of their own, or in one that a run made. */
export function toCorrect({ previous }: Openings, remedy: string): string {
    return previous === undefined
        ? remedy
        : `The run of ${previous} wrote this: keep in the contracts what was open then, or name a CSV file of your own in \`openings\` of tieout.yaml.`;
}
