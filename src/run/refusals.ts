import type { AccountPath } from '../compile/accounts.ts';
import { bookFinder } from '../compile/contracts.ts';
import type { BackfillPeriod, Refusal } from '../schema/backfill.ts';
import type { Certificate } from '../schema/certificate.ts';
import { parseInstant } from '../time/instant.ts';
import { type Paying, whyUnbillable } from './corrections.ts';
import type { Project } from './project.ts';

/** What is looked at of the accounts of a run. */
type Path = Pick<AccountPath, 'payer_id' | 'path' | 'valid_from' | 'valid_to'>;

/** What decides whether differences of a closed period can be billed in an open one. */
export interface RefusalFacts {
    readonly project: Pick<Project, 'config' | 'contracts'>;
    readonly billed: Pick<Certificate, 'payers'>;
    readonly candidate: Pick<Certificate, 'payers'>;
    readonly payers: BackfillPeriod['payers'];
    /** Contracts that the next month would open with something else of, and cannot. */
    readonly contracts: readonly string[];
    /** Who pays in the period that would bill. */
    readonly billing: { readonly period: string; readonly paths: readonly Paying[] };
}

/**
 * Payers whose differences are shown and not billed as corrections, one reason each: their contract
 * says so, their lines were or would be held, what the next month opened with would be another, or
 * the open period has no invoice for them.
 */
export function refusalsOf(facts: RefusalFacts, paths: readonly Path[]): readonly Refusal[] {
    const { project, billed, candidate, payers, billing } = facts;
    const restated = payersThat(paths, (path) => isRestated(project, path));
    const opened = openedOtherwise(facts, paths);
    const held = [billed, candidate].map(
        (of) =>
            new Set(
                of.payers.filter((one) => one.recon_status === 'held').map((one) => one.payer_id),
            ),
    );
    const reasonOf = (of: BackfillPeriod['payers'][number]): Omit<Refusal, 'payer_id'> | null => {
        const { payer_id } = of;
        const isKnown = paths.some((path) => path.payer_id === payer_id);
        const isRestate = isKnown
            ? restated.has(payer_id)
            : project.config.late_usage === 'restate';
        if (isRestate) return { why: 'restate', detail: 'late_usage: restate' };
        if (held[0]?.has(payer_id)) {
            return { why: 'held', detail: 'its lines were held when the period was closed' };
        }
        if (held[1]?.has(payer_id)) return { why: 'held', detail: 'its lines would be held now' };
        const contract = opened.get(payer_id);
        if (contract !== undefined) {
            const detail = `the next month was opened with something else of contract ${contract}`;
            return { why: 'closings', detail };
        }
        const why = whyUnbillable(of, billing.paths);
        return why === null ? null : { why: 'payer', detail: `in ${billing.period} ${why}` };
    };
    const byPayer = new Map<string, Refusal>();
    for (const of of payers) {
        const reason = reasonOf(of);
        if (reason && !byPayer.has(of.payer_id)) {
            byPayer.set(of.payer_id, { payer_id: of.payer_id, ...reason });
        }
    }
    return [...byPayer.values()];
}

function payersThat(paths: readonly Path[], is: (path: Path) => boolean): ReadonlySet<string> {
    return new Set(paths.filter(is).map(({ payer_id }) => payer_id));
}

/** From the account to its root. */
const accountsOf = ({ path }: Path) => path.split(' > ').reverse();

/** Whether the contract with the operator says restate at any time, or the config where it is silent. */
function isRestated({ contracts, config }: RefusalFacts['project'], path: Path): boolean {
    const [from, to] = [path.valid_from, path.valid_to].map(parseInstant) as [bigint, bigint];
    const spans = bookFinder(contracts)(accountsOf(path), from, to);
    return spans.some(({ contract }) => (contract?.lateUsage ?? config.late_usage) === 'restate');
}

/** Payers to the contract of which their next month opens with something else. */
function openedOtherwise(
    { project, contracts, payers }: RefusalFacts,
    paths: readonly Path[],
): ReadonlyMap<string, string> {
    return new Map(
        contracts.flatMap((contract) =>
            // One that is gone may be of anybody.
            (payersUnder(contract, project, paths) ?? payers.map(({ payer_id }) => payer_id)).map(
                (payer_id) => [payer_id, contract] as const,
            ),
        ),
    );
}

/** Who pays for accounts of a contract; null where there is no such contract. */
export function payersUnder(
    contract: string,
    { contracts }: Pick<Project, 'contracts'>,
    paths: readonly Path[],
): readonly string[] | null {
    const account = contracts.contracts.find((of) => of.contract === contract)?.account;
    if (account === undefined) return null;
    return [...payersThat(paths, (path) => accountsOf(path).includes(account))];
}
