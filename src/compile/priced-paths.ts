import { sha256 } from '../duck/sql.ts';
import type { FileProblem } from '../errors/index.ts';
import { formatInstant, parseInstant } from '../time/instant.ts';
import type { AccountPath, Chain, Span } from './accounts.ts';
import { bookFinder, type Contract, type Contracts, joinSpans, type Sale } from './contracts.ts';
import type { Converter } from './conversions.ts';
import type { TermPayer } from './openings.ts';

/** One level of a channel: who sells usage of the accounts in it to whom, and by which book. */
export interface Channel {
    readonly channel_id: string;
    readonly level_no: bigint;
    readonly seller_id: string;
    readonly buyer_id: string;
    /** The pair of them, under which one invoice is. */
    readonly sale_id: string;
    readonly pool_id: string;
    readonly book_id: string;
    readonly currency: string;
}

/** A path as one level of a channel has it: the buyer pays. */
export type SalePath = AccountPath;

interface PricedPaths {
    readonly paths: readonly AccountPath[];
    readonly channels: readonly Channel[];
    readonly sale_paths: readonly SalePath[];
    /** For every contract what those are billed in who pay under it. */
    readonly payers: ReadonlyMap<string, ReadonlySet<string>>;
    /** And who they are. */
    readonly termPayers: ReadonlyMap<string, readonly TermPayer[]>;
    readonly problems: readonly FileProblem[];
}

/**
 * The paths, split where other books begin to price the account, or others sell to it. Each book is
 * the one for the currency of who pays.
 */
export function pricedPaths(
    chains: readonly Chain[],
    contracts: Contracts,
    converter: Converter,
    pathOf: (chain: Chain) => Omit<AccountPath, 'book_id' | 'channel_id'>,
): PricedPaths {
    const booksOf = bookFinder(contracts);
    const sellers = Map.groupBy(
        contracts.contracts.filter(({ seller }) => seller !== null),
        ({ account }) => account,
    );
    const payers = new Map<string, Set<string>>();
    const termPayers = new Map<string, TermPayer[]>();
    const pays = (contract: string, currency: string, payer_id: string, path: Period) => {
        payers.set(contract, (payers.get(contract) ?? new Set()).add(currency));
        const known = termPayers.get(contract) ?? [];
        termPayers.set(contract, known);
        if (known.some((of) => of.payer_id === payer_id)) return;
        const [start, end] = [parseInstant(path.period_start), parseInstant(path.period_end)];
        known.push({ payer_id, start, end });
    };
    const channels = new Map<string, readonly Channel[]>();
    // Once for a contract, however many accounts are below it.
    const problems = new Map<string, FileProblem>();
    const paths: AccountPath[] = [];
    const sale_paths: SalePath[] = [];
    for (const chain of chains) {
        const path = pathOf(chain);
        const ids = chain.spans.map(({ account_id }) => account_id);
        const spans = booksOf(ids, chain.from, chain.to);
        for (const { contract, sales } of spans) {
            if (contract) pays(contract.contract, path.currency, path.payer_id, path);
            for (const of of sales) {
                const problem = wrongSale(contracts.file, of, path, ids);
                if (problem) problems.set(`${problem.code} ${of.contract.contract}`, problem);
            }
        }
        for (const { book_id, sales, from, to } of joinSpans(spans)) {
            const span = { valid_from: formatInstant(from), valid_to: formatInstant(to) };
            const isNeeded = to > parseInstant(path.period_start);
            const bookIn = (id: string, currency: string) =>
                converter.bookIn(id, currency, isNeeded);
            const sold = sales
                .flatMap((sale) => saleOf(sale, chain) ?? [])
                .map((of) => inCurrency(of, bookIn));
            for (const { contract, level } of sold) {
                pays(contract, level.currency, level.sale_id, path);
            }
            const levels = sold.map(({ level }) => level);
            const channel_id = levels.length ? sha256(JSON.stringify(levels)).slice(0, 16) : '';
            channels.set(channel_id, numbered(channel_id, levels));
            const own = bookIn(book_id, path.currency);
            paths.push({ ...path, ...span, book_id: own, channel_id });
            const others = idleOf(sellers, chain, sold);
            for (const { level, buyer_name, line_account_id } of [...sold, ...others]) {
                const { sale_id: payer_id, pool_id, currency } = level;
                sale_paths.push({
                    ...{ ...path, ...span, channel_id, line_account_id },
                    ...{ payer_id, payer_name: buyer_name, pool_id, currency },
                    book_id: level.book_id,
                });
            }
        }
    }
    const all = { paths, channels: [...channels.values()].flat(), sale_paths };
    return { ...all, payers, termPayers, problems: [...problems.values()] };
}

type Period = Pick<AccountPath, 'period_start' | 'period_end'>;

type Level = Omit<Channel, 'channel_id' | 'level_no'>;

const numbered = (channel_id: string, levels: readonly Level[]): readonly Channel[] =>
    levels.map((level, at) => ({ channel_id, level_no: BigInt(at + 1), ...level }));

interface Sold {
    readonly contract: string;
    readonly level: Level;
    readonly buyer_name: string;
    readonly line_account_id: string;
}

/** Of the buyer, who is on the path. */
function saleOf({ contract, book_id }: Sale, chain: Chain): Sold | null {
    const { account: buyer_id, seller: seller_id } = contract;
    const buyer = chain.spans.find(({ account_id }) => account_id === buyer_id);
    if (!buyer || seller_id === null) return null;
    const level: Level = {
        ...{ seller_id, buyer_id, sale_id: saleId(seller_id, buyer_id), book_id },
        pool_id: climbed(chain, buyer, ({ rate_at }) => rate_at === 'pool'),
        currency: buyer.currency,
    };
    const line_account_id = climbed(chain, buyer, ({ detail }) => detail === 'summary');
    return { contract: contract.contract, level, buyer_name: buyer.name, line_account_id };
}

/** Of a buyer, who pays in a currency of its own. */
function inCurrency(sold: Sold, bookIn: (id: string, currency: string) => string): Sold {
    const { book_id, currency } = sold.level;
    return { ...sold, level: { ...sold.level, book_id: bookIn(book_id, currency) } };
}

/** In no book: nothing is priced by it. */
const noBook = '';

/**
 * Sales to accounts on the path that are not in force: they have no cards then, so that fees and
 * lines are for the time of the contract and no more.
 */
function idleOf(
    sellers: ReadonlyMap<string, readonly Contract[]>,
    chain: Chain,
    sold: readonly Sold[],
): readonly Sold[] {
    const inForce = new Set(sold.map(({ level }) => level.sale_id));
    const all = chain.spans.flatMap(({ account_id }) =>
        (sellers.get(account_id) ?? []).flatMap(
            (contract) => saleOf({ contract, book_id: noBook }, chain) ?? [],
        ),
    );
    const idle = all.filter(({ level }) => !inForce.has(level.sale_id));
    return [...new Map(idle.map((of) => [of.level.sale_id, of])).values()];
}

/** `seller/buyer`; a slash of their own is escaped. */
function saleId(seller: string, buyer: string): string {
    return [seller, buyer].map((id) => id.replaceAll('%', '%25').replaceAll('/', '%2F')).join('/');
}

/** A sale from beside or below, or to somebody whom the operator bills already. */
function wrongSale(
    file: string,
    { contract: { contract, account, seller, line } }: Sale,
    path: Pick<AccountPath, 'payer_id'>,
    ids: readonly string[],
): FileProblem | null {
    if (ids.indexOf(seller ?? '') <= ids.indexOf(account)) {
        const above = [...ids.slice(ids.indexOf(account))].reverse().join(' > ');
        return {
            code: 'SELLER_NOT_ABOVE',
            file,
            line,
            message: `contract ${contract}: ${seller} sells to ${account} and is not above it, on ${above}`,
            remedy: 'Name an account above it, or move the account below its seller.',
        };
    }
    if (path.payer_id !== account) return null;
    return {
        code: 'BILLED_TWICE',
        file,
        line,
        message: `${account} is billed by ${seller} under contract ${contract}, and by the operator too`,
        remedy: 'Give it `bill_to: top`, or `parent`: a payer is billed only by its seller.',
    };
}

/** Where an account gets by going up while each edge allows it, never beyond who pays. */
export function climbed({ spans }: Chain, payer: Span, isOpen: (edge: Span) => boolean): string {
    const reached = spans.find((span) => span === payer || !isOpen(span));
    return (reached ?? payer).account_id;
}
