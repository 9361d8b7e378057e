import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../src/schema/certificate.ts';
import { beforehand } from '../support/beforehand.ts';
import { fewOf } from '../support/how-many.ts';
import {
    debitLine,
    lines,
    type TinyProject,
    tinyProjects,
    usageLine,
} from '../support/terminal.ts';

/* One night after another, as a person at a terminal sees them. */

const project = tinyProjects();

interface Night {
    readonly folder: string;
    readonly certificate: Certificate;
    readonly text: string;
}

async function night(
    { folder }: TinyProject,
    day: number,
    command = 'run',
    options = '',
): Promise<Night> {
    const line = `${command} --period 2026-10 --as-of 2026-11-0${day}T00:00:00Z ${options}`;
    // Most tests begin with the same first night.
    const [said] = await beforehand({ folder }, line);
    if (!said) throw new Error('one line was typed');
    expect(said.err).toBe('');
    const output = join(folder, /report +(\S+)\/report\.html/.exec(said.out)?.[1] ?? '');
    const certificate = JSON.parse(readFileSync(join(output, 'certificate.json'), 'utf8'));
    return { folder: output, certificate, text: said.out };
}

/** The same inputs, with nothing that was known before. */
async function afresh(of: TinyProject, day: number): Promise<Night> {
    rmSync(join(of.folder, '.tieout'), { recursive: true });
    return night(of, day);
}

const thirdDay = 'data/usage/dt=2026-10-03/0.ndjson';
const thirdLog = 'data/debits/dt=2026-10-03/log.ndjson';

describe('a second night', () => {
    test('reads only what is new, and says the same as one night over everything', async () => {
        const of = project();
        const first = await night(of, 5);
        expect(first.certificate.history).toEqual({
            from: null,
            because: 'it is the first run of the period',
        });
        // A late debit, a copy of an event of the first night, another event under a known id.
        of.write(thirdDay, lines([usageLine(3), usageLine(4, { output_tokens: 7 })]));
        of.write(thirdLog, lines([debitLine(9)]));
        const second = await night(of, 6);
        // The rows of events 3, 4 and 9 with their debits, of both nights.
        expect(second.certificate.history).toEqual({
            from: first.certificate.run_id,
            looked_at: '8',
        });
        expect(second.text).toMatch(/looked at +8 rows; the rest is as in 2026-10-nightly-/);
        const once = await afresh(of, 6);
        expect(once.certificate.run_digest).toBe(second.certificate.run_digest);
        expect(once.certificate.history.from).toBe(null);
        expect(second.certificate.breaks).toEqual(once.certificate.breaks);
    });

    test('that only reconciles goes on from one that wrote lines, and the other way round', async () => {
        const of = project();
        const first = await night(of, 5);
        of.write(thirdLog, lines([debitLine(9)]));
        const second = await night(of, 6, 'reconcile');
        expect(second.certificate.history.from).toBe(first.certificate.run_id);
        const third = await night(of, 7);
        expect(third.certificate.history).toEqual({
            from: second.certificate.run_id,
            looked_at: '0',
        });
        expect(third.certificate.run_digest).toBe((await afresh(of, 7)).certificate.run_digest);
    });

    const changes: readonly [string, (of: TinyProject) => void, string][] = [
        [
            'a price changed',
            ({ write, folder }) =>
                write(
                    'rates.csv',
                    readFileSync(join(folder, 'rates.csv'), 'utf8').replace(
                        ',output,standard,2025-01-01T00:00:00Z,,15',
                        ',output,standard,2025-01-01T00:00:00Z,,16',
                    ),
                ),
            'rates changed',
        ],
        [
            'a meter changed',
            ({ write, folder }) =>
                write(
                    'tieout.yaml',
                    readFileSync(join(folder, 'tieout.yaml'), 'utf8').replace(
                        'input_tokens - cached',
                        'input_tokens + cached',
                    ),
                ),
            'what 30-meter does has changed',
        ],
        [
            'an input reads another field',
            ({ write, folder }) =>
                write(
                    'tieout.yaml',
                    readFileSync(join(folder, 'tieout.yaml'), 'utf8').replace(
                        'output_tokens: data.output_tokens',
                        'output_tokens: data.input_tokens',
                    ),
                ),
            'what is read, metered or compared has changed',
        ],
        [
            'an object was overwritten',
            ({ write }) => write('data/usage/dt=2026-10-02/0.ndjson', lines([usageLine(6)])),
            'an object was overwritten or is gone',
        ],
        [
            'nobody wants it',
            ({ write, folder }) =>
                write(
                    'tieout.yaml',
                    readFileSync(join(folder, 'tieout.yaml'), 'utf8').replace(
                        'threads: 1',
                        'threads: 1, incremental: false',
                    ),
                ),
            'engine.incremental is false',
        ],
    ];

    test.each(fewOf(changes, 1))('looks at all rows when %s', async (_what, change, because) => {
        const of = project();
        await night(of, 5);
        change(of);
        const second = await night(of, 6);
        expect(second.certificate.history).toMatchObject({ from: null, because });
        expect(second.certificate.run_digest).toBe((await afresh(of, 6)).certificate.run_digest);
    });

    test('looks again at all rows of an account that moved', async () => {
        const of = project();
        await night(of, 5);
        const accounts = readFileSync(join(of.folder, 'accounts.json'), 'utf8');
        of.write(
            'accounts.json',
            JSON.stringify(
                JSON.parse(accounts).map((row: { account_id: string }) =>
                    row.account_id === 'acme-dev' ? { ...row, bill_to: 'self' } : row,
                ),
            ),
        );
        const second = await night(of, 6);
        expect(second.certificate.history.from).not.toBe(null);
        expect(second.certificate.payers.map(({ payer_id }) => payer_id)).toContain('acme-dev');
        expect(second.certificate.run_digest).toBe((await afresh(of, 6)).certificate.run_digest);
    });

    test('counts what the store has no more, and says so', async () => {
        const of = project();
        const first = await night(of, 5);
        rmSync(join(of.folder, 'data/usage/dt=2026-10-02/0.ndjson'));
        const second = await night(of, 6);
        expect(second.certificate.history).toMatchObject({
            from: first.certificate.run_id,
            gone: ['usage/dt=2026-10-02/0.ndjson'],
        });
        expect(second.text).toContain(
            'gone       usage/dt=2026-10-02/0.ndjson: counted as they were read',
        );
        const amounts = (of: Night) => readFileSync(join(of.folder, 'line_items.csv'), 'utf8');
        expect(amounts(second)).toBe(amounts(first));
    });

    test('leaves out what is nowhere any more when it is told to', async () => {
        const of = project();
        await night(of, 5);
        rmSync(join(of.folder, '.tieout/lake'), { recursive: true });
        rmSync(join(of.folder, 'data/usage/dt=2026-10-02/0.ndjson'));
        const second = await night(of, 6, 'run', '--accept-gone');
        expect(second.certificate).toMatchObject({
            accept_gone: true,
            history: { from: null, because: 'an object was overwritten or is gone' },
        });
    });

    test('names what was overwritten', async () => {
        const of = project();
        await night(of, 5);
        of.write('data/usage/dt=2026-10-02/0.ndjson', lines([usageLine(6)]));
        const second = await night(of, 6);
        expect(second.certificate.history.overwritten).toEqual(['usage/dt=2026-10-02/0.ndjson']);
        expect(second.text).toContain(
            'rewritten  usage/dt=2026-10-02/0.ndjson: counted as now stored',
        );
    });
});
