import { compileAccounts } from '../../../src/compile/accounts.ts';
import { noOpenings, openingsOf } from '../../../src/compile/openings.ts';
import { compilePromises, type Promises } from '../../../src/compile/promises.ts';
import { type FileProblem, printProblem } from '../../../src/errors/index.ts';
import { loadContracts } from '../../../src/rules/contracts.ts';
import { loadCard } from '../../../src/rules/load.ts';
import { loadOpenings } from '../../../src/rules/openings.ts';
import { type Config, configSchema } from '../../../src/schema/config.ts';
import { parseInstant } from '../../../src/time/instant.ts';

const config: Config = configSchema.parse({
    name: 'tiny',
    store: { folder: 'bucket' },
    rate_card: 'card.yaml',
    accounts: 'accounts.json',
    assets: {
        TOK: {
            ...{ kind: 'unit', precision: 3 },
            rates: [
                { currency: 'USD', rate: '0.002', from: '2026-01-01T00:00:00Z' },
                { currency: 'USD', rate: '0.003', from: '2026-10-15T00:00:00Z' },
                { currency: 'EUR', rate: '0.001', from: '2026-11-01T00:00:00Z' },
            ],
        },
    },
    usage: [{ name: 'gateway', prefix: 'usage/' }],
    meters: [{ meter: 'tokens', aggregation: 'count', unit: 'token' }],
});

const cardIn = (currency: string) => `card: list
version: "1"
currency: ${currency}
charges:
  - { product: llm, meter: tokens, model: per_unit, unit: token, rates: [{ when: {}, price: "1", from: 2020-01-01T00:00:00Z }] }
`;

/** An account as the file has it: valid since 2020, in the currency of the card. */
export type Row = Readonly<Record<string, string | null>>;
const org: Row = { account_id: 'org' };
const app: Row = { account_id: 'app', parent: 'org' };

/** What a test says; the rest is a contract of org over the year 2026, run for October. */
export interface World {
    /** A line of flow YAML each, as are grants. */
    readonly commitments?: readonly string[];
    readonly grants?: readonly string[];
    readonly span?: string;
    readonly account?: string;
    readonly accounts?: readonly Row[];
    /** Of the contract deal: rows of openings.csv after its header, or of the run before. */
    readonly openings?: readonly string[];
    readonly previous?: string;
    readonly period?: string;
    /** Long after the period unless told. */
    readonly asOf?: string;
    readonly order?: string;
    readonly currency?: string;
}

const year = 'from: 2026-01-01T00:00:00Z, to: 2027-01-01T00:00:00Z';
export const openingsHeader = 'contract,product,meter,commitment,grant,period,quantity\n';

/** The text of contracts.yaml: its contract is on line 2, its first commitment or grant on line 4. */
export function contractsText({
    commitments = [],
    grants = [],
    span = year,
    account = 'org',
    order,
}: World): string {
    const list = (name: string, of: readonly string[]) =>
        of.length ? `    ${name}:\n${of.map((one) => `      - { ${one} }\n`).join('')}` : '';
    const [from = '', to] = span.split(', ');
    return `contracts:
  - contract: deal
${list('commitments', commitments)}${list('grants', grants)}    account: ${account}
    ${from}
    ${to ?? ''}
    cards: [{ card: list }]
${order ? `draw_down_order: ${order}\n` : ''}`;
}

/** Reads the contracts of a world. */
export function contractsOf(world: World) {
    const card = cardIn(world.currency ?? 'USD');
    const read = loadCard('card.yaml', () => card);
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    const standard = { file: 'card.yaml', card: read.card };
    return loadContracts('contracts.yaml', contractsText(world), standard, () => card);
}

/** Everything that is wrong with a world, as a person sees it. */
export function problemsOf(world: World): readonly string[] {
    return compiled(world).problems.map(printProblem);
}

/** What is promised and given in a world in which nothing is wrong. */
export function promisesOf(world: World): Promises {
    const { promises, problems } = compiled(world);
    if (!promises || problems.length) throw new Error(problems.map(printProblem).join('\n'));
    return promises;
}

function compiled(world: World): {
    readonly promises?: Promises;
    readonly problems: readonly FileProblem[];
} {
    const { accounts = [org, app], openings: rows, previous, period = '2026-10' } = world;
    const agreed = contractsOf(world);
    if ('problems' in agreed) return agreed;
    const { contracts } = agreed;
    const defaults = { currency: world.currency ?? 'USD', valid_from: '2020-01-01T00:00:00Z' };
    const text = JSON.stringify(accounts.map((row) => ({ ...defaults, ...row })));
    if (typeof config.assets === 'string') throw new Error('assets are written in the config');
    const loaded = { config, assets: config.assets };
    const tree = compileAccounts('accounts.json', text, loaded, period, contracts);
    if ('problems' in tree) return tree;
    const said = rows
        ? loadOpenings('openings.csv', `${openingsHeader}${rows.join('\n')}\n`, contracts)
        : { openings: noOpenings };
    if ('problems' in said) return said;
    const openings = openingsOf(
        { ...said.openings, ...(previous === undefined ? {} : { previous }) },
        period,
    );
    const { assets } = loaded;
    return compilePromises({
        ...{ contracts, openings, assets, paths: tree.tree.paths },
        asOf: parseInstant(world.asOf ?? '2100-01-01T00:00:00Z'),
    });
}
