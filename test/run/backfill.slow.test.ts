import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, describe, expect, test } from 'vitest';
import { accountsWith, cardAt, monthsProject, used } from '../support/months.ts';
import { lines, masked, tieout } from '../support/terminal.ts';

/*
 * October is closed; then an object comes late, images cost 1.20 from the beginning, and the team mobile
 * turns out to have been south's all the time.
 */
const project = monthsProject();
afterAll(project.remove);
const cwd = project.folder;
let now = '2026-11-05T09:00:00Z';
const type = (...line: readonly string[]) => tieout(line, { cwd, now });
const backfill = (...more: readonly string[]) =>
    type(
        ...['backfill', '--from', '2026-10', '--to', '2026-10', '--by', 'bob'],
        ...['--reason', 'late object and new prices', ...more],
    );
const kinds = () =>
    readdirSync(join(cwd, '.tieout/commits'))
        .map((name) => JSON.parse(readFileSync(join(cwd, '.tieout/commits', name), 'utf8')))
        .map(({ kind, period, backfill: of }) =>
            [kind, period, of?.bills_in].filter(Boolean).join(' '),
        );

/** A file of the latest run of a month. */
async function output(period: string, name: string): Promise<string> {
    const { out } = await tieout(`run --period ${period} --json`, { cwd, now });
    return readFileSync(join(JSON.parse(out).folder, name), 'utf8');
}
const linesOf = async (period: string) =>
    parse<Record<string, string>>(await output(period, 'line_items.csv'), { columns: true }).map(
        ({ line_type, payer_id, account_id, amount, corrects_period, description }) =>
            [line_type, payer_id, account_id, amount, corrects_period, description].join(' | '),
    );
const ownOfNovember = ['usage | north | north | 2.00 |  | api-calls'];
const corrections = [
    'credit_adjustment | north | mobile | -15.00 | 2026-10 | Correction of 2026-10: api-calls (late object and new prices)',
    'debit_adjustment | north | north | 5.00 | 2026-10 | Correction of 2026-10: api-calls (late object and new prices)',
    'debit_adjustment | north | north | 2.00 | 2026-10 | Correction of 2026-10: pictures (late object and new prices)',
    'debit_adjustment | south | mobile | 15.00 | 2026-10 | Correction of 2026-10: api-calls (late object and new prices)',
];
let id = '';
/** Without what depends on the code that is under test: ids of runs, and of a backfill of them. */
const shown = (text: string) =>
    masked(text, cwd).replaceAll(/(backfills?[/ ]+)[0-9a-f]{12}\b/g, '$1BACKFILL');

describe('a backfill of a closed month', () => {
    test('shows what differs, and why, and touches nothing', async () => {
        await type('run', '--period', '2026-10');
        await type('close', '--period', '2026-10', '--by', 'ada');
        await type('run', '--period', '2026-11');
        project.write(
            'data/usage/late.ndjson',
            lines([
                used('late-1', 'north', '2026-10-30', { calls: 100 }),
                used('late-2', 'lab', '2026-10-30', { calls: 20 }),
            ]),
        );
        project.write('card.yaml', cardAt('1.20'));
        project.write('accounts.yaml', accountsWith('south'));
        const said = await backfill();
        expect(said).toMatchObject({ exit: 0, err: '' });
        expect(shown(said.out)).toMatchInlineSnapshot(`
          "backfill   BACKFILL
          because    late object and new prices
          kept in    .tieout/backfills/BACKFILL/diff.csv

          2026-10 is closed: 2026-11 is the open period that bills its corrections
          old  2026-10-nightly-RUN
          new  2026-10-nightly-RUN, as of 2026-11-05T00:00:00Z
               objects: 1 more, 0 gone, 0 changed; rules: accounts.yaml, card.yaml

             payer      old      new    delta    currency
             lab      25.00    26.00     1.00    USD
             north    75.00    67.00    -8.00    USD
             south    10.00    25.00    15.00    USD

          By product
             payer    product        old      new     delta    currency
             lab      api-calls    25.00    26.00      1.00    USD
             north    api-calls    65.00    55.00    -10.00    USD
             north    pictures     10.00    12.00      2.00    USD
             south    api-calls    10.00    25.00     15.00    USD

          By line
             line            account    what           old      new     delta    cause
             7c3e068c3aec    lab        api-calls    25.00    26.00      1.00    late events
             a6b53996d7fe    mobile     api-calls    15.00     0.00    -15.00    re parenting
             cf30fdb7a614    north      api-calls    50.00    55.00      5.00    late events
             2e52b74f386b    north      pictures     10.00    12.00      2.00    rate change
             12b426fe1b85    mobile     api-calls     0.00    15.00     15.00    re parenting

          Not billed as corrections: to bill them, \`tieout reopen --period 2026-10 --reason WHY\`, run it again and close it
            lab: late_usage: restate

          Nothing was applied. The same command with --apply does it.
          "
        `);
        expect(kinds()).toEqual(['run 2026-10', 'close 2026-10', 'run 2026-11']);
        // Tables of a candidate go after some weeks; what it was compared by stays.
        const candidate = /^new +(\S+),/m.exec(said.out)?.[1] ?? '';
        rmSync(join(cwd, '.tieout/runs', candidate, 'tables.duckdb'));
        expect((await backfill()).out).toBe(said.out);
        expect(readdirSync(join(cwd, '.tieout/backfills'))).toHaveLength(1);
    });

    test('applied, the open month bills it; lab, which restates, is refused', async () => {
        const said = await backfill('--apply');
        expect(said).toMatchObject({ exit: 1, err: '' });
        expect(said.out).toContain('2026-10: 4 corrections will be billed in 2026-11');
        expect(said.out).toContain('lab: late_usage: restate');
        id = /^backfill +(\w+)/.exec(said.out)?.[1] ?? '';
        expect(kinds().slice(3)).toEqual(['backfill 2026-10 2026-11']);
    });

    test('applied again, nothing is done', async () => {
        const said = await backfill('--apply');
        expect(said.out).toContain('2026-10: nothing was to be applied');
        expect(said.out).toContain(`and 1 correction since (backfill ${id})`);
        expect(kinds()).toHaveLength(4);
    });

    test('partials do not know what came late, and would take it back: they are refused', async () => {
        const said = await backfill('--partials');
        expect(said).toMatchObject({ exit: 2, out: '' });
        expect(said.err).toContain(`2026-10 was corrected since, by ${id}`);
    });

    test('the month that bills it is made once more, to the byte', async () => {
        const { out } = await type('run', '--period', '2026-11', '--json');
        const again = await type('run', '--reproduce', JSON.parse(out).run_id);
        expect(again).toMatchObject({ exit: 0, err: '' });
        expect(again.out).toContain('reproduced');
    });

    test('a run without them does not close; the next has them, in every file', async () => {
        const early = await tieout('close --period 2026-11 --by ada', { cwd, now });
        expect(early).toMatchObject({ exit: 1 });
        expect(await linesOf('2026-11')).toEqual([
            ...corrections.slice(0, 1),
            ...corrections.slice(1, 2),
            ...ownOfNovember,
            ...corrections.slice(2),
        ]);
        const again = await type('run', '--period', '2026-11');
        expect(again.out).toMatch(/^corrects +4 lines of 2026-10: 7.00 USD$/m);
        const certificate = JSON.parse(await output('2026-11', 'certificate.json'));
        expect(certificate.corrections).toEqual([
            {
                ...{ backfill_id: id, corrects_period: '2026-10', payer_id: 'north' },
                ...{ currency: 'USD', line_count: 3, amount: '-8.00' },
            },
            {
                ...{ backfill_id: id, corrects_period: '2026-10', payer_id: 'south' },
                ...{ currency: 'USD', line_count: 1, amount: '15.00' },
            },
        ]);
        const stripe = await output('2026-11', 'stripe-requests.json');
        expect(stripe).toContain('"corrects_period": "2026-10"');
        // The invoice of north is below zero: a credit memo, in a file of its own.
        expect(await output('2026-11', 'netsuite-invoices-001.csv')).toMatch(
            /^tieout-south_2026-11_USD-[0-9a-f]{16},south,.*,15.00,Correction of 2026-10: /m,
        );
        expect(await output('2026-11', 'report.html')).toContain('Correction of 2026-10');
    });

    test('explain leads to the line, its month, who applied it, and why', async () => {
        const rows = parse<Record<string, string>>(await output('2026-11', 'line_items.csv'), {
            columns: true,
        });
        const key = rows.find(({ amount }) => amount === '5.00')?.line_key ?? '';
        const said = await type('explain', key);
        expect(shown(said.out)).toMatchInlineSnapshot(`
          "line       SHA256
          run        2026-11-nightly-RUN
          payer      north, for account north
          what       Correction of 2026-10: api-calls (late object and new prices)
          amount     5.00 USD, a line of type debit_adjustment
          corrects   line SHA256 of 2026-10
                     50.00 USD billed by 2026-10-nightly-RUN, 55.00 USD right: 5.00 USD
          cause      late events
          backfill   BACKFILL, applied by bob at 2026-11-05T09:00:00Z
          because    late object and new prices
          "
        `);
    });

    test('the report has them', async () => {
        const said = await type('report', '--period', '2026-11');
        expect(said.out).toContain('orrections of closed periods add 7.00 USD: 9.00 USD is left.');
        expect(said.out).toMatch(
            /Corrections of closed periods\n +period +payer .*\n +2026-10 +north +3 +-8.00 USD/,
        );
    });

    test('the closed month is not reopened while another bills its corrections', async () => {
        const said = await type('reopen', '--period', '2026-10', '--reason', 'again');
        expect(said.err).toContain(
            `REOPEN_REFUSED: 2026-10 stays closed: later periods bill corrections of it, found by ${id}`,
        );
    });

    test('reverted while November is open, they are gone', async () => {
        const revert = ['backfill', '--revert', id, '--reason', 'prices were right', '--by', 'eve'];
        const said = await type(...revert);
        expect(said.out).toContain('2026-10: 2026-11 no longer bills its corrections');
        expect((await type(...revert)).out).toContain('is reverted already; nothing was done');
        expect(kinds().at(-1)).toBe('revert 2026-10 2026-11');
        expect(await linesOf('2026-11')).toEqual(ownOfNovember);
    });

    test('reverted when November is closed, December bills the inverse', async () => {
        const again = await backfill('--apply');
        expect(again.out).toContain(`backfill   ${id}`);
        now = '2026-12-05T09:00:00Z';
        expect((await type('run', '--period', '2026-11')).exit).toBe(0);
        expect((await type('close', '--period', '2026-11', '--by', 'ada')).exit).toBe(0);
        const said = await type('backfill', '--revert', id, '--reason', 'prices were right');
        expect(said.out).toContain('2026-10: 2026-12 will bill the inverse of its corrections');
        expect(await linesOf('2026-12')).toEqual([
            'debit_adjustment | north | mobile | 15.00 | 2026-10 | Correction taken back of 2026-10: api-calls (prices were right)',
            'credit_adjustment | north | north | -5.00 | 2026-10 | Correction taken back of 2026-10: api-calls (prices were right)',
            'usage | north | north | 3.00 |  | api-calls',
            'credit_adjustment | north | north | -2.00 | 2026-10 | Correction taken back of 2026-10: pictures (prices were right)',
            'credit_adjustment | south | mobile | -15.00 | 2026-10 | Correction taken back of 2026-10: api-calls (prices were right)',
        ]);
        const explained = await output('2026-12', 'line_items.csv');
        const key = parse<Record<string, string>>(explained, { columns: true })[0]?.line_key ?? '';
        expect((await type('explain', key)).out).toMatch(
            /^takes back line [0-9a-f]{64} of 2026-10$/m,
        );
    });
});

describe('a backfill of an open month', () => {
    test('applied, the new run speaks for it, by whom and why', async () => {
        project.write(
            'data/usage/later.ndjson',
            lines([used('d1', 'south', '2026-12-03', { calls: 10 })]),
        );
        const line = [
            'backfill',
            '--from',
            '2026-12',
            '--to',
            '2026-12',
            '--reason',
            'late',
            '--by',
            'bob',
        ];
        const shown = await type(...line);
        expect(shown.out).toContain(
            '2026-12 is open: the new run would take the place of the old one',
        );
        const said = await type(...line, '--apply');
        expect(said.out).toMatch(/2026-12: 2026-12-nightly-[0-9a-f]{12} speaks for it now/);
        expect((await type(...line, '--apply')).out).toContain(
            '2026-12: nothing was to be applied',
        );
        const last = readdirSync(join(cwd, '.tieout/commits')).at(-1) ?? '';
        expect(JSON.parse(readFileSync(join(cwd, '.tieout/commits', last), 'utf8'))).toMatchObject({
            ...{ kind: 'run', period: '2026-12', by: 'bob', reason: 'late' },
        });
    });
});
