import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Certificate } from '../../src/schema/certificate.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { memoryStore } from '../support/memory-store.ts';
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
 * Names come from outside: of accounts, payers, events, entries, authorizations and objects. Whatever they
 * say is text in everything that a night writes, and the night ties out.
 */

const hostile = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "=cmd|' /C calc'!A0",
    '+1+1',
    '-2+3',
    '@SUM(1+1)',
    '\t=1',
    '＝1+1',
    '\u202Efdp.exe',
    'a\u2066b\u2069\u200Bc',
    'two\nlines\r\n=1',
    '\u001b[2J\u001b]0;title\u0007',
    '"quoted","cells"\n"and","rows"',
    "'); drop table recon.breaks; --",
    '{{constructor}} #{7*7} %s %n',
    '../../../etc/passwd',
    'constructor',
    '__proto__',
    'É e\u0301 🏴 𝔞',
];
const huge = 'x'.repeat(10_000);
const ids = [...hostile, huge];
const since = '2025-01-01T00:00:00Z';
const account = (account_id: string, name: string, parent: string | null) => ({
    ...{ account_id, name, parent, currency: 'USD', time_zone: 'UTC', valid_from: since },
});

/** Every name is a payer with a team, and of its own event that no wallet debited, its debit and hold. */
const payer = (name: string) => name.slice(0, 200);
const team = (name: string) => `${payer(name)} team`;
const event = (name: string, at: number, of: string, tokens = 1) => ({
    ...usageLine(tokens),
    ...{ id: `${name}${of}`, subject: team(name) },
    time: `2026-10-0${1 + (at % 2)}T0${at % 10}:00:00Z`,
});
const entry = (name: string, at: number, of: string, change: object = {}) => ({
    ...debitLine(1),
    ...{ event_id: `${name}${of}`, entry_id: `${name}${of}`, account_id: team(name) },
    ...{ wallet_id: name, sequence: undefined },
    booked_at: `2026-10-0${1 + (at % 2)}T0${at % 10}:00:01Z`,
    ...change,
});
const holdOf = (name: string) => ({
    ...{ entry_type: 'authorize', authorization_id: name, event_id: undefined },
});
const keyOf = (name: string, at: number) =>
    `dt=2026-10-0${1 + (at % 2)}/${name.slice(0, 200)}.ndjson`;
const store: ObjectStore = memoryStore({
    ...Object.fromEntries(
        ids.map((name, at) => [
            `usage/${keyOf(name, at)}`,
            lines([event(name, at, '', 400), event(name, at, ' paid')]),
        ]),
    ),
    ...Object.fromEntries(
        ids.map((name, at) => [
            `debits/${keyOf(name, at)}`,
            lines([entry(name, at, ' paid'), entry(name, at, ' open', holdOf(name))]),
        ]),
    ),
    'usage/dt=2026-10-01/unusable.ndjson': ids.map((name) => `{"id": ${name}}\n`).join(''),
});

let project: TinyProject;
let ran: Said;
let folder: string;
const at = (line: string | readonly string[]) => tieout(line, { cwd: project.folder, store });

beforeAll(async () => {
    const files = tinyFiles();
    const roots = ids.map((name) => account(payer(name), name, null));
    const teams = ids.map((name) => account(team(name), `${name} team`, payer(name)));
    const config = (files['tieout.yaml'] ?? '')
        .replace(/- accounts: acme\n {4}asset: USD\n {4}shape: instant/, walletsText(ids))
        .replace('suspense_percent: "2"', 'suspense_percent: "100"');
    project = tinyProject({
        ...Object.fromEntries(Object.entries(files).filter(([name]) => !name.startsWith('data/'))),
        'tieout.yaml': config,
        'accounts.json': JSON.stringify([...roots, ...teams]),
    });
    ran = await at('run --period 2026-10 --json');
    folder = JSON.parse(ran.out).folder;
});
afterAll(() => project?.remove());

function walletsText(of: readonly string[]): string {
    return of
        .map((name) => {
            const accounts = JSON.stringify(payer(name));
            return `- { accounts: ${accounts}, asset: USD, shape: instant }`;
        })
        .join('\n  ');
}

test('a night over names that mean harm ties out', () => {
    expect([ran.exit, ran.err]).toEqual([1, '']);
    const { certificate } = JSON.parse(ran.out);
    const { tie_outs } = certificate as Certificate;
    expect(tie_outs.map(({ account_id }) => account_id).sort()).toEqual(hostile.map(team).sort());
    for (const { unexplained } of tie_outs) expect(unexplained).toMatch(/^0(\.0*)?$/);
    const keys = (certificate as Certificate).inputs.map(({ key }) => key);
    for (const [index, name] of ids.entries())
        expect(keys).toContain(`usage/${keyOf(name, index)}`);
});

test('an id of ten thousand characters is in suspense, not in a report', () => {
    const { certificate } = JSON.parse(ran.out);
    const codes = (certificate as Certificate).suspense.map(({ code }) => code);
    expect(codes).toContain('TEXT_TOO_LONG');
});

describe('in CSV', () => {
    const files = () => globSync(join(folder, '*.csv')).map((file) => basename(file));
    const rowsOf = (file: string): readonly (readonly string[])[] =>
        parse(readFileSync(join(folder, file), 'utf8'), { bom: true });

    test('no cell of any file is a formula, and none breaks its row', () => {
        expect(files()).toEqual(expect.arrayContaining(['breaks.csv', 'line_items.csv']));
        for (const file of files()) {
            const [head, ...rows] = rowsOf(file);
            for (const row of rows) expect([file, row.length]).toEqual([file, head?.length]);
            const cells = rows.flat().filter((cell) => !/^-?\d+(\.\d+)?$/.test(cell));
            expect(cells.filter((cell) => /^[\s\p{Cf}"]*[=+\-@＝]/u.test(cell))).toEqual([]);
        }
    });

    test('every name is a break of its own, and comes back as it was sent', () => {
        const [head, ...rows] = rowsOf('breaks.csv');
        const [code, key] = ['code', 'break_key'].map((name) => head?.indexOf(name) ?? -1);
        const told = rows.map((row) => [row[code!], row[key!]?.replace(/^'(?=[^)])/, '')]);
        const wanted = hostile.flatMap((name) => [
            ['METERED_NOT_DEBITED', name],
            ['OPEN_HOLD', name],
        ]);
        expect(told.sort()).toEqual(wanted.sort());
    });
});

test('in the HTML report nothing is a tag, an attribute, a script or a mark that turns text around', () => {
    const html = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(html).toContain('&lt;script>alert(1)');
    expect(html).not.toMatch(/<script>alert|<img|<[^>]* onerror/);
    expect(html).not.toMatch(unseen);
    expect(html).not.toContain('x'.repeat(1_000));
});

describe('on a terminal', () => {
    test.each([
        ['report --period 2026-10', 1],
        ['plan --period 2026-10', 0],
        ['run --period 2026-10', 1],
        ['doctor', 0],
    ])('%s moves no cursor, and no line is longer than a name may be', async (line, exit) => {
        const said = await at(line);
        expect(said.exit, said.err).toBe(exit);
        expectHarmless(said.out);
    });

    test('explain of lines likewise', async () => {
        const [head, ...rows] = parse(readFileSync(join(folder, 'line_items.csv'), 'utf8'), {
            bom: true,
        }) as readonly string[][];
        const key = head?.indexOf('line_key') ?? -1;
        // Each takes a while: of the payers whose names turn text around, move cursors and break lines.
        for (const row of rows.filter((cells) => /\u202E|title|two/.test(cells.join()))) {
            const said = await at(['explain', row[key] ?? '']);
            expect(said.exit, said.err).toBe(0);
            expectHarmless(said.out);
        }
    });

    test('a break that is asked for by its hostile name is an error that is harmless too', async () => {
        for (const name of [huge, '\u202Efdp.exe', '\u001b[2J']) {
            const said = await at(['explain', '--', name]);
            expect(said.exit).toBe(2);
            expectHarmless(said.err);
        }
    });
});

const unseen = /[^\P{Cc}\n]|[\u202A-\u202E\u2066-\u2069\u200B]/u;

function expectHarmless(text: string): void {
    expect(text).not.toMatch(unseen);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(1_200);
}
