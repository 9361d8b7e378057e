import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadCard } from '../../src/rules/load.ts';
import { tieout } from '../support/terminal.ts';

const formats = join(import.meta.dirname, '..', '..', 'fixtures', 'formats');
const cwd = mkdtempSync(join(tmpdir(), 'tieout-import-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));
const importing = (format: string, out: string, more = '') =>
    tieout(
        `rules import --format ${format} --file ${join(formats, `${format}.json`)} --out ${out} ${more}`,
        { cwd },
    );

describe('rules import', () => {
    test.each([
        ['genai-prices', 24, 6],
        ['litellm', 19, 17],
    ])('%s: a card that loads, what the config needs, and what is left out', async (...of) => {
        const [format, rates, notes] = of;
        const { exit, out, err } = await importing(format, format, '--json');
        expect([exit, err]).toEqual([0, '']);
        const said = JSON.parse(out);
        expect(said).toMatchObject({ card: format, rate_count: rates });
        expect(said.notes).toHaveLength(notes);
        const folder = join(cwd, format);
        expect(readdirSync(folder).sort()).toEqual([...said.files, 'rate-card.schema.json'].sort());
        const read = (name: string) => readFileSync(join(folder, name), 'utf8');
        expect(loadCard(`${format}.yaml`, read)).toHaveProperty('card');
        expect(read('notes.txt')).toBe(said.notes.map((note: string) => `${note}\n`).join(''));
    });

    test('the examples come out in a project, priced by the time of the day', async () => {
        await importing('genai-prices', 'night', '--provider borealis');
        const folder = join(cwd, 'night');
        const read = (name: string) => readFileSync(join(folder, name), 'utf8');
        const quantities = ['input_tokens', 'cache_read_tokens', 'output_tokens'];
        const config = {
            name: 'night',
            store: { folder: 'data' },
            rate_card: 'genai-prices-borealis.yaml',
            accounts: 'accounts.json',
            assets: { USD: { kind: 'currency', precision: 6 } },
            usage: [
                {
                    name: 'gateway',
                    prefix: 'usage/',
                    attributes: { reported_model: 'model' },
                    quantities: Object.fromEntries(quantities.map((of) => [of, of])),
                },
            ],
            ...parse(read('derived.yaml')),
        };
        const account = {
            account_id: 'lab',
            currency: 'USD',
            valid_from: '2020-01-01T00:00:00Z',
        };
        const event = (time: string, at: number) =>
            JSON.stringify({
                specversion: '1.0',
                id: `e${at}`,
                source: 'g',
                type: 'request',
                subject: 'lab',
                time: `2026-10-10T${time}Z`,
                model: 'my-night-model',
                input_tokens: 1_000_000,
                cache_read_tokens: 0,
                output_tokens: 0,
            });
        writeFileSync(join(folder, 'tieout.yaml'), stringify(config));
        writeFileSync(join(folder, 'accounts.json'), JSON.stringify([account]));
        mkdirSync(join(folder, 'data/usage'), { recursive: true });
        const times = ['00:29:59.999999', '00:30:00', '16:29:59.999999', '16:30:00'];
        writeFileSync(join(folder, 'data/usage/a.ndjson'), `${times.map(event).join('\n')}\n`);
        const said = await tieout('rules test', { cwd: folder });
        expect([said.exit, said.err]).toEqual([0, '']);
        expect(said.out).toContain('ok  borealis/aurora-night, input, 1630-0030: ');
        const run = await tieout('run --period 2026-10 --as-of 2026-11-05T00:00:00Z --json', {
            cwd: folder,
        });
        expect(run.exit).toBe(0);
        const { folder: made } = JSON.parse(run.out);
        const csv = readFileSync(join(made, 'line_items.csv'), 'utf8');
        const lines: Record<string, string>[] = parseCsv(csv, { columns: true });
        const shown = lines.map((line) => [line.rate_id, line.quantity, line.amount_exact]);
        expect(shown.sort()).toMatchInlineSnapshot(`
          [
            [
              "genai-prices-borealis/tokens/model=aurora-night,time_of_day=0030-1630,token_class=input@2000-01-01T00:00:00Z",
              "2000000",
              "0.54",
            ],
            [
              "genai-prices-borealis/tokens/model=aurora-night,time_of_day=1630-0030,token_class=input@2000-01-01T00:00:00Z",
              "2000000",
              "0.27",
            ],
          ]
        `);
    });

    test('prints every note, and writes nothing over', async () => {
        const first = await importing('genai-prices', 'twice');
        expect(first.out).toContain(
            'meridian/aurora, wide: requests_kcount 12 is not imported: it is a price of something else than tokens',
        );
        const second = await importing('genai-prices', 'twice');
        expect(second.exit).toBe(2);
        expect(second.err).toContain('genai-prices.yaml exists: nothing was written');
    });

    test('the same list gives the same bytes, and another list another version', async () => {
        await importing('litellm', 'one', '--provider borealis');
        await importing('litellm', 'two', '--provider borealis');
        const read = (folder: string, name: string) =>
            readFileSync(join(cwd, folder, name), 'utf8');
        for (const name of readdirSync(join(cwd, 'one'))) {
            expect(read('one', name)).toBe(read('two', name));
        }
        const list = readFileSync(join(formats, 'litellm.json'), 'utf8');
        writeFileSync(join(cwd, 'litellm.json'), list.replace('4.1e-06', '4.2e-06'));
        await tieout(
            'rules import --format litellm --file litellm.json --out three --provider borealis',
            { cwd },
        );
        const version = (folder: string) =>
            /^version: .*$/m.exec(read(folder, 'litellm-borealis.yaml'))?.[0];
        expect(version('three')).not.toBe(version('one'));
    });

    test.each([
        ['--format litelm --file x --out o', 'litelm is not a format of price lists'],
        ['--format litellm --file gone.json --out o', 'cannot be read'],
        ['--format litellm --file bad.json --out o', 'is not a price list of the format litellm'],
        [
            `--format litellm --file ${formats}/genai-prices.json --out o`,
            'is not a price list of the format litellm',
        ],
        [
            `--format genai-prices --file ${formats}/genai-prices.json --out o --provider boralis`,
            'Did you mean "borealis"?',
        ],
        ['--format litellm --out o', "required option '--file"],
    ])('%s', async (words, message) => {
        writeFileSync(join(cwd, 'bad.json'), '{');
        const { exit, err } = await tieout(`rules import ${words}`, { cwd });
        expect(exit).toBe(2);
        expect(err).toContain(message);
        expect(readdirSync(cwd)).not.toContain('o');
    });
});
