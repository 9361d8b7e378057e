import { type BucketOptions, bucketFiles } from '../../fixtures/generator/index.ts';
import { generatedWallets, projectFiles } from '../../fixtures/project.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import { unitsText } from '../support/exact.ts';
import { memoryStore } from '../support/memory-store.ts';
import { csvOf } from '../support/night.ts';
import { testProject } from '../support/project.ts';
import { lines } from '../support/terminal.ts';
import { readRows } from './injection.facts.ts';
import { atoms, unit } from './injectors.ts';

/*
 * Clean data of the generator, line by line, so that a test can spoil it: what was used, what its wallet
 * booked for it, and what was booked for whole days. Copies of it stand side by side in one bucket, with
 * accounts, payers and ids of their own.
 */

/** A line of usage: a CloudEvent. */
export interface Usage {
    readonly id: string;
    readonly subject: string;
    readonly time: string;
    readonly data: {
        readonly model: string;
        readonly input_tokens: number;
        readonly cached_input_tokens: number;
        readonly output_tokens: number;
    };
}

/** A line of the debit log. Its number and balance are given when the log is written. */
export interface Entry {
    readonly entry_id: string;
    readonly entry_type: string;
    readonly account_id: string;
    readonly asset: string;
    readonly amount: string;
    readonly booked_at: string;
    readonly occurred_at?: string;
    readonly event_id?: string;
    readonly authorization_id?: string;
    readonly expires_at?: string;
    readonly reversal_of?: string;
    readonly grant_id?: string;
    readonly quantity?: string;
    readonly aggregated?: string;
    readonly money_amount?: string;
    readonly money_currency?: string;
}

/** An entry in its place in the log. */
interface Numbered extends Entry {
    readonly wallet_id: string;
    readonly sequence: number;
    readonly balance_before: string;
    readonly balance_after: string;
}

export type Shape = 'instant' | 'two_phase' | 'aggregated';

export interface Account {
    readonly account_id: string;
    readonly parent: string | null;
}

/** An event with everything that its wallet booked for it. */
export interface Life {
    usage: readonly Usage[];
    entries: readonly Entry[];
}

/** A day of an account whose wallet books once a day. */
export interface Day {
    readonly account_id: string;
    readonly day: string;
    usage: readonly Usage[];
    entries: readonly Entry[];
}

/** What is in a bucket: lives by event id, days by account and day, and entries of neither. */
export interface Books {
    readonly accounts: readonly Account[];
    readonly lives: Map<string, Life>;
    readonly days: Map<string, Day>;
    readonly strays: Entry[];
    /** Wallets, and the instant from which on their numbers are one too high. */
    readonly gaps: Map<string, string>;
    /** Wallets, and the instant at which they hold one more than they did. */
    readonly jumps: Map<string, string>;
    /** Wallets that begin with nothing. */
    readonly empty: Set<string>;
}

const unspoilt = () => ({
    ...{ strays: [], gaps: new Map(), jumps: new Map(), empty: new Set<string>() },
});

export const period = { start: '2026-10-01T00:00:00.000Z', end: '2026-11-01T00:00:00.000Z' };
/** Dollars for a token, to us. */
export const tokenRate = '0.000002';
const days = Array.from({ length: 31 }, (_, at) => `2026-10-${String(at + 1).padStart(2, '0')}`);

export function shapeOf(account_id: string): Shape {
    if (account_id.includes('northwind')) return 'instant';
    return account_id.includes('harbor') ? 'two_phase' : 'aggregated';
}

/** Usage and debits of October that agree. The same options give the same. */
export function cleanBooks(options: Pick<BucketOptions, 'seed' | 'events' | 'accounts'>): {
    readonly books: Books;
    readonly beside: Readonly<Record<string, string>>;
} {
    const plan = { ...options, period: '2026-10', breaks: 'none', faults: 'none' } as const;
    const files = [...bucketFiles(plan)];
    const linesOf = <T>(folder: string): readonly T[] =>
        files
            .filter(({ key }) => key.startsWith(folder))
            .flatMap(({ text }) => text.trimEnd().split('\n'))
            .map((line) => JSON.parse(line));
    const beside = Object.fromEntries(
        files.filter(({ key }) => !key.includes('/')).map(({ key, text }) => [key, text]),
    );
    const accounts = JSON.parse(beside['accounts.json'] ?? '[]') as readonly Account[];
    return { books: booked(accounts, linesOf('usage/'), linesOf('debits/')), beside };
}

function booked(
    accounts: readonly Account[],
    usage: readonly Usage[],
    log: readonly (Entry & { readonly sequence?: number; readonly wallet_id?: string })[],
): Books {
    const books: Books = {
        ...{ accounts, lives: new Map(), days: new Map(), ...unspoilt() },
    };
    const daily = accounts.filter(
        ({ account_id, parent }) => parent && shapeOf(account_id) === 'aggregated',
    );
    for (const { account_id } of daily) {
        for (const day of days) {
            const of = { account_id, day, usage: [], entries: [] };
            books.days.set(`${account_id}|${day}`, of);
        }
    }
    for (const event of usage) {
        const day = books.days.get(`${event.subject}|${event.time.slice(0, 10)}`);
        if (day) day.usage = [...day.usage, event];
        else books.lives.set(event.id, { usage: [event], entries: [] });
    }
    for (const { sequence: _, wallet_id: __, ...entry } of log) {
        const day = books.days.get(`${entry.account_id}|${entry.occurred_at?.slice(0, 10)}`);
        const life = books.lives.get(entry.event_id ?? '');
        if (life) life.entries = [...life.entries, entry];
        else if (day) day.entries = [...day.entries, entry];
        else books.strays.push(entry);
    }
    return books;
}

/** The same books under other names: a prefix before every id. */
export function copied(books: Books, prefix: string): Books {
    const named = (id: string) => `${prefix}${id}`;
    const ids = ['entry_id', 'account_id', 'event_id', 'authorization_id'] as const;
    const entryOf = (entry: Entry): Entry => ({
        ...entry,
        ...Object.fromEntries(
            ids.flatMap((id) => (entry[id] === undefined ? [] : [[id, named(entry[id])]])),
        ),
    });
    const usageOf = (of: Usage) => ({ ...of, id: named(of.id), subject: named(of.subject) });
    return {
        accounts: books.accounts.map((of) => ({
            ...of,
            account_id: named(of.account_id),
            parent: of.parent === null ? null : named(of.parent),
        })),
        lives: new Map(
            [...books.lives].map(([id, { usage, entries }]) => [
                named(id),
                { usage: usage.map(usageOf), entries: entries.map(entryOf) },
            ]),
        ),
        days: new Map(
            [...books.days].map(([key, day]) => [
                named(key),
                {
                    ...{ account_id: named(day.account_id), day: day.day },
                    ...{ usage: day.usage.map(usageOf), entries: day.entries.map(entryOf) },
                },
            ]),
        ),
        ...unspoilt(),
        strays: books.strays.map(entryOf),
    };
}

const walletOf = ({ account_id, asset }: Entry) => `w-${account_id}-${asset}`;
const opening = 10n ** 12n * unit;

/** How an entry moves its wallet. */
function effectOf({ entry_type, amount }: Entry): bigint {
    const size = atoms(amount);
    if (['capture', 'grant_expire'].includes(entry_type)) return -size;
    return ['authorize', 'release', 'expire', 'decline'].includes(entry_type) ? 0n : size;
}

/** The log as the wallets wrote it: in order of booking, numbered by wallet, with their balances. */
export function numbered(books: Books): readonly Numbered[] {
    const all = [
        ...[...books.lives.values()].flatMap(({ entries }) => entries),
        ...[...books.days.values()].flatMap(({ entries }) => entries),
        ...books.strays,
    ].sort((one, other) => (one.booked_at < other.booked_at ? -1 : 1));
    const wallets = new Map<string, { sequence: number; balance: bigint; hasJumped: boolean }>();
    return all.map((entry) => {
        const wallet_id = walletOf(entry);
        const isAfter = (at: string | undefined) => at !== undefined && entry.booked_at >= at;
        const wallet = wallets.get(wallet_id) ?? {
            ...{ sequence: 0, hasJumped: false },
            balance: books.empty.has(wallet_id) ? 0n : opening,
        };
        wallets.set(wallet_id, wallet);
        if (isAfter(books.jumps.get(wallet_id)) && !wallet.hasJumped) {
            wallet.hasJumped = true;
            wallet.balance += unit;
        }
        const before = wallet.balance;
        wallet.sequence += 1;
        wallet.balance += effectOf(entry);
        return {
            ...{ ...entry, wallet_id },
            sequence: wallet.sequence + (isAfter(books.gaps.get(wallet_id)) ? 1 : 0),
            balance_before: unitsText(before, 12),
            balance_after: unitsText(wallet.balance, 12),
        };
    });
}

/** The objects of a bucket with all these books. */
function objectsOf(all: readonly Books[]): Readonly<Record<string, string>> {
    const usage = all.flatMap(({ lives, days }) =>
        [...lives.values(), ...days.values()].flatMap((of) => of.usage),
    );
    const byDay = <T>(folder: string, rows: readonly T[], at: (row: T) => string) =>
        [...Map.groupBy(rows, (row) => at(row).slice(0, 10))].map(([day, of]): [string, string] => [
            `${folder}/dt=${day}/0.ndjson`,
            lines(of as readonly object[]),
        ]);
    return Object.fromEntries([
        ...byDay('usage', usage, ({ time }) => time),
        ...byDay('debits', all.flatMap(numbered), ({ booked_at }) => booked_at),
    ]);
}

/** The assets with a rate for tokens: what converted debits are compared with. */
function withRate(assets: string): string {
    const rates = [{ currency: 'USD', from: '2025-01-01T00:00:00Z', rate: tokenRate }];
    const of = JSON.parse(assets) as readonly { readonly asset: string }[];
    return JSON.stringify(of.map((one) => (one.asset === 'TOK' ? { ...one, rates } : one)));
}

/** A project over books: what stands beside its objects, and they. */
export function filesOver(
    all: readonly Books[],
    beside: Readonly<Record<string, string>>,
): {
    readonly files: Readonly<Record<string, string>>;
    readonly objects: ReturnType<typeof objectsOf>;
} {
    const roots = all.flatMap(({ accounts }) => accounts.filter(({ parent }) => parent === null));
    const wallets = roots.map(({ account_id }) => {
        const { asset, shape, funding } = generatedWallets.find(({ accounts }) =>
            account_id.endsWith(accounts),
        )!;
        return { accounts: account_id, asset, shape, ...(funding ? { funding } : {}) };
    });
    const files = {
        ...projectFiles({ name: 'test', store: { folder: 'data' }, wallets, memory: '2GB' }),
        ...beside,
        'assets.json': withRate(beside['assets.json'] ?? '[]'),
        'accounts.json': JSON.stringify(all.flatMap(({ accounts }) => accounts)),
    };
    return { files, objects: objectsOf(all) };
}

/** What a night over books found, by the prefix of each. */
export async function nightOver(
    all: readonly Books[],
    beside: Readonly<Record<string, string>>,
): Promise<{ readonly result: RunResult; readonly facts: Awaited<ReturnType<typeof readRows>> }> {
    const { files, objects } = filesOver(all, beside);
    const project = testProject(files, memoryStore(objects));
    try {
        const result = await project.run();
        return { result, facts: await readRows(result, csvOf(result, 'breaks.csv')) };
    } finally {
        project.remove();
    }
}
