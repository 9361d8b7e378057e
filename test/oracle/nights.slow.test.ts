import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/run/pipeline.ts';
import { holdsFor, runsOf, withoutKnownDefects, worlds } from '../support/arbitraries.ts';
import {
    decimalText,
    type Fraction,
    instant,
    minus,
    one,
    parseDecimal,
    plus,
    times,
    zero,
} from '../support/exact.ts';
import { memoryStore } from '../support/memory-store.ts';
import { testProject } from '../support/project.ts';
import { asOf, period, prefixes, projectFiles, type World } from '../support/world.ts';

/*
 * Nights in sequence say what one night over all objects at once says: the same digest, and the
 * same bytes in every file. Objects arrive in any order, so late rows, copies across nights, debits
 * before and after their events, and holds that grow old in between are all here.
 */

const inBucket = 'bucket/';

/** Objects of a world in pieces of a few lines, so that there are many to arrive one by one. */
function piecesOf(world: World, linesAPiece: number): readonly (readonly [string, string])[] {
    const found = Object.entries(projectFiles(world)).filter(([path]) => path.startsWith(inBucket));
    const pieces = found.flatMap(([path, text]) => {
        const lines = text.split('\n').filter((line) => line !== '');
        const count = Math.max(1, Math.ceil(lines.length / linesAPiece));
        return Array.from({ length: count }, (_, at): [string, string] => [
            path
                .slice(inBucket.length)
                .replace('.ndjson', `-${String(at).padStart(3, '0')}.ndjson`),
            lines
                .slice(at * linesAPiece, (at + 1) * linesAPiece)
                .map((line) => `${line}\n`)
                .join(''),
        ]);
    });
    // No prefix may be empty on the first night.
    const fillers = [prefixes.llm, prefixes.gpu, ...(world.debits.length ? [prefixes.debits] : [])];
    return [...fillers.map((prefix): [string, string] => [`${prefix}0.ndjson`, '{}\n']), ...pieces];
}

/** What is known on the last night is known as of then; nights before know less of the time. */
const nightTimes = ['2025-03-08T00:00:00Z', '2025-03-20T00:00:00Z', '2025-04-02T00:00:00Z', asOf];

interface Arrival {
    readonly world: World;
    readonly linesAPiece: number;
    /** Night of each object, by its place in the list, over and over. */
    readonly nights: readonly number[];
    /** An account that is only known from the third night on. */
    readonly isLateKnown: boolean;
}

const arrivals = fc.record({
    world: worlds().map(withoutKnownDefects),
    linesAPiece: fc.constantFrom(1, 2, 3, 5),
    nights: fc.array(fc.integer({ min: 0, max: nightTimes.length - 1 }), {
        minLength: 7,
        maxLength: 31,
    }),
    isLateKnown: fc.boolean(),
});

/** Every file of a run whose bytes must not depend on how it came about: which night saw a break does. */
function filesOf({ run, certificate }: RunResult): Readonly<Record<string, string>> {
    const names = Object.keys(certificate.outputs).filter(
        (name) => !/^(report\.html|items\.json)$/.test(name),
    );
    return Object.fromEntries(
        names.map((name) => [name, readFileSync(join(run.output, name)).toString('latin1')]),
    );
}

function knownAccounts(files: Record<string, string>, isKnown: boolean): Record<string, string> {
    if (isKnown) return files;
    const accounts = JSON.parse(files['accounts.json'] ?? '[]') as { account_id: string }[];
    const some = accounts.filter(({ account_id }) => account_id !== 'late');
    return { ...files, 'accounts.json': JSON.stringify(some) };
}

async function agree({ world, linesAPiece, nights, isLateKnown }: Arrival): Promise<string[]> {
    const objects = piecesOf(world, linesAPiece);
    const files = Object.fromEntries(
        Object.entries(projectFiles(world)).filter(([path]) => !path.startsWith(inBucket)),
    );
    const store = memoryStore({});
    const sequence = testProject(files, store);
    const whole = testProject(files, memoryStore(Object.fromEntries(objects)));
    try {
        const said: string[] = [];
        let last: RunResult | null = null;
        for (const [night, as_of] of nightTimes.entries()) {
            for (const [at, [key, text]] of objects.entries()) {
                const isFiller = key.endsWith('/0.ndjson');
                const of = isFiller ? 0 : nights[at % nights.length];
                if (of === night) await store.put(key, text);
            }
            const known = knownAccounts(files, !isLateKnown || night >= 2);
            sequence.write('accounts.json', known['accounts.json'] ?? '');
            last = await sequence.run({ period, as_of });
            const { history } = last.certificate;
            said.push(history.because ?? 'carried');
        }
        const once = await whole.run({ period, as_of: asOf });
        if (!last) throw new Error('there is a night');
        expect(filesOf(last)).toEqual(filesOf(once));
        expect(last.certificate.run_digest).toBe(once.certificate.run_digest);
        expect(said.filter((why) => why.includes('do not add up'))).toEqual([]);
        return said;
    } finally {
        sequence.remove();
        whole.remove();
    }
}

/** What an entry changes in the balance that is booked. */
const signs: Readonly<Record<string, Fraction>> = {
    capture: minus(zero, one),
    ...{ reverse: one, refund: one, topup: one, adjust: one },
};

/**
 * A world whose debit log says more: wallets with balances before and after each entry, wrong here and
 * there, numbered in some; and what debits of units were worth in money.
 */
function stated(world: World, dice: readonly number[]): World {
    const entries = [...new Map(world.debits.map((of) => [of.entry_id, of])).values()].sort(
        (a, b) => (instant(a.booked_at) < instant(b.booked_at) ? -1 : 1),
    );
    const wallets = Map.groupBy(entries, (of) => `${of.account_id} ${of.asset}`);
    const more = new Map<string, Readonly<Record<string, string>>>();
    let roll = 0;
    for (const [wallet, own] of wallets) {
        const isNumbered = (dice[roll % dice.length] ?? 0) % 3 > 0;
        let balance = parseDecimal('5');
        for (const [at, of] of own.entries()) {
            const luck = dice[++roll % dice.length] ?? 0;
            // One in eight begins elsewhere than the one before it ended; one in eight says nothing.
            if (luck % 8 === 0) balance = plus(balance, one);
            const after = plus(
                balance,
                times(signs[of.entry_type] ?? zero, parseDecimal(of.amount)),
            );
            const balances = {
                balance_before: decimalText(balance),
                balance_after: decimalText(after),
            };
            more.set(of.entry_id, {
                wallet_id: wallet,
                ...(luck % 8 === 1 ? {} : balances),
                ...(isNumbered ? { sequence: String(at + 1) } : {}),
                ...(luck % 8 > 5 ? { money_amount: of.amount, money_currency: 'USD' } : {}),
                ...(luck % 3 === 0 ? { unit_price: '0.000003', price_version: `v${luck}` } : {}),
            });
            balance = after;
        }
    }
    return {
        ...world,
        debits: world.debits.map((of) => ({
            ...of,
            rest: { ...of.rest, ...more.get(of.entry_id) },
        })),
    };
}

describe('nights in sequence', () => {
    test('say the same of wallets whose log states balances', { timeout: 3_600_000 }, () =>
        holdsFor(
            fc.tuple(arrivals, fc.array(fc.nat({ max: 1000 }), { minLength: 5, maxLength: 40 })),
            { runs: runsOf(4, 1), shrinks: false, together: 2 },
            async ([arrival, dice]) => {
                await agree({ ...arrival, world: stated(arrival.world, dice) });
            },
        ),
    );

    test('say what one night over everything says', { timeout: 3_600_000 }, () => {
        const reasons = new Map<string, number>();
        return holdsFor(
            arrivals,
            { runs: runsOf(8, 2), shrinks: false, together: 2 },
            async (arrival) => {
                for (const why of await agree(arrival))
                    reasons.set(why, (reasons.get(why) ?? 0) + 1);
                if (process.env.TIEOUT_ORACLE_SAY)
                    process.stderr.write(`${JSON.stringify([...reasons])}\n`);
            },
        );
    });
});
