import type { FileProblem } from '../errors/index.ts';
import { parseInstant } from '../time/instant.ts';
import type { AccountPath } from './accounts.ts';
import type { Payer } from './commitments.ts';
import type { Contract } from './contracts.ts';
import { overlap, type TimeSpan } from './windows.ts';

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
