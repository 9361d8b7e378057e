import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/run/pipeline.ts';
import { memoryStore } from '../support/memory-store.ts';
import { besideTiny, csvOf } from '../support/night.ts';
import { type TestProject, testProject } from '../support/project.ts';
import { lines, masked, type TinyProject, tieout, tinyProject } from '../support/terminal.ts';

/*
 * Three days of one account. Input costs 3 USD for a million tokens since September, and cost 2
 * before: the wallet charged e1 at the old price, e2 at no price that ever was, which it states, and e3 for
 * a tenth of its tokens less. On the third day e4 agrees, and e5 lacks its debit until then.
 */
const rates = `model,token_class,context_band,usd_per_million_tokens,effective_from,effective_to
m1,input,standard,2,2025-01-01T00:00:00Z,2026-09-01T00:00:00Z
m1,input,standard,3,2026-09-01T00:00:00Z,
m1,cache_read,standard,0.3,2025-01-01T00:00:00Z,
m1,output,standard,15,2025-01-01T00:00:00Z,
`;
const event = (id: string, day: string, input: number, output: number) => ({
    ...{ specversion: '1.0', id, source: '/gateway', type: 'llm.completion', subject: 'acme' },
    time: `2026-10-${day}T01:00:00Z`,
    data: { model: 'm1', input_tokens: input, cached_input_tokens: 0, output_tokens: output },
});
const debit = (id: string, day: string, amount: string, quantity: string) => ({
    ...{ entry_id: `d-${id}`, entry_type: 'capture', event_id: id, account_id: 'acme' },
    ...{ wallet_id: 'w', asset: 'USD', amount, quantity },
    booked_at: `2026-10-${day}T01:00:01Z`,
});
const objects = {
    'usage/dt=2026-10-01/0.ndjson': lines([
        event('e1', '01', 10_000, 1000), // 0.03 + 0.015 = 0.045; at the old price 0.035
        event('e2', '01', 10_000, 0), // 0.03
        event('e5', '01', 1000, 0), // 0.003
    ]),
    'debits/dt=2026-10-01/0.ndjson': lines([
        debit('e1', '01', '0.035', '11000'),
        { ...debit('e2', '01', '0.025', '10000'), unit_price: '0.0000025', price_version: 'v7' },
    ]),
    'usage/dt=2026-10-02/0.ndjson': lines([event('e3', '02', 10_000, 0)]),
    'debits/dt=2026-10-02/0.ndjson': lines([debit('e3', '02', '0.027', '9000')]),
    'usage/dt=2026-10-03/0.ndjson': lines([event('e4', '03', 2000, 0)]),
    'debits/dt=2026-10-03/0.ndjson': lines([
        debit('e4', '03', '0.006', '2000'),
        debit('e5', '03', '0.003', '1000'),
    ]),
};
const files: Readonly<Record<string, string>> = { ...besideTiny(), 'rates.csv': rates };
const asOf = (day: string) => ({ as_of: `2026-10-${day}T00:00:00Z` });

const causes = (of: RunResult) =>
    csvOf(of, 'break_causes.csv').map(
        ({ code, break_key, cause, amount, rate_ids, effective_from }) =>
            [code, break_key, cause, amount, rate_ids && effective_from].join(' | '),
    );
const differences = (of: RunResult) =>
    csvOf(of, 'difference_causes.csv').map(({ cause, cause_count, amount }) =>
        [cause, cause_count, amount].join(' | '),
    );

describe('a night', () => {
    let whole: RunResult;
    let inTwo: RunResult;
    const projects: TestProject[] = [];
    beforeAll(async () => {
        const [one, other] = [0, 1].map(() => testProject(files, memoryStore(objects)));
        if (!one || !other) throw new Error('two projects');
        projects.push(one, other);
        whole = await one.run(asOf('05'));
        await other.run(asOf('02'));
        inTwo = await other.run(asOf('05'));
    }, 180_000);
    afterAll(() => {
        for (const project of projects) project.remove();
    });

    test('says of each break what made it as large as it is', () => {
        expect(causes(whole)).toEqual([
            'AMOUNT_PRICE | e1 | price_version | 0.01 | 2025-01-01T00:00:00Z',
            'AMOUNT_PRICE | e2 | price_version | 0.005 | ',
            'AMOUNT_QUANTITY | e3 | quantity | 0.003 | ',
        ]);
    });

    test('says of the account what made rated and debited differ, and so does its certificate', () => {
        expect(differences(whole)).toEqual(['price_version | 2 | 0.015', 'quantity | 1 | 0.003']);
        expect(whole.certificate.causes).toEqual([
            { cause: 'price_version', asset: 'USD', cause_count: '2', amount: '0.015' },
            { cause: 'quantity', asset: 'USD', cause_count: '1', amount: '0.003' },
        ]);
    });

    test('that goes on from others says the same: what it did not look at again included', () => {
        expect(inTwo.certificate.history.from).not.toBeNull();
        expect(causes(inTwo)).toEqual(causes(whole));
        expect(differences(inTwo)).toEqual(differences(whole));
        expect(inTwo.certificate.run_digest).toBe(whole.certificate.run_digest);
    });
});

/** What costs at most half a cent and is a matter of price holds nobody. */
const ladder = `
reconcile:
  rules: [{ rule: R5, enabled: false, assets: [USD] }]
  suggest: { window_minutes: 10 }
  accept: [{ rule: small, codes: [AMOUNT_PRICE], up_to: "0.005", total: "1.00" }]
`;

describe('explain', () => {
    let project: TinyProject;
    const at = (line: string) => tieout(line, { cwd: project.folder });
    beforeAll(async () => {
        const data = Object.entries(objects).map(([key, text]) => [`data/${key}`, text]);
        project = tinyProject({
            ...{ ...files, ...Object.fromEntries(data) },
            'tieout.yaml': `${files['tieout.yaml']}${ladder}`,
        });
        expect((await at('run --period 2026-10 --as-of 2026-10-05T00:00:00Z')).err).toBe('');
    });
    afterAll(() => project?.remove());

    test('a break: its causes, and the records of both sides as they were stored', async () => {
        const { breaks } = JSON.parse((await at('report --period 2026-10 --json')).out).certificate;
        expect(breaks).toHaveLength(2);
        const folder = join(project.folder, '.tieout/runs');
        const [run = ''] = readdirSync(folder);
        const rows = readFileSync(join(folder, run, 'output/breaks.csv'), 'utf8').split('\n');
        const rules = rows.map((row) => /,(e\d),acme,.*,([a-z]*)\r?$/.exec(row)?.slice(1));
        expect(rules.filter((of) => of !== undefined)).toEqual([
            ['e1', ''],
            ['e2', 'small'],
            ['e3', ''],
        ]);
        const [id = ''] = rows.find((row) => row.includes(',e1,'))?.split(',') ?? [];
        const explained = await at(`explain ${id.slice(0, 12)} --raw`);
        expect(explained).toMatchObject({ exit: 0, err: '' });
        expect(masked(explained.out, project.folder)).toMatchInlineSnapshot(`
          "break      SHA256
          run        2026-10-nightly-RUN
          what       AMOUNT_PRICE of e1, 4 days old
          payer      acme, for account acme
          amount     0.01 USD: usage says 0.045, debited 0.035; worth 0.01 USD
                     worth 0.045, captured 0.035, counted 11000, debited for 11000
          causes     together 0.01 USD
                     0.01 price version: charged as rate(s) list/tokens/context_band=standard,model=m1,token_class=input@2025-01-01T00:00:00Z said, from 2025-01-01T00:00:00Z to 2026-09-01T00:00:00Z
          usage      1 event(s)
                     2026-10-01T01:00:00Z  e1  from /gateway  usage/dt=2026-10-01/0.ndjson:1
                       {"specversion":"1.0","id":"e1","source":"/gateway","type":"llm.completion","subject":"acme","time":"2026-10-01T01:00:00Z","data":{"model":"m1","input_tokens":10000,"cached_input_tokens":0,"output_tokens":1000}}
          debits     1 entry
                     2026-10-01T01:00:01Z  d-e1  capture 0.035 USD  debits/dt=2026-10-01/0.ndjson:1
                       {"entry_id":"d-e1","entry_type":"capture","event_id":"e1","account_id":"acme","wallet_id":"w","asset":"USD","amount":"0.035","quantity":"11000","booked_at":"2026-10-01T01:00:01Z"}
          do         Explain it by the difference of the two rates; align the price versions.
          "
        `);
        const json = JSON.parse((await at(`explain ${id} --json`)).out);
        expect(json.causes).toMatchObject([{ cause: 'price_version' }]);
        expect([json.usage.length, json.debits.length]).toEqual([1, 1]);
    });
});
