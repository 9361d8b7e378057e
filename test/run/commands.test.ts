import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { quoteText } from '../../src/duck/sql.ts';
import { add, formatAmount, parseAmount } from '../../src/money/amount.ts';
import { beforehand } from '../support/beforehand.ts';
import { masked, type Said, type TinyProject, tieout, tinyProject } from '../support/terminal.ts';

/** One small project through every command, as a person would go. */
let project: TinyProject;
const at = (line: string) => tieout(line, { cwd: project.folder });
const json = ({ out }: Said) => JSON.parse(out);
const said = ({ out }: Said) => masked(out, project.folder);
const files = () => readdirSync(project.folder, { recursive: true, encoding: 'utf8' }).sort();
const period = '--period 2026-10';

beforeAll(() => {
    project = tinyProject();
});
afterAll(() => project.remove());

describe('init', () => {
    test('writes a project that is ready, in a folder of its own', async () => {
        const { exit, out, err } = await at('init sample');
        expect([exit, err]).toEqual([0, '']);
        expect(out).toMatch(/^sample: .*tieout\.yaml\n\d+ usage lines and \d+ debit lines/);
        const cwd = join(project.folder, 'sample');
        expect(await tieout('rules test', { cwd })).toMatchObject({ exit: 0, err: '' });
        expect((await tieout('doctor --json', { cwd })).exit).toBe(0);
        expect((await tieout(`plan ${period}`, { cwd })).exit).toBe(0);
        expect((await at('init sample')).err).toContain('is not empty: nothing was written');
        rmSync(cwd, { recursive: true });
    });
});

describe('before a run', () => {
    test('plan says what it would read and do, and touches nothing', async () => {
        const before = files();
        const plan = await at(`plan ${period}`);
        expect(plan).toMatchObject({ exit: 0, err: '' });
        expect(said(plan)).toMatch(/^run 2026-10-nightly-RUN: period 2026-10, as of 2026-11-05T/);
        expect(plan.out).toMatch(/\n {2}gateway +2 objects \(0 in the lake\) +1,924 bytes/);
        expect(plan.out).toMatch(/\nreused: nothing\n$/);
        const { run_id, inputs, stages, reuses } = json(await at(`plan ${period} --json`));
        expect(plan.out).toContain(run_id);
        expect(inputs).toMatchObject([
            { input: 'gateway', role: 'usage', object_count: 2, bytes: 1924 },
            { input: 'wallet', role: 'debits', object_count: 2, bytes: 1520 },
        ]);
        expect(stages.map(({ stage }: { stage: string }) => stage)).toEqual([
            ...[
                '20-mediate',
                '30-meter',
                '40-rate',
                '45-price',
                '50-roll-up',
                '70-reconcile',
                '72-bill',
                '76-draw-down',
                '80-invoice',
            ],
        ]);
        expect(reuses).toBeNull();
        expect(files()).toEqual(before);
    });

    test('doctor finds everything ready', async () => {
        const { exit, out } = await at('doctor');
        expect(exit).toBe(0);
        expect(out).toMatch(/^(ok {3}\S.*\n)+Ready to run\.\n$/);
        const { ready, findings } = json(await at('doctor --json'));
        expect(ready).toBe(true);
        expect(findings.map(({ check }: { check: string }) => check)).toEqual([
            ...['node', 'config and rates', 'state', 'accounts', 'input gateway', 'input wallet'],
            ...['disk', 'lake', 'memory and engine'],
        ]);
    });

    test('doctor says what is amiss, all of it, and what to do', async () => {
        const broken = tinyProject();
        broken.write('accounts.json', '[{"account_id": "acme"}]');
        rmSync(join(broken.folder, 'data/debits'), { recursive: true });
        const { exit, out } = await tieout('doctor', { cwd: broken.folder });
        broken.remove();
        expect(exit).toBe(2);
        expect(out.match(/^BAD .*/gm)).toEqual([
            expect.stringMatching(/^BAD {2}accounts +ACCOUNTS_INVALID: 2 problems/),
            expect.stringMatching(/^BAD {2}input wallet +STORE_PREFIX_EMPTY: no object under/),
        ]);
        expect(out.match(/^ {5}-> \S/gm)).toHaveLength(2);
        expect(out).toMatch(/Not ready: see above\.\n$/);
    });

    test('rules check and rules test', async () => {
        expect(await at('rules check')).toEqual({
            exit: 0,
            out: 'rates.yaml: 6 rates for 1 product; no overlap, gap or tie\n',
            err: '',
        });
        expect(json(await at('rules check --json'))).toMatchObject({
            card: 'list',
            rate_count: 6,
            products: ['llm-tokens'],
        });
        expect(await at('rules test')).toEqual({
            exit: 0,
            out: `ok  a million input tokens: 3 at 0.000003 by list/tokens/context_band=standard,model=m1,token_class=input@2025-01-01T00:00:00Z, rates.csv:2
1 worked example comes out
`,
            err: '',
        });
        expect(json(await at('rules test --json'))).toMatchObject([{ ok: true, line: 2 }]);
    });
});

describe('a run', () => {
    let first: Said | undefined;
    beforeAll(async () => {
        [first] = await beforehand(project, `run ${period}`);
    });

    test('says what it did', () => {
        expect(first).toMatchObject({ exit: 0, err: '' });
        expect(first && said(first)).toMatchInlineSnapshot(`
          "run        2026-10-nightly-RUN
          read       4 objects; 0 rows in suspense
          looked at  all rows: it is the first run of the period
          lines      6 for 1 payer: 0.03 USD
          tie-out    zero for 2 accounts and assets
          breaks     1 open
          held       nobody
          digest     SHA256
          report     .tieout/runs/2026-10-nightly-RUN/output/report.html
          lines in   .tieout/runs/2026-10-nightly-RUN/output/line_items.csv
          breaks in  .tieout/runs/2026-10-nightly-RUN/output/breaks.csv
          "
        `);
    });

    test('is the same run as `run nightly`, and a second one does nothing', async () => {
        const { run_id, folder, is_reused, certificate } = json(
            await at(`run nightly ${period} --json`),
        );
        expect(is_reused).toBe(true);
        expect(first?.out).toContain(`${run_id}\n`);
        expect(first?.out).toContain(certificate.run_digest);
        expect(certificate).toEqual(
            JSON.parse(readFileSync(join(folder, 'certificate.json'), 'utf8')),
        );
        expect((await at(`run ${period}`)).out).toContain('(finished before; nothing was done)');
        expect((await at(`plan ${period}`)).out).toContain('reused: this run has finished');
    });

    test('is found by --config from elsewhere, and from a folder below', async () => {
        const config = join(project.folder, 'tieout.yaml');
        const elsewhere = await tieout(`--config ${config} run ${period} --json`, { cwd: '/' });
        expect(json(elsewhere)).toMatchObject({ is_reused: true });
        const below = await tieout(`run ${period} --json`, {
            cwd: join(project.folder, 'data/usage'),
        });
        expect(json(below)).toEqual(json(elsewhere));
    });

    test('is reported', async () => {
        const report = await at(`report ${period}`);
        expect(report).toMatchObject({ exit: 0, err: '' });
        expect(report.out).toContain('All 0.03 USD may be invoiced.');
        expect(report.out).toMatch(/METERED_NOT_DEBITED +1 +0\.0285 USD/);
        const data = json(await at(`report ${period} --json`));
        expect(Object.keys(data)).toEqual([
            ...['run_id', 'report', 'folder', 'files', 'headline', 'standing', 'certificate'],
        ]);
        expect(readFileSync(data.report, 'utf8')).toContain('<html');
    });

    test('explains every line of usage by events that add up to it', async () => {
        const { folder } = json(await at(`run ${period} --json`));
        const rows = readFileSync(join(folder, 'line_items.csv'), 'utf8').trim().split('\n');
        const keys = rows.flatMap((row) => {
            const [key = '', , type] = row.split(',');
            return type === 'usage' ? [key] : [];
        });
        expect(keys).toHaveLength(4);
        let seen = 0;
        for (const key of keys) {
            const explained = json(await at(`explain ${key} --raw --events 9 --json`));
            const { line, events, event_count, event_quantity, days } = explained;
            expect(line.line_key).toBe(key);
            expect(events).toHaveLength(Number(event_count));
            const sum = (of: readonly { quantity: string }[]) =>
                formatAmount(
                    of.reduce((all, { quantity }) => add(all, parseAmount(quantity)), {
                        units: 0n,
                        scale: 0,
                    }),
                );
            expect(sum(events)).toBe(line.quantity);
            expect(sum(days)).toBe(line.quantity);
            expect(event_quantity).toBe(line.quantity);
            for (const event of events) {
                // The very line of the object, fetched again.
                const raw = JSON.parse(event.raw);
                expect([raw.id, raw.source, raw.subject]).toEqual([
                    event.event_id,
                    event.source,
                    line.account_id,
                ]);
                const stored = readFileSync(join(project.folder, 'data', event.key), 'utf8');
                expect(stored.split('\n')[Number(event.line) - 1]).toBe(event.raw);
                expect(event.debits).toHaveLength(event.event_id === 'evt-9' ? 0 : 1);
                seen += 1;
            }
        }
        // Nine events, each in a line of input and one of output.
        expect(seen).toBe(18);
    });

    test('explains in words, from the beginning of a key', async () => {
        const { folder } = json(await at(`run ${period} --json`));
        const [, row = ''] = readFileSync(join(folder, 'line_items.csv'), 'utf8').split('\n');
        const explained = await at(`explain ${row.slice(0, 12)} --events 1 --raw`);
        expect(explained).toMatchObject({ exit: 0, err: '' });
        expect(said(explained)).toMatchInlineSnapshot(`
          "line       SHA256
          run        2026-10-nightly-RUN
          payer      acme, for account acme
          what       LLM tokens (standard, m1, input)
          amount     0.08 USD = 0.075 rounded once
                     25,000 token x 0.000003
          rate       list/tokens/context_band=standard,model=m1,token_class=input@2025-01-01T00:00:00Z in rates.csv:2, 2025-01-01T00:00:00Z to now
                     matches {"context_band":"standard","model":"m1","token_class":"input"}, priority 0, card list 1
          paid       0.05 USD by wallets in USD
          metered    2 day(s)
                     2026-10-01               9,000         3 events  0.027
                     2026-10-02              16,000         2 events  0.048
          events     5, together 25,000 token: the quantity of the line
                     2026-10-01T01:00:00Z  evt-1  1,000  usage/dt=2026-10-01/0.ndjson:1
                       {"specversion":"1.0","id":"evt-1","source":"/gateway","type":"llm.completion","subject":"acme","time":"2026-10-01T01:00:00Z","data":{"model":"m1","input_tokens":1000,"cached_input_tokens":0,"output_tokens":100}}
                       capture 0.0045 USD at 2026-10-01T01:00:01Z  ent-1  debits/dt=2026-10-01/log.ndjson:1
                     and 4 more (--events N)
          "
        `);
    });

    test('--raw refuses objects that are not what was billed from', async () => {
        const key = 'data/usage/dt=2026-10-01/0.ndjson';
        const text = readFileSync(join(project.folder, key), 'utf8');
        const { folder } = json(await at(`run ${period} --json`));
        const [, row = ''] = readFileSync(join(folder, 'line_items.csv'), 'utf8').split('\n');
        project.write(key, text.replace('1000', '1001'));
        const { exit, err } = await at(`explain ${row.slice(0, 12)} --raw`);
        expect(exit).toBe(75);
        expect(err).toMatch(/^OBJECT_CHANGED: folder:\S+\/usage\/dt=2026-10-01\/0\.ndjson changed/);
        project.write(key, text);
    });
});

test('no number of a Parquet file is a DOUBLE', async () => {
    const { folder } = json(await at(`run ${period} --json`));
    const engine = await Engine.open({
        file: ':memory:',
        memory: '200MB',
        threads: 1,
        spill: folder,
    });
    for (const name of ['line_items', 'breaks', 'tie_outs']) {
        const columns = await engine.describe(
            `select * from read_parquet(${quoteText(join(folder, `${name}.parquet`))})`,
        );
        expect(columns.filter(({ type }) => /DOUBLE|FLOAT/.test(type))).toEqual([]);
    }
    engine.close();
});

describe('reconcile', () => {
    test('ties out without invoicing, as a run of its own', async () => {
        const own = tinyProject();
        const reconciled = await tieout(`reconcile ${period}`, { cwd: own.folder });
        expect(reconciled).toMatchObject({ exit: 0, err: '' });
        expect(masked(reconciled.out, own.folder)).toMatchInlineSnapshot(`
          "run        2026-10-reconcile-RUN
          read       4 objects; 0 rows in suspense
          looked at  all rows: it is the first run of the period
          tie-out    zero for 2 accounts and assets
          breaks     1 open
          held       nobody
          digest     SHA256
          report     .tieout/runs/2026-10-reconcile-RUN/output/report.html
          breaks in  .tieout/runs/2026-10-reconcile-RUN/output/breaks.csv
          "
        `);
        const { folder, certificate } = json(
            await tieout(`reconcile ${period} --json`, { cwd: own.folder }),
        );
        expect(certificate.pipeline).toBe('reconcile');
        expect(readdirSync(folder).sort()).toEqual([
            ...['break_causes.csv', 'breaks.csv', 'breaks.parquet', 'certificate.json'],
            ...['difference_causes.csv', 'items.json', 'repeats.csv', 'report.html'],
            ...['suggestions.csv', 'suspense.csv', 'tie_outs.parquet', 'unrated.csv'],
            'wallet_movements.csv',
        ]);
        const report = await tieout(`report ${period}`, { cwd: own.folder });
        expect(report).toMatchObject({ exit: 0, err: '' });
        own.remove();
    });
});

describe('a payer whose breaks are over the limit', () => {
    test('is held: exit 1, and nothing of it is delivered', async () => {
        const own = tinyProject();
        const config = readFileSync(join(own.folder, 'tieout.yaml'), 'utf8');
        own.write('tieout.yaml', config.replace('absolute: "1.00"', 'absolute: "0.01"'));
        const held = await tieout(`run ${period}`, { cwd: own.folder });
        expect(held).toMatchObject({ exit: 1, err: '' });
        expect(held.out).toMatch(/^held +acme$/m);
        const { folder } = json(await tieout(`run ${period} --json`, { cwd: own.folder }));
        const requests = JSON.parse(readFileSync(join(folder, 'stripe-requests.json'), 'utf8'));
        expect(requests).toMatchObject({ invoices: [], withheld: [{ reason: 'held' }] });
        expect((await tieout(`report ${period}`, { cwd: own.folder })).exit).toBe(1);
        own.remove();
    });
});
