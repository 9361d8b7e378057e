import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, expect, test } from 'vitest';
import type { Certificate } from '../../src/schema/certificate.ts';
import {
    debitLine,
    lines,
    tieout,
    tinyFiles,
    tinyProject,
    usageLine,
} from '../support/terminal.ts';

/*
 * A month as it happens: a night for every day, with debits that come late, copies across nights,
 * usage that comes late, a price that changes, an account that moves; then it is closed, something
 * comes all the same, and the month after it bills the difference. What everybody paid is what one
 * night over everything says.
 */

const project = tinyProject(
    Object.fromEntries(Object.entries(tinyFiles()).filter(([name]) => !name.startsWith('data/'))),
);
afterAll(() => project.remove());

const two = (of: number) => String(of).padStart(2, '0');
const dayOf = (month: number, day: number) => `2026-${month}-${two(day)}`;
const accountOf = (n: number) => (n % 2 ? 'acme' : 'acme-dev');

/** The n-th event of a day: n thousand tokens in, 100 out. */
const event = (month: number, day: number, n: number) => ({
    ...usageLine(n),
    ...{ id: `e-${month}-${day}-${n}`, subject: accountOf(n) },
    time: `${dayOf(month, day)}T0${n}:00:00Z`,
});
/** What the wallet took: 3 USD a million in; out 15, and 16 from the 15th of October on. */
const debit = (month: number, day: number, n: number) => ({
    ...debitLine(n),
    ...{ entry_id: `d-${month}-${day}-${n}`, event_id: `e-${month}-${day}-${n}`, sequence: null },
    ...{ account_id: accountOf(n), wallet_id: `w-${accountOf(n)}` },
    amount: `0.00${n * 3000 + (month > 10 || day >= 15 ? 1600 : 1500)}`.replace(
        /^0\.00(\d{5})$/,
        '0.0$1',
    ),
    booked_at: `${dayOf(month, day)}T0${n}:00:01Z`,
});

/** What arrives on the night after a day. */
function arrive(month: number, day: number): void {
    const before = day > 1 ? day - 1 : null;
    const usage = [
        ...[1, 2, 3, 4].map((n) => event(month, day, n)),
        ...(before && day % 3 === 0 ? [event(month, before, 1)] : []),
        ...(before && day % 7 === 0 ? [event(month, before, 5)] : []),
    ];
    const debits = [
        ...[1, 2, 4].map((n) => debit(month, day, n)),
        ...(before ? [debit(month, before, 3)] : []),
        ...(before && day % 7 === 0 ? [debit(month, before, 5)] : []),
    ];
    project.write(`data/usage/dt=${dayOf(month, day)}/0.ndjson`, lines(usage));
    project.write(`data/debits/dt=${dayOf(month, day)}/0.ndjson`, lines(debits));
}

interface Night {
    readonly folder: string;
    readonly certificate: Certificate;
}

async function night(period: string, asOf: string): Promise<Night> {
    const line = `run --period ${period} --as-of ${asOf} --json`;
    const said = await tieout(line, { cwd: project.folder, now: asOf });
    expect(said.err).toBe('');
    expect(said.exit, said.out).toBeLessThan(2);
    return JSON.parse(said.out);
}

type Line = Readonly<Record<string, string>>;
const linesOf = ({ folder }: Night): readonly Line[] =>
    parse(readFileSync(join(folder, 'line_items.csv'), 'utf8'), { columns: true });

/** Minor units by payer. */
const sums = (of: readonly Line[]) =>
    Object.fromEntries(
        [...Map.groupBy(of, ({ payer_id = '' }) => payer_id)]
            .map(
                ([payer, own]) =>
                    [
                        payer,
                        own.reduce((sum, one) => sum + BigInt(one.amount_minor ?? 0), 0n),
                    ] as const,
            )
            .sort(),
    );

async function command(line: string, now: string): Promise<string> {
    const said = await tieout(line, { cwd: project.folder, now });
    expect(said.err).toBe('');
    return said.out;
}

test('a month night by night, closed, corrected in the next', { timeout: 900_000 }, async () => {
    const text = (name: string) => readFileSync(join(project.folder, name), 'utf8');
    let last: Night | null = null;
    const because: (string | undefined)[] = [];
    for (let day = 1; day <= 31; day += 1) {
        arrive(10, day);
        if (day === 12) {
            // From the 15th output is dearer, whatever the band.
            const dearer = text('rates.csv')
                .split('\n')
                .flatMap((row) =>
                    row.includes(',output,')
                        ? [
                              row.replace('Z,,15', 'Z,2026-10-15T00:00:00Z,15'),
                              row.replace('2025-01-01T00:00:00Z,,15', '2026-10-15T00:00:00Z,,16'),
                          ]
                        : [row],
                );
            project.write('rates.csv', dearer.join('\n'));
        }
        if (day === 18) {
            const accounts = JSON.parse(text('accounts.json')) as Line[];
            const [acme, dev] = accounts;
            project.write(
                'accounts.json',
                JSON.stringify([
                    acme,
                    { ...acme, account_id: 'beta', name: 'Beta' },
                    { ...dev, valid_to: '2026-10-20T00:00:00Z' },
                    { ...dev, parent: 'beta', valid_from: '2026-10-20T00:00:00Z' },
                ]),
            );
            const wallets = text('tieout.yaml').replace(
                'wallets:\n',
                'wallets:\n  - { accounts: beta, asset: USD, shape: instant }\n',
            );
            project.write('tieout.yaml', wallets);
        }
        last = await night(
            '2026-10',
            day === 31 ? '2026-11-01T00:00:00Z' : `${dayOf(10, day + 1)}T00:00:00Z`,
        );
        because.push(last.certificate.history.because);
    }
    arrive(11, 1);
    const october = await night('2026-10', '2026-11-02T12:00:00Z');
    // Only rates that begin in mid-month cut usage anew; everything else is looked at by itself.
    const reasons = because.filter((why) => why !== undefined);
    expect(reasons).toEqual([
        'it is the first run of the period',
        'what 30-meter does has changed',
    ]);

    await command(
        'close --period 2026-10 --by ada --with-held --reason month',
        '2026-11-03T00:00:00Z',
    );
    await night('2026-11', '2026-11-03T00:00:00Z');
    // Usage of the 30th that nobody had sent yet.
    project.write(
        'data/usage/dt=2026-10-30/late.ndjson',
        lines([event(10, 30, 7), event(10, 30, 8)]),
    );
    const apply = 'backfill --from 2026-10 --to 2026-10 --reason late --by ada --apply';
    const found = await command(apply, '2026-11-05T00:00:00Z');
    expect(found).toMatch(/late.events/);
    const november = await night('2026-11', '2026-11-05T00:00:00Z');
    const corrections = linesOf(november).filter(({ line_type = '' }) =>
        line_type.endsWith('_adjustment'),
    );
    expect(corrections.length).toBeGreaterThan(0);
    const billed = [...linesOf(october), ...corrections];

    rmSync(join(project.folder, '.tieout'), { recursive: true });
    const once = await night('2026-10', '2026-11-05T00:00:00Z');
    expect(once.certificate.history.from).toBeNull();
    expect(sums(billed)).toEqual(sums(linesOf(once)));
    // And without what came after the close, the thirty-one nights are one night, to the byte.
    rmSync(join(project.folder, '.tieout'), { recursive: true });
    rmSync(join(project.folder, 'data/usage/dt=2026-10-30/late.ndjson'));
    const same = await night('2026-10', '2026-11-02T12:00:00Z');
    expect(same.certificate.run_digest).toBe(october.certificate.run_digest);
});
