import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Environment } from '../../src/effects.ts';
import { type Receiver, receiver } from '../support/receiver.ts';
import {
    fails,
    fakeSecret,
    type Said,
    type TinyProject,
    tieout,
    tinyFiles,
    tinyProject,
} from '../support/terminal.ts';

/** Whoever is told of a night: what they get, and that telling changes nothing. */
let project: TinyProject;
let there: Receiver;
beforeEach(async () => {
    project = tinyProject();
    there = await receiver(200);
});
afterEach(async () => {
    project.remove();
    await there.stop();
});

const config = () => readFileSync(join(project.folder, 'tieout.yaml'), 'utf8');
const notify = (settings: string) =>
    project.write('tieout.yaml', `${config()}\nnotify: ${settings}\n`);
const type = (command: string, environment: Environment = {}): Promise<Said> =>
    tieout(`${command} --period 2026-10`, { cwd: project.folder, environment });
const notices = () => there.received.map(({ body }) => JSON.parse(body));

const published = z.fromJSONSchema(
    JSON.parse(readFileSync(join(import.meta.dirname, '../../schemas/notice.schema.json'), 'utf8')),
);

test('a month from its runs to its closing', async () => {
    notify(`{ url: "${there.url}" }`);
    for (const command of ['reconcile', 'run', 'run', 'close', 'close', 'report', 'plan']) {
        expect(await type(command)).toMatchObject({ exit: 0, err: '' });
    }
    const shown = notices().map(({ command, result, exit, is_reused, totals, breaks }) => [
        ...[command, result, exit, is_reused],
        ...[totals.map((of: object) => Object.values(of).join(' ')).join()],
        breaks.map((of: object) => Object.values(of).join(' ')).join(),
    ]);
    expect(shown).toEqual([
        ['reconcile', 'finished', 0, false, '', 'METERED_NOT_DEBITED 1'],
        ['run', 'finished', 0, false, 'USD 0.03 0', 'METERED_NOT_DEBITED 1'],
        ['run', 'finished', 0, true, 'USD 0.03 0', 'METERED_NOT_DEBITED 1'],
        ['close', 'finished', 0, false, 'USD 0.03 0', 'METERED_NOT_DEBITED 1'],
        ['close', 'finished', 0, true, '', ''],
    ]);
    for (const notice of notices()) expect(published.safeParse(notice).error).toBeUndefined();
    const { run_id, digest, period, at, error } = notices()[1];
    expect(JSON.parse((await type('run --json')).out)).toMatchObject({
        run_id,
        certificate: { run_digest: digest },
    });
    expect([period, at, error]).toEqual(['2026-10', '2026-11-05T09:00:00Z', null]);
});

test('a held run names its payers and what waits', async () => {
    project.write('tieout.yaml', config().replace('absolute: "1.00"', 'absolute: "0.01"'));
    notify(`{ url: "${there.url}" }`);
    expect(await type('run')).toMatchObject({ exit: 1, err: '' });
    expect(notices()).toMatchObject([
        {
            ...{ result: 'held', exit: 1, held_payers: ['acme'], error: null },
            totals: [{ currency: 'USD', amount: '0.03', held: '0.03' }],
        },
    ]);
    // A night after a person let them go holds nobody.
    await type('release acme --reason agreed');
    expect(await type('run')).toMatchObject({ exit: 0, err: '' });
    expect(notices().at(-1)).toMatchObject({
        ...{ result: 'finished', exit: 0, held_payers: [] },
        totals: [{ currency: 'USD', amount: '0.03', held: '0' }],
    });
});

describe('a failure', () => {
    test('is told with its code, its first line and its remedy', async () => {
        project.write('rates.csv', (tinyFiles()['rates.csv'] ?? '').replaceAll(',3\n', ',-x\n'));
        notify(`{ url: "${there.url}" }`);
        const { exit, err } = await type('run');
        expect(exit).toBe(2);
        expect(notices()).toMatchObject([{ result: 'failed', exit: 2, run_id: null, totals: [] }]);
        const { error } = notices()[0];
        expect(err.startsWith(`${error.code}: ${error.message}\n`)).toBe(true);
        expect(err.endsWith(`  -> ${error.remedy}\n`)).toBe(true);
        expect(published.safeParse(notices()[0]).error).toBeUndefined();
    });

    test('in another part of the config is told as well', async () => {
        notify(`{ url: "${there.url}" }`);
        project.write('tieout.yaml', `${config()}colour: red\n`);
        expect((await type('run')).exit).toBe(2);
        expect(notices()).toMatchObject([
            { error: { code: 'CONFIG_INVALID', message: '1 problem in the configuration' } },
        ]);
    });

    test('of an audit is told without the rows that break it', async () => {
        const text = 'the text of a customer';
        project.write('data/usage/dt=2026-10-02/1.ndjson', `{"id": "${text}"}\n`);
        notify(`{ url: "${there.url}" }`);
        const { exit, err } = await type('run');
        expect([exit, err.split(':')[0]]).toEqual([1, 'AUDIT_FAILED']);
        expect(notices()).toMatchObject([{ result: 'failed', error: { code: 'AUDIT_FAILED' } }]);
        expect(there.received[0]?.body).not.toContain(text);
    });

    test('quotes nothing', async () => {
        notify(`{ url: "${there.url}" }`);
        await tieout(['run', '--period', "a 'b c' d's"], { cwd: project.folder, environment: {} });
        expect(notices()[0].error.message).toBe("--period a '...' d's: it is not a month");
    });

    test('of the telling itself is a warning, and changes neither exit nor answer', async () => {
        const quiet = await type('run');
        await there.stop();
        there = await receiver(403);
        notify(`{ url: "${there.url}/secret-path" }`);
        const told = await type('run');
        expect(told.err).toBe(
            'warning: nobody was told of this: the address of `notify` was not reached: it answered 403\n',
        );
        expect([told.exit, quiet.exit]).toEqual([0, 0]);
        const digest = ({ out }: Said) => /digest +(\w+)/.exec(out)?.[1];
        expect(digest(told)).toBe(digest(quiet));
    });
});

describe('who is told of what', () => {
    test.each<[string, readonly string[]]>([
        ['[held, finished]', []],
        ['[failed]', ['failed']],
    ])('on: %s', async (on, results) => {
        notify(`{ url: "${there.url}", on: ${on} }`);
        expect(await type('close')).toMatchObject({ exit: 2 }); // there is no run yet
        expect(notices().map(({ result }) => result)).toEqual(results);
    });

    test('an address in a variable, and a signature', async () => {
        notify('{ url_env: TOLD_AT }');
        const environment = { TOLD_AT: `${there.url}/hidden`, TIEOUT_NOTIFY_SECRET: fakeSecret };
        const { out, err } = await type('run', environment);
        expect(there.received[0]).toMatchObject({ path: '/hidden' });
        expect(there.received[0]?.headers['tieout-signature']).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
        for (const told of [out, err, there.received[0]?.body]) {
            expect(told).not.toContain('hidden');
            expect(told).not.toContain(fakeSecret);
        }
    });

    test.each<[string, Environment, string]>([
        ['is not set', {}, 'the environment variable TOLD_AT is not set'],
        ['is plain http', { TOLD_AT: 'http://example.com/x' }, 'TOLD_AT is neither https nor'],
        ['has a password', { TOLD_AT: 'https://a:b@example.com/' }, 'TOLD_AT is neither https nor'],
        ['is no address', { TOLD_AT: 'channel' }, 'TOLD_AT is neither https nor'],
    ])(
        'a variable that %s is a warning, and doctor finds it before the night',
        async (_what, environment, why) => {
            notify('{ url_env: TOLD_AT }');
            const { exit, err } = await type('close', environment); // there is no run yet
            expect(exit).toBe(2);
            expect(err).toMatch(/^RUN_NOT_FOUND: .*\n.*\nwarning: nobody was told of this: /);
            expect(err).toContain(why);
            const doctor = await tieout('doctor', { cwd: project.folder, environment });
            expect(doctor.exit).toBe(2);
            expect(doctor.out).toMatch(new RegExp(`^BAD {2}notify +${why}`, 'm'));
        },
    );

    test('doctor says who is told, and not where', async () => {
        notify(`{ url: "${there.url}/hidden", on: [held, failed] }`);
        const { exit, out } = await tieout('doctor', { cwd: project.folder, environment: {} });
        expect(exit).toBe(0);
        expect(out).toMatch(/^ok {3}notify +held and failed runs are told of, not signed$/m);
        expect(out).not.toContain('hidden');
        expect(there.received).toEqual([]);
    });
});

describe('what `notify` may be', () => {
    test.each([
        ['{ url: "http://example.com/hook" }', 'must be https, or http to this machine'],
        ['{ url: "https://a:b@example.com" }', 'must be https, or http to this machine'],
        ['{ url: "https://example.com", url_env: X }', 'must have either url or url_env'],
        ['{ on: [held] }', 'must have either url or url_env'],
        ['{ url_env: https://example.com }', 'must be the name of an environment variable'],
        ['{ urll: "https://example.com" }', 'unknown key "urll". Did you mean "url"?'],
        ['{ url: "https://example.com", on: [] }', 'on'],
    ])('%s', async (settings, why) => {
        const text = await fails('CONFIG_INVALID', 2, {
            config: (of) => `${of}\nnotify: ${settings}\n`,
        });
        expect(text).toContain('tieout.yaml:');
        expect(text).toContain(why);
    });
});
