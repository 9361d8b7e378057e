import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { charges, payers } from '../../pipelines/50-roll-up/tables.ts';
import { reconcile } from '../../pipelines/70-reconcile/stage.ts';
import { countedUsage } from '../../pipelines/70-reconcile/usage-tables.ts';
import { stripComments } from '../../src/duck/sql.ts';
import { defineTable, type Table, varchar } from '../../src/duck/table.ts';
import { type Config, configSchema } from '../../src/schema/config.ts';
import type { Stage } from '../../src/stage/define.ts';
import { auditRows, check } from '../support/table.ts';
import { type Defaults, withDefaults } from './defaults.ts';

/*
 * The small world in which every break of 70-reconcile is provoked: three wallets of each kind
 * below one payer, in October 2026, UTC. A test names only what it is about; the columns it leaves
 * out are filled in here, and the charges and payers follow from the usage as they do in a run.
 */

const config: Config = configSchema.parse({
    name: 'tiny',
    store: { folder: 'bucket' },
    rate_card: 'rates.yaml',
    accounts: 'accounts.json',
    assets: {},
    usage: [{ name: 'gateway', prefix: 'usage/' }],
    meters: [{ meter: 'requests', aggregation: 'count', unit: 'request' }],
});

const stage = reconcile(config, {});

/** Every proof of the stage in one relation: the names of those that fail. */
const violations = defineTable('proofs.violations', {
    comment: 'One row per row that an audit finds, or per key that stands twice.',
    grain: [],
    columns: { violation: varchar('Which proof.') },
});

/** The keys of breaks in a form a text table can hold: a day's key has a bar in it. */
const keys = defineTable('proofs.keys', {
    comment: 'One row per break.',
    grain: [],
    columns: { code: varchar('Code.'), break_key: varchar('Key, / for the bar.') },
});

const chargesSql = `
select payer_id, account_id, '' as pool_id, 'llm' as product, 'tokens' as meter, '{}' as attributes, 'r' as rate_id,
    'token' as unit, 0 as unit_price, 0 as quantity, count(*) as event_count,
    sum(rated_amount) as amount, currency, min(event_at) as service_start,
    max(event_at) as service_end
from compiled.event_values
where is_in_period
group by payer_id, account_id, currency`;

const payersSql = `
select paths.payer_id, max(payer_name) as payer_name, max(paths.currency) as currency,
    max(time_zone) as time_zone, max(period_start) as period_start, max(period_end) as period_end,
    coalesce(max(own.amount), 0) as amount, count(*) as path_count
from accounts.paths as paths
left join (select payer_id, sum(amount) as amount from rolled.charges group by payer_id) as own
    on paths.payer_id = own.payer_id
group by paths.payer_id`;

const countedSql = `
select account_id, wallet_asset as asset, count(*) as record_count, sum(counted_quantity) as amount
from compiled.event_values
where is_in_period
group by account_id, wallet_asset`;

const keysSql = `select code, replace(break_key, '|', '/') as break_key from recon.breaks`;

function grainSql({ name, grain, storage }: Table): string {
    const columns = grain.join(', ');
    return storage === 'view' && name !== 'recon.positions'
        ? `select '' as violation where false`
        : `select 'grain of ${name}' as violation from ${name} group by ${columns} having count(*) > 1`;
}

/** The stage as it is, after its charges and before its proofs, in a folder of its own. */
function proveIn(folder: string): Stage {
    const read = (...path: string[]) => readFileSync(join(stage.folder, ...path), 'utf8');
    const audits = readdirSync(join(stage.folder, 'audits'));
    mkdirSync(join(folder, 'audits'));
    for (const { name } of stage.writes) {
        writeFileSync(join(folder, `${name}.sql`), read(`${name}.sql`));
    }
    const found = audits.map((file) => {
        writeFileSync(join(folder, 'audits', file), read('audits', file));
        const audit = file.replace('.sql', '');
        return `select '${audit}' as violation from (${stripComments(read('audits', file))})`;
    });
    writeFileSync(
        join(folder, `${violations.name}.sql`),
        [...found, ...stage.writes.map(grainSql)].join('\nunion all\n'),
    );
    writeFileSync(join(folder, `${keys.name}.sql`), keysSql);
    writeFileSync(join(folder, `${countedUsage.name}.sql`), countedSql);
    writeFileSync(join(folder, `${charges.name}.sql`), chargesSql);
    writeFileSync(join(folder, `${payers.name}.sql`), payersSql);
    return {
        ...stage,
        folder,
        reads: stage.reads.filter((table) => table !== charges && table !== payers),
        compiled: (stage.compiled ?? []).filter(({ table }) => table !== countedUsage),
        writes: [countedUsage, charges, payers, ...stage.writes, violations, keys],
    };
}

const proven = proveIn(mkdtempSync(join(tmpdir(), 'tieout-reconcile-')));

/** What a column says when a test does not name it. */
const defaults: Defaults = {
    'compiled.event_values': {
        account_id: 'a',
        payer_id: 'org',
        currency: 'USD',
        wallet_asset: 'USD',
        wallet_shape: 'instant',
        is_in_period: 'true',
        event_at: '2026-10-10 12:00:00',
        event_on: '2026-10-10',
        is_unrated: 'false',
        rated_amount: '0',
        products: 'llm',
    },
    'mediated.debit_entries': {
        input: 'wallet',
        entry_type: 'capture',
        account_id: 'a',
        asset: 'USD',
        booked_at: '2026-10-10 12:00:01',
    },
    'compiled.disputed_parts': {
        meter: 'tokens',
        book_id: 'one',
        currency: 'USD',
        attributes: '{}',
        segment_at: '2026-10-01 00:00:00',
    },
    'rules.book_cards': { card: 'list', currency: 'USD' },
    'rules.rates': {
        ...{ card: 'list', currency: 'USD', meter: 'tokens', mask: '', match_key: '{}' },
        ...{ specificity: '0', priority: '0' },
    },
};

const october = '2026-10-01 | 2026-11-01';
const always = '2000-01-01 | 9999-12-31';

const world = `
    given rules.assets asset | kind     | precision | counts   | tolerance | tolerance_percent | tolerance_cap | tolerance_total
                       USD   | currency | 6         | tokens   | 0.0000005 | 0                 | _ | _
                       EUR   | currency | 6         | tokens   | 0.0000005 | 0                 | _ | _
                       TOK   | unit     | 3         | tokens   | 0.0005    | 0                 | _ | _
                       REQ   | unit     | 0         | requests | 0         | 0                 | _ | _
    given rules.asset_rates asset | currency | rate_from  | rate_to | is_first | rate
                            USD   | USD      | 0001-01-01 | _       | true     | 1
                            EUR   | EUR      | 0001-01-01 | _       | true     | 1
                            TOK   | USD      | 2026-01-01 | _       | true     | 0.002
                            REQ   | USD      | 2026-01-01 | _       | true     | 0.5
    given accounts.paths account_id | payer_id | payer_name | currency | wallet_asset | wallet_shape | valid_from | valid_to | period_start | period_end
                         org        | org      | The org    | USD      | USD          | instant      | ${always}             | ${october}
                         a          | org      | The org    | USD      | USD          | instant      | ${always}             | ${october}
                         b          | org      | The org    | USD      | USD          | instant      | ${always}             | ${october}
                         t          | org      | The org    | USD      | TOK          | two_phase    | ${always}             | ${october}
                         r          | org      | The org    | USD      | REQ          | aggregated   | ${always}             | ${october}`;

/** Runs the stage over usage and debits, compares, and asks every proof of the stage to hold. */
export function ties(text: string): Promise<void> {
    return check(
        proven,
        `${world}\n${withDefaults(text, defaults)}\n    then proofs.violations violation`,
    );
}

/** The rows an audit finds over usage and debits. */
export function proof(audit: string, text: string): Promise<number> {
    return auditRows(proven, audit, `${world}\n${withDefaults(text, defaults)}`);
}

/** One event `e` of account a, worth so much USD, and the debits that name it. */
export const paid = (rated: string, entries: string) => `
    given compiled.event_values  event_id | rated_amount | counted_quantity
                                 e        | ${rated}     | 1000
    given mediated.debit_entries event_id | entry_id | amount
${entries
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => `                 e        | ${line.trim()}`)
    .join('\n')}`;

/** One event `e` of account t that counts so many TOK and is worth 8 USD, and what was held. */
export const held = (counted: string, entries: string) => `
    given compiled.event_values  event_id | account_id | wallet_asset | wallet_shape | counted_quantity | rated_amount
                                 e        | t          | TOK          | two_phase    | ${counted}       | 8
    given mediated.debit_entries event_id | authorization_id | account_id | asset | entry_id | entry_type | amount | booked_at
${entries
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(
        (line) =>
            `                 e        | A                | t          | TOK   | ${line.trim()}`,
    )
    .join('\n')}`;

/** What is held for usage that does not exist. */
export const unused = (entries: string) =>
    held('0', entries).replace(/\n +e +\| t +\| TOK +\| two_phase.*/, '');

/** Captures of this input end their holds, as in TigerBeetle. */
export const final = (input = 'wallet') => `
    given rules.final_inputs input
                             ${input}`;

/** A rule of the ladder that is off for an asset. */
export const off = (rule: string, asset = 'USD') => `
    given rules.off_rules asset    | rule
                          ${asset} | ${rule}`;
