import { z } from 'zod';
import type { FileProblem } from '../errors/index.ts';
import { isCurrency } from '../money/currency.ts';
import type { Config } from '../schema/config.ts';
import { strict } from '../schema/strict.ts';
import { formatInstant, type Instant, parseInstant } from '../time/instant.ts';
import { type Period, parsePeriod } from '../time/period.ts';
import { isZone } from '../time/zone.ts';
import type { LoadedConfig } from './config.ts';
import { type Contracts, foreignCards, noContracts, unknownAccounts } from './contracts.ts';
import {
    type Conversions,
    converterOf,
    type Exchange,
    isConvertible,
    noExchange,
} from './conversions.ts';
import type { TermPayer } from './openings.ts';
import { type Channel, climbed, pricedPaths, type SalePath } from './priced-paths.ts';
import { walletProblems } from './wallets.ts';
import { parseYaml } from './yaml.ts';

/** Between the accounts of a path; an id with it in it would be read as two. */
const noPath = {
    error: ({ input }: { readonly input?: unknown }) =>
        `"${String(input)}" has " > " in it, which stands between the accounts of a path: take out a space`,
};

const accountSchema = z.array(
    strict({
        account_id: z
            .string()
            .min(1)
            .max(255)
            .refine((id) => !id.includes(' > '), noPath),
        parent: z.string().nullable().default(null),
        name: z.string().optional(),
        currency: z.string(),
        time_zone: z.string().default('UTC'),
        valid_from: z.string(),
        valid_to: z.string().nullable().default(null),
        /** Who receives the invoice for what this account uses. */
        bill_to: z.enum(['self', 'parent', 'top']).default('top'),
        /** Whether tiers of a pool count its usage with its parent's, or it begins a pool. */
        rate_at: z.enum(['self', 'pool']).default('pool'),
        /** Whether its lines stand by themselves, or are summed up in its parent's. */
        detail: z.enum(['breakdown', 'summary']).default('breakdown'),
    }),
);

export interface Span {
    readonly account_id: string;
    readonly parent: string | null;
    readonly name: string;
    readonly currency: string;
    readonly time_zone: string;
    readonly bill_to: 'self' | 'parent' | 'top';
    readonly rate_at: 'self' | 'pool';
    readonly detail: 'breakdown' | 'summary';
    readonly from: Instant;
    readonly to: Instant;
    readonly line: number;
}

/** One account over a span in which its whole path to the root, and what prices it, is the same. */
export interface AccountPath {
    readonly account_id: string;
    readonly account_name: string;
    readonly valid_from: string;
    readonly valid_to: string;
    readonly path: string;
    readonly payer_id: string;
    readonly payer_name: string;
    readonly pool_id: string;
    readonly line_account_id: string;
    readonly book_id: string;
    readonly channel_id: string;
    readonly currency: string;
    readonly time_zone: string;
    readonly period_start: string;
    readonly period_end: string;
    readonly wallet_asset: string;
    readonly wallet_shape: string;
    readonly is_prepaid: boolean;
}

export interface AccountTree {
    readonly spans: readonly {
        readonly account_id: string;
        readonly name: string;
        readonly valid_from: string;
        readonly valid_to: string;
    }[];
    readonly paths: readonly AccountPath[];
    readonly channels: readonly Channel[];
    readonly sale_paths: readonly SalePath[];
    readonly conversions: Conversions;
}

export interface CompiledAccounts {
    readonly tree: AccountTree;
    /** For every contract who pays under it. */
    readonly termPayers: ReadonlyMap<string, readonly TermPayer[]>;
}

/** Levels of a tree, the root included. */
const depthLimit = 8;
/** How far parents are followed before a tree is too deep: a cycle of many accounts is a cycle. */
const searchLimit = 64;
const forever = parseInstant('9999-12-31T00:00:00Z');

/**
 * Reads the accounts file and resolves, for every account and instant, the path to its root and
 * the account that pays. All problems are given at once: overlaps (two payers), orphans, cycles
 * with their path, depth over 8, unknown currencies and zones, wallets that cannot be compared or
 * paid from, and what contracts say of accounts. Who pays in another currency than a card's gets a
 * book with that card converted, where the exchange has a rate for the period.
 */
export function compileAccounts(
    file: string,
    text: string,
    { config, assets }: LoadedConfig,
    period: string,
    contracts: Contracts = noContracts(''),
    exchange: Exchange = noExchange,
): CompiledAccounts | { readonly problems: readonly FileProblem[] } {
    const parsed = parseYaml(file, text, accountSchema, 'ACCOUNT_INVALID');
    if ('problems' in parsed) return parsed;
    const problems: FileProblem[] = [];
    const isKnownZone = remembered(isZone);
    const spans = parsed.value.flatMap((row, index): Span[] => {
        const line = parsed.lineOf([index]);
        const at = (path: string) => ({ file, line: parsed.lineOf([index, path]), path });
        if (!isCurrency(row.currency)) {
            problems.push({
                ...at('currency'),
                code: 'UNKNOWN_CURRENCY',
                message: `${row.account_id}: ${row.currency} is not an ISO 4217 currency`,
                remedy: 'Write the three-letter code, e.g. USD.',
            });
        }
        if (!isKnownZone(row.time_zone)) {
            problems.push({
                ...at('time_zone'),
                code: 'UNKNOWN_ZONE',
                message: `${row.account_id}: ${row.time_zone} is not an IANA time zone`,
                remedy: 'Write it like America/New_York.',
            });
        }
        const from = instantOf(row.valid_from);
        const to = row.valid_to === null ? forever : instantOf(row.valid_to);
        if (from === null || to === null || to <= from) {
            problems.push({
                ...at('valid_from'),
                code: 'BAD_SPAN',
                message: `${row.account_id}: ${row.valid_from} to ${row.valid_to ?? 'now'} is not a span`,
                remedy: 'Both are instants with a zone, the end after the start.',
            });
            return [];
        }
        return [{ ...row, name: row.name ?? row.account_id, from, to, line }];
    });
    const byAccount = Map.groupBy(spans, (span) => span.account_id);
    problems.push(...overlaps(file, byAccount));
    problems.push(...unknownAccounts(contracts, new Set(byAccount.keys())));
    if (problems.length) return { problems };
    const chains = [...byAccount.keys()]
        .sort()
        .flatMap((account) => chainsOf(account, byAccount, file, problems));
    if (problems.length) return { problems: unique(problems) };
    const periodIn = remembered((zone) => parsePeriod(period, zone));
    const walletOf = new Map([...config.wallets].reverse().map((of) => [of.accounts, of]));
    const converter = converterOf(contracts, exchange, period);
    const priced = pricedPaths(chains, contracts, converter, (chain) =>
        toPath(chain, walletOf, periodIn),
    );
    const { paths, payers, channels, sale_paths } = priced;
    const lineOf = (account_id: string) => byAccount.get(account_id)?.[0]?.line ?? 1;
    problems.push(...walletProblems(file, paths, assets, lineOf), ...priced.problems);
    problems.push(
        ...foreignCards(contracts, payers, (from, to) => isConvertible(exchange, from, to)),
    );
    if (problems.length) return { problems: unique(problems) };
    return {
        tree: {
            spans: spans.map((span) => ({
                account_id: span.account_id,
                name: span.name,
                valid_from: formatInstant(span.from),
                valid_to: formatInstant(span.to),
            })),
            paths,
            channels,
            sale_paths,
            conversions: converter.conversions(),
        },
        termPayers: priced.termPayers,
    };
}

function instantOf(text: string): Instant | null {
    try {
        return parseInstant(text);
    } catch {
        return null;
    }
}

function overlaps(
    file: string,
    byAccount: ReadonlyMap<string, readonly Span[]>,
): readonly FileProblem[] {
    return [...byAccount.values()].flatMap((spans) => {
        const sorted = [...spans].sort((one, other) => (one.from < other.from ? -1 : 1));
        return sorted.slice(1).flatMap((span, index) => {
            const before = sorted[index];
            if (!before || before.to <= span.from) return [];
            return [
                {
                    code: 'ACCOUNT_OVERLAP',
                    file,
                    line: span.line,
                    message: `${span.account_id} has two rows at ${formatInstant(span.from)} (parents ${before.parent ?? 'none'} and ${span.parent ?? 'none'}): it would have two payers`,
                    remedy: `End the row of line ${before.line} with valid_to.`,
                },
            ];
        });
    });
}

export interface Chain {
    /** From the account to the root. */
    readonly spans: readonly Span[];
    readonly from: Instant;
    readonly to: Instant;
}

/** All spans of an account with an unchanged path, by following parents through time. */
function chainsOf(
    account: string,
    byAccount: ReadonlyMap<string, readonly Span[]>,
    file: string,
    problems: FileProblem[],
): readonly Chain[] {
    const climb = (
        chain: readonly Span[],
        id: string,
        from: Instant,
        to: Instant,
    ): readonly Chain[] => {
        const below = chain.at(-1);
        const covering = (byAccount.get(id) ?? []).filter(
            (span) => span.from < to && span.to > from,
        );
        const again = chain.findIndex((span) => span.account_id === id);
        if (again >= 0) {
            problems.push(cycle(file, chain.slice(again)));
            return [];
        }
        if (chain.length >= searchLimit) {
            problems.push(tooDeep(file, chain));
            return [];
        }
        if (below && !isCovered(covering, from, to)) {
            problems.push({
                code: 'ACCOUNT_ORPHAN',
                file,
                line: below.line,
                message: `${below.account_id} has the parent ${id}, which does not exist for all of ${formatInstant(from)} to ${formatInstant(to)}`,
                remedy: 'Add the parent, or end the child when the parent ends.',
            });
            return [];
        }
        return covering.flatMap((span) => {
            const start = span.from > from ? span.from : from;
            const end = span.to < to ? span.to : to;
            const longer = [...chain, span];
            if (span.parent !== null) return climb(longer, span.parent, start, end);
            if (longer.length <= depthLimit) return [{ spans: longer, from: start, to: end }];
            problems.push(tooDeep(file, longer));
            return [];
        });
    };
    return (byAccount.get(account) ?? []).flatMap((span) =>
        span.parent === null
            ? [{ spans: [span], from: span.from, to: span.to }]
            : climb([span], span.parent, span.from, span.to),
    );
}

/** The same whichever of its accounts was looked at: it begins with the first by id. */
function cycle(file: string, spans: readonly Span[]): FileProblem {
    const ids = spans.map(({ account_id }) => account_id);
    const first = [...ids].sort()[0] ?? '';
    const at = ids.indexOf(first);
    const path = [...ids.slice(at), ...ids.slice(0, at), first].join(' > ');
    return {
        code: 'ACCOUNT_CYCLE',
        file,
        line: spans[at]?.line ?? 1,
        message: `${path} is a cycle`,
        remedy: 'Correct one of the parents on this path.',
    };
}

function tooDeep(file: string, chain: readonly Span[]): FileProblem {
    const ids = chain.slice(0, depthLimit + 1).map(({ account_id }) => account_id);
    return {
        code: 'ACCOUNT_TOO_DEEP',
        file,
        line: chain[0]?.line ?? 1,
        message: `${ids.join(' > ')} is deeper than ${depthLimit} levels`,
    };
}

function isCovered(spans: readonly Span[], from: Instant, to: Instant): boolean {
    let reached = from;
    for (const span of [...spans].sort((one, other) => (one.from < other.from ? -1 : 1))) {
        if (span.from > reached) return false;
        if (span.to > reached) reached = span.to;
    }
    return reached >= to;
}

/** A function of a name that does its work once for each: many accounts share few zones. */
function remembered<T>(work: (name: string) => T): (name: string) => T {
    const done = new Map<string, T>();
    return (name) => {
        const known = done.get(name) ?? work(name);
        done.set(name, known);
        return known;
    };
}

function toPath(
    chain: Chain,
    walletOf: ReadonlyMap<string, Config['wallets'][number]>,
    periodIn: (zone: string) => Period,
): Omit<AccountPath, 'book_id' | 'channel_id'> {
    const [leaf, parent] = chain.spans;
    const root = chain.spans.at(-1);
    if (!leaf || !root) throw new Error('a chain has at least one account');
    const payer =
        leaf.bill_to === 'self' ? leaf : leaf.bill_to === 'parent' ? (parent ?? leaf) : root;
    const { start, end } = periodIn(payer.time_zone);
    // The nearest account on the path that the config names decides how this one is debited.
    const wallet = chain.spans
        .map((span) => walletOf.get(span.account_id))
        .find((of) => of !== undefined);
    return {
        account_id: leaf.account_id,
        account_name: leaf.name,
        valid_from: formatInstant(chain.from),
        valid_to: formatInstant(chain.to),
        path: chain.spans
            .map((span) => span.account_id)
            .reverse()
            .join(' > '),
        payer_id: payer.account_id,
        payer_name: payer.name,
        pool_id: climbed(chain, payer, ({ rate_at }) => rate_at === 'pool'),
        line_account_id: climbed(chain, payer, ({ detail }) => detail === 'summary'),
        currency: payer.currency,
        time_zone: payer.time_zone,
        period_start: formatInstant(start),
        period_end: formatInstant(end),
        wallet_asset: wallet?.asset ?? payer.currency,
        wallet_shape: wallet?.shape ?? 'instant',
        // Usage that is paid for is never invoiced again, unless the config says that it only counts.
        is_prepaid: wallet?.funding !== 'postpaid',
    };
}

function unique(problems: readonly FileProblem[]): readonly FileProblem[] {
    return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}
