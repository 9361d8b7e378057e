import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { invariant } from '../../src/assert.ts';
import { memoryStore } from '../support/memory-store.ts';
import { fakeSecret, tieout, tinyProject } from '../support/terminal.ts';

/** How a failure is told, whatever it is. */
const project = tinyProject();
const { folder: cwd } = project;
afterAll(() => project.remove());
afterEach(() => {
    vi.unstubAllEnvs();
});

describe('--json', () => {
    test('gives the code, the numbers, the remedy and the exit', async () => {
        const { exit, out, err } = await tieout('plan --period 2026-13 --json', { cwd });
        expect([exit, err]).toEqual([2, '']);
        expect(JSON.parse(out)).toEqual({
            error: {
                code: 'PERIOD_INVALID',
                message: '--period 2026-13: it is not a month',
                remedy: 'Name a month that has begun, written as 2026-10.',
                params: { period: '2026-13', detail: 'it is not a month' },
                exit: 2,
            },
        });
    });

    test('gives every problem with its file and line', async () => {
        const other = tinyProject();
        other.write('tieout.yaml', 'name: [tiny\nstore: }');
        const { exit, out } = await tieout('plan --period 2026-10 --json', { cwd: other.folder });
        other.remove();
        const { error } = JSON.parse(out);
        expect(exit).toBe(2);
        expect(error.code).toBe('CONFIG_INVALID');
        expect(error.params.problems).toMatchObject([
            { file: 'tieout.yaml', line: 2 },
            { file: 'tieout.yaml', line: 2 },
        ]);
    });

    test('has the same shape for bad usage', async () => {
        const { exit, out } = await tieout('runn --json', { cwd });
        expect(exit).toBe(2);
        expect(JSON.parse(out)).toEqual({
            error: {
                code: 'USAGE',
                message: "unknown command 'runn' (Did you mean run?)",
                remedy: 'See `tieout --help`.',
                params: {},
                exit: 2,
            },
        });
    });
});

describe('a defect', () => {
    const defect = (error: unknown) => ({
        cwd,
        store: {
            ...memoryStore({}),
            list: () => {
                throw error;
            },
        },
    });

    test('of an invariant has its code and values, and asks for a report', async () => {
        let thrown: unknown;
        try {
            invariant(false, 'TIERS_OPEN', { tier: 3 });
        } catch (error) {
            thrown = error;
        }
        const { exit, err, out } = await tieout('plan --period 2026-10', defect(thrown));
        expect([exit, out]).toEqual([70, '']);
        expect(err).toMatch(/^TIERS_OPEN: this is a defect of tieout\n.*TIERS_OPEN \{"tier":3\}\n/);
        expect(err).toMatch(/\n {2}-> Keep the run folder and report it with this text\.\n$/);
    });

    test('never prints a secret of the environment', async () => {
        vi.stubEnv('AWS_SECRET_ACCESS_KEY', fakeSecret);
        vi.stubEnv('AWS_SESSION_TOKEN', 'a-session-token-of-the-test');
        const thrown = new TypeError(`cannot sign ${fakeSecret} a-session-token-of-the-test`);
        for (const json of ['', ' --json']) {
            const said = await tieout(`plan --period 2026-10${json}`, defect(thrown));
            expect(said.exit).toBe(70);
            expect(said.out + said.err).toContain('cannot sign');
            expect(said.out + said.err).not.toContain(fakeSecret);
            expect(said.out + said.err).not.toContain('a-session-token');
        }
    });
});

describe('what strangers wrote', () => {
    const hostile = 'x\u001b[2J\r\nUSAGE: all is well\u202e\u009b31m';
    const shown = 'x\\u{1B}[2J\\r\\nUSAGE: all is well\\u{202E}\\u{9B}31m';

    test.each([
        ['an option', ['plan', '--period', '2026-10', `--${hostile}`]],
        ['a period', ['plan', '--period', hostile]],
        ['an instant', ['plan', '--period', '2026-10', '--as-of', hostile]],
        ['a pipeline', ['run', hostile, '--period', '2026-10']],
        ['a config', ['--config', hostile, 'doctor', '--x']],
    ])('is escaped: %s', async (_what, argv) => {
        const { exit, err } = await tieout(argv, { cwd });
        expect(exit).toBe(2);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
        expect(err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
        expect(err.match(/^USAGE: /gm)?.length ?? 0).toBeLessThanOrEqual(1);
    });

    test('is whole in the escape', async () => {
        const { err } = await tieout(['plan', '--period', hostile], { cwd });
        expect(err).toContain(`--period ${shown}: it is not a month`);
    });

    test('is escaped in what doctor finds', async () => {
        const other = tinyProject();
        other.write(`data/usage/${hostile.replaceAll('/', '')}.ndjson`, '{}\n');
        const { out } = await tieout('doctor', { cwd: other.folder });
        other.remove();
        expect(out).not.toContain('\u001b');
        expect(out).not.toMatch(/^USAGE/m);
    });
});

describe('help', () => {
    test('is no failure and lists every command', async () => {
        const { exit, out, err } = await tieout('--help', { cwd });
        expect([exit, err]).toEqual([0, '']);
        for (const name of ['init', 'plan', 'run', 'reconcile', 'rules', 'explain', 'report']) {
            expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
        }
    });
});
