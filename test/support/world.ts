import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { Engine } from '../../src/duck/engine.ts';
import type { RunResult } from '../../src/run/pipeline.ts';
import type { Break } from '../../src/schema/break.ts';
import type { Certificate } from '../../src/schema/certificate.ts';
import {
    type Account,
    type Book,
    type Meter,
    type Payer,
    quantityOf,
    type Rate,
    type UsageEvent,
} from '../oracle/slow-rater.ts';
import type { DebitEntry, Wallet, Wallets } from '../oracle/slow-reconciler.ts';
import { bandOf, decimalText, minus, one, type Place, parseDecimal, plus } from './exact.ts';
import { memoryStore } from './memory-store.ts';
import { type TestProject, testProject } from './project.ts';

/*
 * A small world twice: as the files of a project that the pipeline runs, and as what the oracles
 * read. The two are written side by side here, and nothing else says that they mean the same.
 */

/** All worlds are of this month: it has a DST change, and zones that begin it in February. */
export const period = '2025-03';
export const asOf = '2025-04-06T00:00:00Z';

/** March 2025 in each zone, worked out by hand from the offsets in force on its first days. */
export const zones = {
    UTC: { start: '2025-03-01T00:00:00Z', end: '2025-04-01T00:00:00Z' },
    // -05:00 on 1 March, -04:00 on 1 April.
    'America/New_York': { start: '2025-03-01T05:00:00Z', end: '2025-04-01T04:00:00Z' },
    'Asia/Kolkata': { start: '2025-02-28T18:30:00Z', end: '2025-03-31T18:30:00Z' },
    'Pacific/Kiritimati': { start: '2025-02-28T10:00:00Z', end: '2025-03-31T10:00:00Z' },
} as const satisfies Readonly<Record<string, { readonly start: string; readonly end: string }>>;

export type Zone = keyof typeof zones;

/** Decimals of the minor unit, as ISO 4217 has them. */
export const exponents = { USD: 2, EUR: 2, JPY: 0, KWD: 3 } as const;
export type Currency = keyof typeof exponents;

/** The one asset of the worlds that is no currency; it counts tokens. */
export const unitAsset = 'TOK';

/** What one of it is worth: it changes in the month. */
const unitRates = Object.keys(exponents).flatMap((currency) => [
    { currency, rate: '0.002', from: '2025-01-01T00:00:00Z' },
    { currency, rate: '0.003', from: '2025-03-15T00:00:00Z' },
]);

const steps = [{ up_to: '200000', is: 'short' }, { is: 'long' }] as const;

/** Where a band ends: a value of this is still in it. */
export const bandEdge = 200_000n;

/** The attributes that rates of each meter may name, with values that events have, and others. */
export const attributeValues: Readonly<
    Record<string, Readonly<Record<string, readonly string[]>>>
> = {
    tokens: {
        model: ['opus', 'haiku', 'q"x'],
        context_band: ['short', 'long'],
        token_class: ['input', 'cache_read', 'output'],
    },
    requests: { model: ['opus', 'haiku'] },
    gpu: { region: ['eu', 'us'] },
};

/** How the config says it. */
const configMeters = [
    {
        meter: 'tokens',
        event_type: 'llm.request',
        aggregation: 'sum',
        unit: 'token',
        attributes: ['model', 'context_band'],
        token_classes: {
            input: 'input_tokens - cached_tokens',
            cache_read: 'cached_tokens',
            output: 'output_tokens',
        },
    },
    {
        meter: 'requests',
        event_type: 'llm.request',
        aggregation: 'count',
        unit: 'request',
        attributes: ['model'],
    },
    {
        meter: 'gpu',
        event_type: 'gpu.job',
        where: "coalesce(region, '') <> 'free'",
        aggregation: 'sum',
        unit: 'gpu_second',
        attributes: ['region'],
        quantity: 'gpu_seconds',
    },
] as const;

/** How the oracle is told the same. */
export const meters: readonly Meter[] = [
    {
        meter: 'tokens',
        wants: (event) => event.event_type === 'llm.request',
        attributes: ['model', 'context_band'],
        classes: [
            {
                token_class: 'input',
                quantity: (event) =>
                    minus(quantityOf(event, 'input_tokens'), quantityOf(event, 'cached_tokens')),
            },
            { token_class: 'cache_read', quantity: (event) => quantityOf(event, 'cached_tokens') },
            { token_class: 'output', quantity: (event) => quantityOf(event, 'output_tokens') },
        ],
    },
    {
        meter: 'requests',
        wants: (event) => event.event_type === 'llm.request',
        attributes: ['model'],
        classes: [{ token_class: null, quantity: () => one }],
    },
    {
        meter: 'gpu',
        wants: (event) => event.event_type === 'gpu.job' && event.attributes.region !== 'free',
        attributes: ['region'],
        classes: [{ token_class: null, quantity: (event) => quantityOf(event, 'gpu_seconds') }],
    },
];

export interface CardRate {
    /** Attribute to value or '*'. One that is left out means '*' too. */
    readonly when: Readonly<Record<string, string>>;
    readonly price: string;
    readonly from: string;
    readonly to: string | null;
    readonly priority: number;
}

export interface CardCharge {
    readonly product: string;
    readonly meter: string;
    readonly price_per: string;
    readonly rates: readonly CardRate[];
}

export interface Card {
    readonly card: string;
    readonly version: string;
    readonly currency: Currency;
    readonly charges: readonly CardCharge[];
}

/** One row of accounts.json. Zone and currency of an account are the same in all its spans. */
export interface WorldAccount extends Account {
    readonly currency: Currency;
    readonly zone: Zone;
}

export interface WorldWallet {
    readonly account_id: string;
    /** Null: money, which is of the card's currency. Nothing else would be worth anything. */
    readonly asset: typeof unitAsset | null;
    readonly shape: 'instant' | 'two_phase' | 'aggregated';
    readonly funding?: 'prepaid' | 'postpaid';
}

/** An event with how its line is written: the same fact in another spelling. */
export interface WorldEvent extends UsageEvent {
    /** Numbers as JSON numbers, not as strings. */
    readonly isBare: boolean;
}

/** A line that no one can use. It must be suspended, and change nothing. */
export interface Junk extends Place {
    readonly text: string;
}

export interface World {
    readonly card: Card;
    readonly accounts: readonly WorldAccount[];
    readonly wallets: readonly WorldWallet[];
    /** In no order: object and line say where each lies. */
    readonly events: readonly WorldEvent[];
    readonly junk: readonly Junk[];
    /** Empty: the project has no debit log. */
    readonly debits: readonly DebitEntry[];
}

/** The prefixes of a world's inputs. Their order is that of the config and of the keys. */
export const prefixes = {
    llm: 'usage/1-llm/',
    gpu: 'usage/2-gpu/',
    debits: 'debits/',
} as const;

/** What the oracle of rating needs of a world. */
export function bookOf(world: Pick<World, 'card' | 'accounts'>): Book {
    const payers = world.accounts.map(({ account_id, currency, zone }): [string, Payer] => [
        account_id,
        { currency, ...zones[zone] },
    ]);
    return {
        meters,
        derived: { context_band: (event) => bandOf(quantityOf(event, 'input_tokens'), steps) },
        rates: ratesOf(world.card),
        accounts: world.accounts,
        payers: Object.fromEntries(payers),
        exponents,
    };
}

export function ratesOf(card: Card): readonly Rate[] {
    return card.charges.flatMap(({ meter, price_per, rates }) =>
        rates.map((rate) => ({ ...rate, meter, price_per, currency: card.currency })),
    );
}

/** What the oracle of the tie-out needs of a world. */
export function walletsOf(world: Pick<World, 'card' | 'wallets'>): Wallets {
    const of = world.wallets.map(({ account_id, asset, shape, funding }): [string, Wallet] => [
        account_id,
        { asset: asset ?? world.card.currency, shape, funding: funding ?? 'prepaid' },
    ]);
    return {
        of: Object.fromEntries(of),
        rates: unitRates.map((rate) => ({ asset: unitAsset, ...rate })),
        // Half a unit of the last decimal of each asset.
        tolerances: { USD: '0.005', EUR: '0.005', KWD: '0.0005', JPY: '0', [unitAsset]: '0' },
        counts: {
            [unitAsset]: (event) =>
                plus(quantityOf(event, 'input_tokens'), quantityOf(event, 'output_tokens')),
        },
        otherwise: zones.UTC,
    };
}

/** Every value in its place: people read these files when a world fails. */
const yaml = (value: unknown) => stringify(value, { aliasDuplicateObjects: false });

/** Path to text of every file of the project. The objects lie below `bucket/`. */
export function projectFiles(world: World): Readonly<Record<string, string>> {
    const objects = objectsOf(world).map(([key, text]): [string, string] => [
        `bucket/${key}`,
        text,
    ]);
    return {
        'tieout.yaml': yaml(configOf(world)),
        'accounts.json': `${JSON.stringify(world.accounts.map(accountRow), null, 2)}\n`,
        'card.yaml': yaml(cardOf(world.card)),
        ...Object.fromEntries(objects),
    };
}

/** Writes the project into a folder. */
export function writeProject(world: World, folder: string): void {
    for (const [path, text] of Object.entries(projectFiles(world))) {
        const file = join(folder, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
    }
}

/** Lines by role: what the pipeline must account for. */
export function lineCounts(world: World): { readonly usage: number; readonly debits: number } {
    const count = (isDebit: boolean) =>
        objectsOf(world)
            .filter(([key]) => key.startsWith(prefixes.debits) === isDebit)
            .reduce((total, [, text]) => total + text.split('\n').length - 1, 0);
    return { usage: count(false), debits: count(true) };
}

function objectsOf(world: World): readonly (readonly [key: string, text: string])[] {
    const lines = [
        ...world.events.map((event) => ({ ...event, text: JSON.stringify(eventLine(event)) })),
        ...world.debits.map((entry) => ({ ...entry, text: JSON.stringify(debitLine(entry)) })),
        ...world.junk,
    ].map((line) => ({ ...line, text: unquoteBare(line.text) }));
    // An input without objects stops a run: an empty one has a line that says nothing.
    const missing = [prefixes.llm, prefixes.gpu].filter(
        (prefix) => !lines.some(({ object }) => object.startsWith(prefix)),
    );
    const fillers = missing.map((prefix) => ({
        object: `${prefix}empty.ndjson`,
        line: 1,
        text: '{}',
    }));
    return [...Map.groupBy([...lines, ...fillers], ({ object }) => object)]
        .map(([key, of]) => {
            const ordered = of.toSorted((a, b) => a.line - b.line);
            return [key, ordered.map(({ text }) => `${text}\n`).join('')] as const;
        })
        .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A number that goes into JSON as its own digits: JSON.stringify would take it through a float. */
const bare = (digits: string) => `\u0001${digits}\u0002`;
const unquoteBare = (text: string) => text.replaceAll(/"\\u0001([0-9.]+)\\u0002"/g, '$1');

/** CloudEvents 1.0. A quantity or attribute that is null is left out. */
function eventLine(event: WorldEvent): unknown {
    const quantities = Object.entries(event.quantities).filter(([, value]) => value !== null);
    return {
        specversion: '1.0',
        id: event.event_id,
        source: event.source,
        type: event.event_type,
        subject: event.account_id,
        time: event.at,
        data: {
            ...(event.authorization_id ? { authorization_id: event.authorization_id } : {}),
            ...Object.fromEntries(
                Object.entries(event.attributes).filter(([, value]) => value !== null),
            ),
            ...Object.fromEntries(
                quantities.map(([name, value]) => [name, event.isBare ? bare(value ?? '') : value]),
            ),
        },
    };
}

function debitLine({ object: _, line: __, input: ___, rest, ...entry }: DebitEntry): unknown {
    return { ...entry, ...rest };
}

function accountRow({ account_id, parent, bill_to, from, to, currency, zone }: WorldAccount) {
    return {
        account_id,
        parent,
        bill_to,
        currency,
        time_zone: zone,
        valid_from: from,
        valid_to: to,
    };
}

function cardOf({ card, version, currency, charges }: Card): unknown {
    return {
        card,
        version,
        currency,
        charges: charges.map(({ product, meter, price_per, rates }) => ({
            product,
            description: `All ${meter}`,
            meter,
            model: 'per_unit',
            unit: configMeters.find((of) => of.meter === meter)?.unit ?? '',
            price_per,
            rates: rates.map(({ to, ...rate }) => ({ ...rate, ...(to === null ? {} : { to }) })),
        })),
    };
}

function configOf(world: World): unknown {
    const optional = (name: string) => ({ path: `data.${name}`, optional: true });
    const cloudevents = {
        preset: 'cloudevents',
        columns: { authorization_id: 'data.authorization_id' },
    };
    const currencies = Object.entries(exponents).map(([code, precision]) => [
        code,
        { kind: 'currency', precision },
    ]);
    return {
        name: 'world',
        store: { folder: 'bucket' },
        rate_card: 'card.yaml',
        accounts: 'accounts.json',
        assets: {
            ...Object.fromEntries(currencies),
            [unitAsset]: { kind: 'unit', precision: 0, counts: 'tokens', rates: unitRates },
        },
        usage: [
            {
                name: 'llm',
                prefix: prefixes.llm,
                ...cloudevents,
                attributes: { model: 'data.model' },
                quantities: {
                    input_tokens: 'data.input_tokens',
                    cached_tokens: optional('cached_tokens'),
                    output_tokens: 'data.output_tokens',
                },
            },
            {
                name: 'gpu',
                prefix: prefixes.gpu,
                ...cloudevents,
                attributes: { region: 'data.region' },
                quantities: { gpu_seconds: { path: 'data.gpu_seconds', type: 'decimal' } },
            },
        ],
        debits: world.debits.length ? [{ name: 'ledger', prefix: prefixes.debits }] : [],
        derived: { context_band: { band: 'input_tokens', steps } },
        meters: configMeters,
        counts: { tokens: 'input_tokens + output_tokens' },
        wallets: world.wallets.map((of) => ({
            accounts: of.account_id,
            asset: of.asset ?? world.card.currency,
            shape: of.shape,
            ...(of.funding ? { funding: of.funding } : {}),
        })),
        // Worlds are full of what cannot be used, and of differences.
        limits: { suspense_percent: '100' },
        // Reading lines takes 1 GB at once, however small the objects are. Several worlds run at
        // once: a thread each is the faster way.
        engine: { memory: '4GB', threads: 1 },
    };
}

/** One fact per line of text, sorted: what differs between two runs then shows by itself. */
export type Facts = readonly string[];

/** What a night made of a world, in the words of the oracles and with their exact figures. */
export interface Night {
    readonly certificate: Certificate;
    /** payer | account | meter | attributes | rate | currency | quantity | amount | events */
    readonly charges: Facts;
    /** payer | account | meter | attributes | code | quantity | events */
    readonly unrated: Facts;
    /** payer | account | meter | attributes | rate | currency | minor units */
    readonly lines: Facts;
    readonly breaks: readonly Pick<
        Break,
        'code' | 'break_key' | 'account_id' | 'asset' | 'amount' | 'expected' | 'actual'
    >[];
    /** code | account | asset | effect on rated - debited */
    readonly legs: Facts;
    /** rule | account | asset | events | entries | expected | actual */
    readonly matches: Facts;
    /** payer | account | asset | rate | paid of all products, in the asset */
    readonly payments: Facts;
}

const inBucket = 'bucket/';

/** The project of a world, its objects in memory. Whoever makes it removes it. */
export function projectOf(world: World): TestProject {
    const [objects, files] = [true, false].map((isObject) =>
        Object.fromEntries(
            Object.entries(projectFiles(world))
                .filter(([path]) => path.startsWith(inBucket) === isObject)
                .map(([path, text]) => [isObject ? path.slice(inBucket.length) : path, text]),
        ),
    );
    return testProject(files ?? {}, memoryStore(objects ?? {}));
}

/** Runs the whole pipeline over a world. @throws RunError as the run does. */
export async function nightOf(world: World): Promise<Night> {
    const project = projectOf(world);
    try {
        return await readNight(await project.run({ period, as_of: asOf }));
    } finally {
        project.remove();
    }
}

const figure = (text: unknown) => decimalText(parseDecimal(String(text)));

/** Reads the relations of a finished run. */
export async function readNight({ run, certificate }: RunResult): Promise<Night> {
    const engine = await Engine.open({
        file: run.database,
        memory: '1GB',
        threads: 1,
        spill: run.scratch,
        readOnly: true,
    });
    const facts = async (sql: string): Promise<Facts> => {
        const rows = await engine.rows(sql);
        const text = (value: unknown) =>
            /^-?\d+\.\d+$/.test(String(value)) ? figure(value) : String(value);
        return rows.map((row) => Object.values(row).map(text).join(' | ')).sort();
    };
    // The oracle's name of a rate: meter, what it names, priority, start.
    const rate = `rates.meter || ' ' || rates.match_key || ' p' || rates.priority
        || ' from ' || epoch_us(rates.effective_from)`;
    try {
        const breaks = await engine.rows(`
            select code, break_key, account_id, asset, amount, expected, actual
            from recon.breaks order by code, break_key, break_id`);
        return {
            certificate,
            charges: await facts(`
                select payer_id, account_id, rates.meter, attributes, ${rate}, charges.currency,
                    quantity, amount, event_count
                from rolled.charges as charges
                inner join rules.rates as rates on charges.rate_id = rates.rate_id`),
            unrated: await facts(`
                select payer_id, account_id, meter, attributes, code, sum(quantity),
                    sum(event_count)
                from suspense.unrated_usage
                group by payer_id, account_id, meter, attributes, code`),
            lines: await facts(`
                select payer_id, account_id, rates.meter, attributes, ${rate}, lines.currency,
                    amount_minor
                from invoice.line_items as lines
                inner join rules.rates as rates on lines.rate_id = rates.rate_id`),
            breaks: breaks.map((row) => ({
                ...(row as unknown as Night['breaks'][number]),
                amount: figure(row.amount),
                expected: figure(row.expected),
                actual: figure(row.actual),
            })),
            legs: await facts('select code, account_id, asset, amount from recon.break_legs'),
            matches: await facts(`
                select rule, account_id, asset, usage_count, entry_count, expected, actual
                from recon.matches`),
            payments: await facts(`
                select payer_id, account_id, asset, rate::varchar, sum(asset_amount)
                from recon.wallet_payments
                group by payer_id, account_id, asset, rate`),
        };
    } finally {
        engine.close();
    }
}
