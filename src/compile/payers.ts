import type { FileProblem } from '../errors/index.ts';
import { formatInstant, parseInstant } from '../time/instant.ts';
import type { AccountPath } from './accounts.ts';
import type { Payer } from './commitments.ts';
import type { Contract } from './contracts.ts';
import { isEnded, overlap, type TimeSpan } from './windows.ts';

/** Account to the paths in the period that lead through it: its own, and of those below it. */
export type PathIndex = ReadonlyMap<string, readonly AccountPath[]>;

/** Whether a path holds within the period of who pays. */
function isInPeriod({ valid_from, valid_to, period_start, period_end }: AccountPath): boolean {
    return overlap(spanOf(valid_from, valid_to), spanOf(period_start, period_end));
}

/** Reads all paths once, for some accounts. */
export function pathIndex(paths: readonly AccountPath[], accounts: ReadonlySet<string>): PathIndex {
    const index = new Map<string, AccountPath[]>();
    if (accounts.size === 0) return index;
    for (const path of paths.filter(isInPeriod)) {
        for (const account of path.path.split(separator)) {
            if (!accounts.has(account)) continue;
            const through = index.get(account) ?? [];
            through.push(path);
            index.set(account, through);
        }
    }
    return index;
}

const separator = ' > ';

/** Who pays for an account in the period, in what and where; in the order of the paths. */
export function payersOf(account: string, index: PathIndex): readonly Payer[] {
    const own = (index.get(account) ?? []).filter((path) => path.account_id === account);
    const byPayer = Map.groupBy(own, ({ payer_id, currency, time_zone }) =>
        JSON.stringify([payer_id, currency, time_zone]),
    );
    return [...byPayer.values()].flatMap((paths): readonly Payer[] => {
        const [first] = paths;
        if (!first) return [];
        const { payer_id, currency, time_zone } = first;
        const period = spanOf(first.period_start, first.period_end);
        const depths = paths.map(({ path }) => path.split(separator).length);
        return [
            {
                ...{ payer_id, currency, time_zone, period },
                depth: BigInt(Math.max(...depths)),
                spans: paths.map((path) => within(spanOf(path.valid_from, path.valid_to), period)),
            },
        ];
    });
}

/** The account and all below it that the payer pays for at any time of the period, sorted. */
export function accountsBelow(
    account: string,
    { payer_id }: Payer,
    index: PathIndex,
): readonly string[] {
    const paid = (index.get(account) ?? []).filter((path) => path.payer_id === payer_id);
    return [...new Set(paid.map(({ account_id }) => account_id))].sort();
}

function spanOf(from: string, to: string): TimeSpan {
    return { from: parseInstant(from), to: parseInstant(to) };
}

function within({ from, to }: TimeSpan, period: TimeSpan): TimeSpan {
    return {
        from: from > period.from ? from : period.from,
        to: to < period.to ? to : period.to,
    };
}

/** What is promised is promised by one, and counted by one period. */
export function severalPayers(
    file: string,
    { contract, account, line }: Contract,
    payers: readonly Payer[],
): FileProblem {
    const names = payers.map((of) => `${of.payer_id} (${of.currency}, ${of.time_zone})`).sort();
    return {
        code: 'PROMISE_PAYERS',
        file,
        line,
        message: `contract ${contract} has commitments or grants, and more than one pays for ${account} in the period: ${names.join(', ')}`,
        remedy: 'End it where the payer changes, and begin another contract for the next one.',
    };
}

/** A commitment or balance of a contract, and when it is in force. */
export interface Kept extends TimeSpan {
    readonly name: string;
    readonly line: number;
    /** Whether what it lacks is billed when it ends. */
    readonly isTruedUp: boolean;
}

/**
 * Promises that one payer made and another would keep, or nobody: the other would be billed what the
 * first one lacked, and no one what is lacking where an account is gone. Told from the period on in
 * which the payer goes, while the contract can still end there. `paths` are all of the account.
 */
export function brokenPromises(
    file: string,
    { contract, account }: Contract,
    payer: Payer,
    kept: readonly Kept[],
    paths: readonly AccountPath[],
): readonly FileProblem[] {
    const { period } = payer;
    const own = paths.map((path) => ({ path, ...spanOf(path.valid_from, path.valid_to) }));
    const others = own.filter(({ path }) => !isPaidBy(payer, path));
    const ends = own.filter(({ path }) => isPaidBy(payer, path)).map(({ to }) => to);
    const end = ends.sort((one, two) => (one < two ? -1 : 1)).at(-1) ?? period.to;
    return kept.flatMap((of): readonly FileProblem[] => {
        const other = others.find((span) => span.from <= period.to && overlap(span, of));
        const isLost = of.isTruedUp && of.to > period.to && end <= period.to;
        if (!other && !isLost) return [];
        const until = isEnded(of) ? ` to ${formatInstant(of.to)}` : '';
        const who = other
            ? `both ${payer.payer_id} and ${other.path.payer_id} pay for ${account} in that time`
            : `${account} is gone at ${formatInstant(end)}: nobody would be billed what it lacks`;
        return [
            {
                ...{ code: 'PROMISE_PAYERS', file, line: of.line },
                message: `${of.name} of contract ${contract} is from ${formatInstant(of.from)}${until}, and ${who}`,
                remedy: other
                    ? 'End the contract where the payer changes, run again the period that it then ends in, and begin another contract for the next payer.'
                    : `End the contract there: \`to: ${formatInstant(end)}\`.`,
            },
        ];
    });
}

/** Whether who pays on a path is that payer, in its money and zone. */
function isPaidBy({ payer_id, currency, time_zone }: Payer, path: AccountPath): boolean {
    return path.payer_id === payer_id && path.currency === currency && path.time_zone === time_zone;
}
