import type { FileProblem } from '../errors/index.ts';
import type { Asset } from '../schema/config.ts';
import { formatInstant, type Instant } from '../time/instant.ts';
import type { AccountPath } from './accounts.ts';
import { type Commitment, type Payer, type Promised, promisedBy, sumOf } from './commitments.ts';
import type { Contract, Contracts } from './contracts.ts';
import { type Balance, balancesOf, prepaidBalances } from './grants.ts';
import {
    fineOpening,
    givenOpening,
    type Opened,
    openingOf,
    openingProblems,
} from './holder-openings.ts';
import type { Openings } from './openings.ts';
import {
    accountsBelow,
    brokenPromises,
    type Kept,
    type PathIndex,
    pathIndex,
    payersOf,
    severalPayers,
} from './payers.ts';
import { strayEnds, unevenRests } from './uneven.ts';
import { isEnded, overlap, type TimeSpan } from './windows.ts';
import { type Worth, worthOf } from './worth.ts';

/** A commitment whose window touches the period: a row of rules.commitments. */
export interface CommitmentRow {
    readonly payer_id: string;
    readonly commitment_id: string;
    readonly contract_id: string;
    readonly account_id: string;
    readonly depth: bigint;
    readonly kind: string;
    readonly measure: string;
    readonly meter: string | null;
    readonly currency: string;
    readonly window_start: string;
    readonly window_end: string;
    readonly committed: string;
    readonly counted_before: string;
    readonly is_cumulative: boolean;
    readonly is_due: boolean;
    readonly shortfall_price: string | null;
    readonly overage_factor: string | null;
    readonly overage_unit_price: string | null;
    readonly fee: string | null;
    readonly product: string;
    readonly description: string;
}

/** A balance that can pay in the period: a row of rules.grants. */
export interface GrantRow extends Worth {
    readonly payer_id: string;
    readonly grant_id: string;
    readonly contract_id: string;
    readonly account_id: string;
    readonly commitment_id: string | null;
    readonly meter: string | null;
    readonly opening: string;
    readonly granted: string;
    readonly currency: string;
    readonly priority: bigint;
    readonly is_rollover: boolean;
    readonly cost_basis: string;
    readonly starts_at: string;
    readonly expires_at: string | null;
    readonly rollover_id: string | null;
    readonly rollover_fraction: string | null;
    readonly product: string;
    readonly description: string;
}

interface HolderKey {
    readonly payer_id: string;
    readonly holder_id: string;
}

/** What contracts promise and give in a period, as rows of the tables of pipelines/72-bill. */
export interface Promises {
    readonly commitments: readonly CommitmentRow[];
    readonly grants: readonly GrantRow[];
    readonly accounts: readonly (HolderKey & { readonly account_id: string })[];
    readonly products: readonly (HolderKey & { readonly product: string })[];
    readonly order: readonly { readonly position: bigint; readonly term: string }[];
    /** Instants inside a period at which a window or the time of a balance begins or ends. */
    readonly boundaries: readonly Instant[];
}

/** A commitment with the windows up to the one that touches the period. */
interface Held {
    readonly commitment: Commitment;
    readonly windows: readonly Promised[];
    readonly window: Promised;
}

/** What a contract holds for one payer in its period. */
interface Holding {
    readonly contract: Contract;
    readonly payer: Payer;
    readonly held: readonly Held[];
    readonly balances: readonly Balance[];
}

/** What is read beside the contracts. */
export interface PromiseInputs {
    readonly contracts: Contracts;
    /** Of the period. */
    readonly openings: Openings;
    readonly assets: Readonly<Record<string, Asset>>;
    readonly paths: readonly AccountPath[];
    /** What is known: a shortfall is not billed before its window is over. */
    readonly asOf: Instant;
}

/**
 * What contracts promise and give in the period of those who pay under them. All problems at once:
 * more than one payer, openings that are missing or not needed, assets without a worth in money,
 * rests that would go on in mid-period.
 */
export function compilePromises(inputs: PromiseInputs): {
    readonly promises: Promises;
    readonly problems: readonly FileProblem[];
} {
    const { contracts, paths } = inputs;
    const promising = contracts.contracts.filter(
        ({ commitments, grants }) => commitments.length > 0 || grants.length > 0,
    );
    const accounts = new Set(promising.map(({ account }) => account));
    const index = pathIndex(paths, accounts);
    const own = Map.groupBy(
        paths.filter(({ account_id }) => accounts.has(account_id)),
        ({ account_id }) => account_id,
    );
    const problems: FileProblem[] = [];
    const parts = promising.flatMap((contract): readonly Omit<Promises, 'order'>[] => {
        const payers = payersOf(contract.account, index);
        const holdings = payers.map((payer) => holdingOf(contract, payer));
        const live = holdings.filter(({ held, balances }) => held.length + balances.length > 0);
        if (live.length > 1) {
            const several = live.map(({ payer }) => payer);
            problems.push(severalPayers(contracts.file, contract, several));
            return [];
        }
        const [one = holdings[0]] = live;
        if (!one) return [];
        const { payer } = one;
        const lives = own.get(contract.account) ?? [];
        problems.push(...brokenPromises(contracts.file, contract, payer, keptBy(one), lives));
        return [rowsOf(one, inputs, index, problems)];
    });
    const order = contracts.drawOrder.map((term, at) => ({ position: BigInt(at + 1), term }));
    return {
        promises: {
            commitments: parts.flatMap((of) => of.commitments),
            grants: parts.flatMap((of) => of.grants),
            accounts: parts.flatMap((of) => of.accounts),
            products: parts.flatMap((of) => of.products),
            boundaries: parts.flatMap((of) => of.boundaries),
            order,
        },
        problems,
    };
}

/** What touches the period, while the payer pays for the account. */
function holdingOf(contract: Contract, payer: Payer): Holding {
    const isLive = (of: TimeSpan) => payer.spans.some((span) => overlap(of, span));
    const held = contract.commitments.flatMap((commitment): readonly Held[] => {
        const windows = promisedBy(commitment, contract, payer);
        const window = windows.at(-1);
        return window && isLive(window) ? [{ commitment, windows, window }] : [];
    });
    const balances = [
        ...contract.commitments.flatMap((of) => prepaidBalances(of, contract, payer)),
        ...contract.grants.flatMap((of) => balancesOf(of, contract, payer)),
    ];
    return { contract, payer, held, balances: balances.filter(isLive) };
}

function rowsOf(
    holding: Holding,
    { contracts: { file }, openings, assets, asOf }: PromiseInputs,
    index: PathIndex,
    problems: FileProblem[],
): Omit<Promises, 'order'> {
    const { contract, payer, held, balances } = holding;
    const before = (of: Opened) => openingOf(openings, contract, of);
    const opened = [
        ...held.map((of) => commitmentOpened(of, contract, payer)),
        ...balances.map((of) => balanceOpened(of, payer)),
    ];
    problems.push(
        ...openingProblems(file, openings, contract, opened, payer.period.from),
        ...unevenRests(file, contract, payer),
        ...strayEnds(file, contract, payer),
    );
    const commitments = held.map((of) => {
        const counted = before(commitmentOpened(of, contract, payer));
        return commitmentRow(of, contract, payer, counted, asOf);
    });
    const grants = balances.flatMap((of) => {
        const worth = worthOf(of, { file, contract, payer, assets });
        if ('problem' in worth) {
            problems.push(worth.problem);
            return [];
        }
        const was = balanceOpened(of, payer);
        problems.push(
            ...fineOpening(openings, contract, was, worth),
            ...(of.amount === null ? [] : givenOpening(openings, contract, was, of.amount)),
        );
        return [grantRow(of, worth, contract, payer, before(was))];
    });
    const holders = [
        ...held.map(({ commitment: { commitment, products } }) => ({ id: commitment, products })),
        ...balances.map(({ id, of: { products } }) => ({ id, products })),
    ].map(({ id, products }) => ({
        key: { payer_id: payer.payer_id, holder_id: idOf(contract, id) },
        products,
    }));
    const below = accountsBelow(contract.account, payer, index);
    return {
        commitments,
        grants,
        accounts: holders.flatMap(({ key }) => below.map((account_id) => ({ ...key, account_id }))),
        products: holders.flatMap(({ key, products }) =>
            products.map((product) => ({ ...key, product })),
        ),
        boundaries: [...held.map(({ window }) => window), ...balances]
            .flatMap(({ from, to }) => [from, to])
            .filter((at) => at > payer.period.from && at < payer.period.to),
    };
}

/** Until when it has to be one payer. What was given for good goes where its account goes. */
function keptBy({ held, balances }: Holding): readonly Kept[] {
    return [
        ...held.map(
            ({ commitment: { commitment, kind, true_up, line }, window: { from, to } }) => ({
                ...{ name: `commitment ${commitment}`, from, to, line },
                isTruedUp: kind === 'postpaid' && true_up !== 'none',
            }),
        ),
        ...balances.filter(isEnded).map(({ id, from, to, of: { line } }) => ({
            ...{ name: `grant ${id}`, from, to, line, isTruedUp: false },
        })),
    ];
}

const idOf = ({ contract }: Contract, id: string) => `${contract}/${id}`;

function commitmentOpened(
    { commitment: { commitment, true_up, line }, window }: Held,
    contract: Contract,
    { period }: Payer,
): Opened {
    const begins = true_up === 'cumulative' ? contract.from : window.from;
    const isBefore = begins < period.from;
    return { kind: 'commitment', holder: commitment, begins, isBefore, line };
}

/** What went on of another balance was there when that one ended, at the end of a period. */
function balanceOpened({ id, amount, from, of: { line } }: Balance, { period }: Payer): Opened {
    const isBefore = amount === null || from < period.from;
    return { kind: 'grant', holder: id, begins: from, isBefore, line };
}

function commitmentRow(
    { commitment, windows, window }: Held,
    contract: Contract,
    { payer_id, currency, depth, period }: Payer,
    counted_before: string,
    asOf: Instant,
): CommitmentRow {
    const { true_up, kind } = commitment;
    const is_cumulative = true_up === 'cumulative';
    const owes = kind === 'postpaid' && true_up !== 'none';
    return {
        payer_id,
        commitment_id: idOf(contract, commitment.commitment),
        contract_id: contract.contract,
        account_id: contract.account,
        depth,
        kind,
        measure: commitment.measure,
        meter: commitment.meter,
        currency,
        window_start: formatInstant(window.from),
        window_end: formatInstant(window.to),
        committed: is_cumulative ? sumOf(windows) : window.size,
        counted_before,
        is_cumulative,
        is_due: owes && window.to <= period.to && window.to <= asOf,
        shortfall_price: commitment.shortfall_price,
        overage_factor: commitment.overage_factor,
        overage_unit_price: commitment.overage_unit_price,
        fee: window.from >= period.from ? window.fee : null,
        product: commitment.product,
        description: commitment.description,
    };
}

function grantRow(
    balance: Balance,
    worth: Worth,
    contract: Contract,
    { payer_id, currency, period }: Payer,
    opening: string,
): GrantRow {
    const { id, commitment, amount, meter, from, of, next } = balance;
    const isGiven = amount !== null && from >= period.from;
    return {
        payer_id,
        grant_id: idOf(contract, id),
        contract_id: contract.contract,
        account_id: contract.account,
        commitment_id: commitment === null ? null : idOf(contract, commitment),
        meter,
        ...worth,
        opening,
        granted: isGiven ? amount : '0',
        currency,
        priority: BigInt(balance.priority),
        is_rollover: amount === null,
        cost_basis: balance.cost_basis,
        starts_at: formatInstant(from),
        expires_at: isEnded(balance) ? formatInstant(balance.to) : null,
        rollover_id: next === null ? null : idOf(contract, next),
        rollover_fraction: next === null ? null : (of.rollover?.fraction ?? null),
        product: of.product,
        // Two balances of one grant are two lines of an invoice: they say which they are.
        description: amount === null ? `${of.description}, rolled over` : of.description,
    };
}
