import { RunError } from '../errors/index.ts';
import { readCsvTable } from '../rules/csv-table.ts';
import { inFileOrder, Problems } from '../rules/problems.ts';

/** What one target calls what we name; null for a name that nobody gave. */
export interface Names {
    readonly payer: (payer_id: string) => string | null;
    readonly product: (product: string) => string | null;
    /** The legal entity that bills a payer; only NetSuite asks for it. */
    readonly subsidiary?: (payer_id: string) => string | null;
}

const columns = ['kind', 'ours', 'target', 'theirs'] as const;
const kinds = ['payer', 'product', 'subsidiary'];

/**
 * Reads a file of names: `payer,acme,stripe,cus_123`, one row a name and target.
 * @throws RunError NAMES_INVALID with all problems
 */
export function readNames(file: string, text: string, target: string): Names {
    const problems = new Problems();
    const code = 'NAMES_INVALID';
    const rows = readCsvTable({ file, text, columns, code }, problems);
    const named = new Map<string, string>();
    for (const { at, cells } of rows) {
        const { kind = '', ours = '', target: of = '', theirs = '' } = cells;
        if (!kinds.includes(kind)) {
            problems.add(at, code, `kind "${kind}" is none of ${kinds.join(', ')}`);
        }
        if (ours === '' || of === '' || theirs === '') {
            problems.add(at, code, 'a name, its target and what it is called there are all needed');
        }
        const key = JSON.stringify([kind, ours, of]);
        if (named.has(key)) {
            problems.add(at, code, `${kind} "${ours}" has a name in ${of} already`, {
                remedy: 'Keep the one that is right.',
            });
        }
        named.set(key, theirs);
    }
    if (problems.list.length > 0) {
        throw new RunError('NAMES_INVALID', { problems: inFileOrder(problems.list) });
    }
    const nameOf = (kind: string) => (ours: string) =>
        named.get(JSON.stringify([kind, ours, target])) ?? null;
    return {
        payer: nameOf('payer'),
        product: nameOf('product'),
        subsidiary: nameOf('subsidiary'),
    };
}

/** Where no file names anything, everything is called what we call it. */
export const ownNames: Names = { payer: (of) => of, product: (of) => of };
