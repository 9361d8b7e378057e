import {
    cpSync,
    existsSync,
    globSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/duck/sql.ts';
import { runFolder } from '../../src/run/folders.ts';
import { keepRules, readKeptRules } from '../../src/run/kept-rules.ts';
import { openProject } from '../../src/run/project.ts';
import { fewOf } from '../support/how-many.ts';
import {
    debitLine,
    lines,
    type Said,
    type TinyProject,
    tieout,
    tinyFiles,
    tinyProject,
    usageLine,
} from '../support/terminal.ts';

/*
 * October opened with what September closed with. Since then a price was changed, September was run
 * again with more, and October got an object late: the run of October is what it was.
 */
const tiny = tinyFiles();
const day = '2026-09-29';
const september = `data/usage/dt=${day}/0.ndjson`;
const files = {
    ...tiny,
    'tieout.yaml': `${tiny['tieout.yaml']}contracts: contracts.yaml\nopenings: previous\n`,
    'contracts.yaml': `contracts:
  - contract: acme-1
    account: acme
    from: 2026-09-01T00:00:00Z
    cards: [{ card: rates.yaml }]
    grants: [{ grant: hello, amount: "50.00", products: [llm-tokens] }]
`,
    [september]: lines([{ ...usageLine(11), time: `${day}T12:00:00Z` }]),
    [`data/debits/dt=${day}/log.ndjson`]: lines([
        { ...debitLine(11), booked_at: `${day}T12:00:00Z` },
    ]),
};
const asOf = '--as-of 2026-11-04T00:00:00Z';

let project: TinyProject;
let runId: string;
let digest: string;
const at = (path: string) => join(project.folder, path);
const run = (): string => `.tieout/runs/${runId}`;
const reproduce = (): Promise<Said> => tieout(`run --reproduce ${runId}`, { cwd: project.folder });

beforeAll(async () => {
    project = tinyProject(files);
    const cwd = project.folder;
    await tieout(`run --period 2026-09 ${asOf}`, { cwd });
    const said = await tieout(`run --period 2026-10 ${asOf} --json`, { cwd });
    ({
        run_id: runId,
        certificate: { run_digest: digest },
    } = JSON.parse(said.out));
    project.write('rates.csv', (tiny['rates.csv'] ?? '').replaceAll(',,3\n', ',,4\n'));
    project.write(september, lines([{ ...usageLine(12), time: `${day}T12:00:00Z` }]));
    await tieout(`run --period 2026-09 ${asOf}`, { cwd });
    project.write(
        'data/usage/dt=2026-10-02/late.ndjson',
        lines([{ ...usageLine(9), id: 'evt-10' }]),
    );
});
afterAll(() => project?.remove());

/** Lets something happen to a file, and puts it back. */
async function happening(path: string, change: (file: string) => void, look: () => Promise<void>) {
    const saved = readFileSync(at(path));
    change(at(path));
    try {
        await look();
    } finally {
        writeFileSync(at(path), saved);
    }
}

/** Files that must be the same: all but the certificate, and when breaks were first seen. */
const fileCount = () =>
    readdirSync(at(`.tieout/runs/${runId}/output`)).filter(
        (name) => !['certificate.json', 'items.json'].includes(name),
    ).length;

describe('a past run, computed once more', () => {
    test('is the same to the byte, whatever was changed since; nothing of it counts', async () => {
        const log = readdirSync(at('.tieout/commits'));
        const said = await reproduce();
        expect(said).toMatchObject({ exit: 0, err: '' });
        expect(said.out).toBe(
            `run        ${runId}\nreproduced digest ${digest}\nthe same   ${fileCount()} files, to the byte\n`,
        );
        expect(readdirSync(at('.tieout/commits'))).toEqual(log);
        expect(globSync(at('.tieout/reproductions/**/tables.duckdb'))).toEqual([]);
        // With the rules and objects of today it is another one.
        const now = await tieout(`run --period 2026-10 ${asOf} --json`, { cwd: project.folder });
        expect(JSON.parse(now.out).certificate.run_digest).not.toBe(digest);
    });

    test('every object and copy that is not as it was is named, all at once', async () => {
        const usage = 'data/usage/dt=2026-10-01/0.ndjson';
        await happening(usage, rmSync, () =>
            happening(
                'data/debits/dt=2026-10-02/log.ndjson',
                (file) => writeFileSync(file, '{}\n'),
                async () => {
                    const said = await reproduce();
                    expect(said.exit).toBe(2);
                    expect(said.err).toMatch(
                        /^INPUTS_CHANGED: .* cannot be computed again, .*:\n.*usage\/dt=2026-10-01\/0.ndjson is gone\n.*debits\/dt=2026-10-02\/log.ndjson has 3 bytes, had \d+\n {2}-> Bring it back/,
                    );
                },
            ),
        );
        const other = (file: string) =>
            writeFileSync(
                file,
                readFileSync(file, 'utf8').replace('"input_tokens":1000', '"input_tokens":9000'),
            );
        await happening(usage, other, async () => {
            const said = await reproduce();
            expect(said.exit).toBe(2);
            expect(said.err).toMatch(
                /usage\/dt=2026-10-01\/0.ndjson has sha256 [0-9a-f]{64}, had [0-9a-f]{64}\n/,
            );
        });
    });

    test('an object that was written again with the same content is the same', async () => {
        const same = (file: string) => writeFileSync(file, readFileSync(file));
        await happening('data/usage/dt=2026-10-01/0.ndjson', same, async () => {
            expect(await reproduce()).toMatchObject({ exit: 0 });
        });
    });

    test('a copy of a rule that is gone or was changed is named', async () => {
        const { rules } = JSON.parse(readFileSync(at(`${run()}/output/certificate.json`), 'utf8'));
        const copy = `${run()}/inputs/rules/${rules['rates.csv']}`;
        await happening(copy, rmSync, async () => {
            expect((await reproduce()).err).toContain('    rates.csv: its copy is gone (');
        });
        await happening(
            copy,
            (file) => writeFileSync(file, 'model\n'),
            async () => {
                expect((await reproduce()).err).toContain('    rates.csv: its copy was changed (');
            },
        );
        await happening(`${run()}/inputs/rules/config.json`, rmSync, async () => {
            expect(await reproduce()).toMatchObject({ exit: 2 });
            expect((await reproduce()).err).toContain('it kept no copies of its rules');
        });
    });

    /** The certificate says so, and its files agree: as a run would have left it. */
    const said = (edit: (certificate: Record<string, unknown>) => void) => (file: string) => {
        const certificate = JSON.parse(readFileSync(file, 'utf8'));
        edit(certificate);
        writeFileSync(file, JSON.stringify(certificate));
    };
    const certificateFile = () => `${run()}/output/certificate.json`;

    test('what differs is named, exit 1, and what was made now can be looked at', async () => {
        const changed = said((of) => {
            of.run_digest = 'd'.repeat(64);
            (of.outputs as Record<string, string>)['line_items.csv'] = sha256('nothing');
        });
        await happening(
            `${run()}/output/line_items.csv`,
            (file) => writeFileSync(file, 'nothing'),
            () =>
                happening(certificateFile(), changed, async () => {
                    const { exit, out } = await reproduce();
                    expect(exit).toBe(1);
                    expect(out).toMatch(
                        new RegExp(
                            `^run .*\nDIFFERENT  digest ${digest}\nit was     d{64}\ndiffering  line_items.csv\nmade now   (\\S+)\n$`,
                        ),
                    );
                    const folder = /made now +(\S+)/.exec(out)?.[1] ?? '';
                    expect(existsSync(at(`${folder}/output/line_items.csv`))).toBe(true);
                }),
        );
    });

    type Made = [by: string, more: object, text: string];
    const made: readonly Made[] = [
        ['another version', { tieout_version: '0.0.9' }, 'made by tieout 0.0.9, this is '],
        [
            'other code of the same version',
            {},
            'made by other code than this, of the same version ',
        ],
    ];

    test.each(fewOf(made, 1))(
        '%s is stated; only the report that names it differs',
        async (_what, more, text) => {
            const changed = said((of) =>
                Object.assign(of, { run_fingerprint: 'f'.repeat(64), ...more }),
            );
            const report = `${run()}/output/report.html`;
            const edited = said((of) => {
                (of.outputs as Record<string, string>)['report.html'] = sha256('<p>');
            });
            await happening(
                report,
                (file) => writeFileSync(file, '<p>'),
                () =>
                    happening(
                        certificateFile(),
                        (file) => {
                            changed(file);
                            edited(file);
                        },
                        async () => {
                            const { exit, out } = await reproduce();
                            expect(exit).toBe(0);
                            expect(out).toContain(
                                `${fileCount()} files, to the byte, but for report.html, which names the code\n`,
                            );
                            expect(out).toContain(`code       ${text}`);
                        },
                    ),
            );
        },
    );

    test.each([
        ['run --reproduce 2026-10-nightly-000000000000', 'RUN_NOT_FOUND: there is no run 2026-10-'],
        ['run --reproduce ../../etc', 'USAGE: "../../etc" is not the id of a run'],
        [
            'run --reproduce x --period 2026-10',
            'USAGE: --reproduce takes no --period and no --as-of',
        ],
        ['run', "USAGE: required option '--period <yyyy-MM>' not specified"],
    ])('%s', async (line, text) => {
        const answer = await tieout(line, { cwd: project.folder });
        expect(answer.exit).toBe(2);
        expect(answer.err).toContain(text);
    });
});

test('copies lie under their content: a path that leads elsewhere does not', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tieout-rules-'));
    try {
        const of = openProject(at('tieout.yaml'));
        const texts = new Map([
            ['../../../etc/passwd', 'x'],
            ['a/../b.yaml', 'y'],
        ]);
        const kept = runFolder(join(folder, 'state'), 'r');
        keepRules(kept, { ...of, texts });
        const names = globSync('**/*', { cwd: folder, withFileTypes: true }).filter((entry) =>
            entry.isFile(),
        );
        expect(names.map(({ name }) => name).sort()).toEqual(
            [sha256('x'), sha256('y'), 'config.json'].sort(),
        );
        const rules = { '../../../etc/passwd': sha256('x'), 'a/../b.yaml': sha256('y') };
        expect(readKeptRules(kept, { rules }).texts).toEqual(texts);
        cpSync(join(kept.rules, sha256('x')), join(folder, 'secret'));
        const outside = { 'c.yaml': '../../../secret' };
        expect(readKeptRules(kept, { rules: outside }).problems).toHaveLength(1);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
});
