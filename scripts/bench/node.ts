import { createReadStream, globSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { costOf } from '../support/cost.ts';
import { answerOf, prices, type SqlRow } from './answer.ts';
import { textFolder } from './data.ts';
import { loadPeer, peerVersion } from './peers.ts';
import type { Measured, Setting } from './subject.ts';

/** Of decimal.js what the job needs. */
interface Decimal {
    readonly plus: (other: Decimal) => Decimal;
    readonly times: (other: Decimal | number) => Decimal;
    readonly toDecimalPlaces: (digits: number) => Decimal;
    readonly equals: (other: Decimal) => boolean;
    readonly toFixed: () => string;
}
type DecimalOf = new (value: string | number) => Decimal;

/** An event as it is held until its debit comes. */
interface Event {
    readonly account: string;
    readonly amount: Decimal;
    isDebited: boolean;
}

/** The job as the script that most teams have: gzip, lines, JSON.parse, Maps, a decimal library. */
export async function measure(setting: Setting): Promise<Measured> {
    const Decimal = loadPeer<DecimalOf>('decimal.js');
    const job = new Job(Decimal);
    const cost = await costOf(async () => {
        const linesIn = (side: string) => eachLine(join(textFolder(setting), 'data', side));
        for await (const line of linesIn('usage')) job.event(JSON.parse(line));
        for await (const line of linesIn('debits')) job.debit(JSON.parse(line));
        job.end();
    });
    return {
        parts: [{ name: 'job', cost }],
        answer: answerOf(job.rows()),
        says: `Node ${process.versions.node}, ${peerVersion('decimal.js')}, NDJSON.gz line by line into Maps; one thread`,
    };
}

async function* eachLine(folder: string): AsyncIterable<string> {
    for (const file of globSync(join(folder, '*.ndjson.gz')).sort()) {
        const input = createReadStream(file).pipe(createGunzip());
        yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    }
}

interface UsageLine {
    readonly source: string;
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
interface DebitLine {
    readonly entry_id: string;
    readonly account_id: string;
    readonly event_id: string;
    readonly amount: string;
}

/** Sums of one account, by name. */
interface Sums {
    readonly counts: Map<keyof SqlRow, number>;
    readonly amounts: Map<keyof SqlRow, Decimal>;
}

class Job {
    readonly #Decimal: DecimalOf;
    readonly #zero: Decimal;
    readonly #prices = new Map<string, readonly [Decimal, Decimal, Decimal]>();
    readonly #events = new Map<string, Event>();
    readonly #seen = new Set<string>();
    readonly #entries = new Set<string>();
    readonly #metered = new Map<string, number>();
    readonly #accounts = new Map<string, Sums>();

    constructor(Decimal: DecimalOf) {
        this.#Decimal = Decimal;
        this.#zero = new Decimal(0);
        for (const { model, is_long, input, cached, output } of prices) {
            const of = [new Decimal(input), new Decimal(cached), new Decimal(output)] as const;
            this.#prices.set(`${model} ${is_long}`, of);
        }
    }

    /** Prices an event and counts it, unless it was seen. */
    event(line: UsageLine): void {
        const key = `${line.source} ${line.id}`;
        if (this.#seen.has(key)) return;
        this.#seen.add(key);
        const { model, input_tokens, cached_input_tokens, output_tokens } = line.data;
        const band = `${model} ${input_tokens > 200_000}`;
        const [input, cached, output] = this.#prices.get(band) ?? [];
        if (!input || !cached || !output) throw new Error(`no price of ${band}`);
        const fresh = input_tokens - cached_input_tokens;
        const amount = input
            .times(fresh)
            .plus(cached.times(cached_input_tokens))
            .plus(output.times(output_tokens));
        this.#events.set(line.id, { account: line.subject, amount, isDebited: false });
        const group = `${line.subject} ${band} ${line.time.slice(0, 10)}`;
        if (!this.#metered.has(group)) this.#count(line.subject, 'metered', 1);
        this.#metered.set(group, (this.#metered.get(group) ?? 0) + 1);
        this.#count(line.subject, 'events', 1);
        this.#count(line.subject, 'fresh', fresh);
        this.#count(line.subject, 'cached', cached_input_tokens);
        this.#count(line.subject, 'output', output_tokens);
        this.#add(line.subject, 'rated', amount);
    }

    /** Compares a debit entry with its event, unless the entry was seen. */
    debit(line: DebitLine): void {
        if (this.#entries.has(line.entry_id)) return;
        this.#entries.add(line.entry_id);
        const amount = new this.#Decimal(line.amount);
        this.#count(line.account_id, 'entries', 1);
        this.#add(line.account_id, 'debited', amount);
        const event = this.#events.get(line.event_id);
        if (!event) {
            this.#count(line.account_id, 'unused', 1);
            this.#add(line.account_id, 'unused_amount', amount);
            return;
        }
        event.isDebited = true;
        const isAgreed = event.amount.toDecimalPlaces(0).equals(amount.times(1_000_000));
        if (isAgreed) this.#count(line.account_id, 'agreed', 1);
    }

    /** Counts what was never debited. */
    end(): void {
        for (const { account, amount, isDebited } of this.#events.values()) {
            if (isDebited) continue;
            this.#count(account, 'undebited', 1);
            this.#add(account, 'undebited_amount', amount);
        }
    }

    rows(): readonly SqlRow[] {
        return [...this.#accounts].map(([account, { counts, amounts }]) => {
            const texts = [...amounts].map(([name, amount]) => [name, amount.toFixed()]);
            return { account, ...Object.fromEntries(counts), ...Object.fromEntries(texts) };
        });
    }

    #of(account: string): Sums {
        const known = this.#accounts.get(account);
        if (known) return known;
        const sums: Sums = { counts: new Map(), amounts: new Map() };
        this.#accounts.set(account, sums);
        return sums;
    }

    #count(account: string, name: keyof SqlRow, by: number): void {
        const { counts } = this.#of(account);
        counts.set(name, (counts.get(name) ?? 0) + by);
    }

    #add(account: string, name: keyof SqlRow, amount: Decimal): void {
        const { amounts } = this.#of(account);
        amounts.set(name, (amounts.get(name) ?? this.#zero).plus(amount));
    }
}
