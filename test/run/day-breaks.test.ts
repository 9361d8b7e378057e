import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { besideTiny } from '../support/night.ts';
import { lines, tieout, tinyProject } from '../support/terminal.ts';
import { readable, served } from './serve.world.ts';

/*
 * Twelve requests of a day, debited as a whole and a little too low: twelve are more than a page shows of a
 * side, so it says how many there are and how all are listed.
 */
const usage = Array.from({ length: 12 }, (_, at) => ({
    ...{ specversion: '1.0', id: `e${at + 10}`, source: '/gateway', type: 'llm.completion' },
    ...{ subject: 'acme', time: `2026-10-02T01:00:${at + 10}Z` },
    data: { model: 'm1', input_tokens: 1000, cached_input_tokens: 0, output_tokens: 0 },
}));
const debit = {
    ...{ entry_id: 'd', entry_type: 'capture', account_id: 'acme', wallet_id: 'w', asset: 'USD' },
    ...{ amount: '0.001', meter: 'tokens', aggregated: 'day' },
    ...{ occurred_at: '2026-10-02T00:00:00Z', booked_at: '2026-10-03T00:10:00Z' },
};

describe('a break of a whole day', () => {
    const beside = besideTiny();
    const config = `${beside['tieout.yaml']}`.replace('shape: instant', 'shape: aggregated');
    const project = tinyProject({
        ...{ ...beside, 'tieout.yaml': config },
        'data/usage/dt=2026-10-02/0.ndjson': lines(usage),
        'data/debits/dt=2026-10-03/0.ndjson': lines([debit]),
    });
    afterAll(project.remove);
    const cwd = project.folder;
    const type = (line: string) => tieout(`${line} --period 2026-10`, { cwd });
    let id: string;
    beforeAll(async () => {
        await type('run --as-of 2026-11-03T00:00:00Z');
        const { items } = JSON.parse((await type('break list --json')).out);
        id = items[0].break_id;
        expect(items[0].break_key).toBe('acme|2026-10-02');
    }, 600_000);

    test('the report shows its first events and its debit, and how many there are', async () => {
        await type('report');
        const folder = join(cwd, '.tieout/reports/2026-10');
        const { evidence } = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
        const [of] = evidence;
        expect(of).toMatchObject({ break_id: id, usage_count: 12, debit_count: 1 });
        expect([of.usage.length, of.debits.length]).toEqual([8, 1]);
        expect(of.usage[0].fields).toContainEqual({ name: 'event_id', value: 'e10' });
        const page = readable(readFileSync(join(folder, 'report.html'), 'utf8'));
        expect(page).toContain('12 usage records, 1 debit record');
        expect(page).toContain('and 4 more: tieout explain BREAK --out FILE.csv lists all');
    });

    test('so does its page in the browser', async () => {
        const { text } = await served(cwd).get(`/periods/2026-10/breaks/${id}`);
        expect(readable(text)).toContain(
            'and 4 more: tieout explain BREAK --out FILE.csv lists all',
        );
    });

    test('explain lists all of them in a file that is not there yet', async () => {
        const said = await type(`explain ${id} --events 2 --out all.csv`);
        expect(said).toMatchObject({ exit: 0, err: '' });
        expect(said.out).toContain('and 10 more (--events N, or all with --out FILE.csv)');
        expect(said.out).toMatch(/^written +13 records to .*all\.csv$/m);
        const rows = readFileSync(join(cwd, 'all.csv'), 'utf8').split('\n');
        expect(rows).toHaveLength(15);
        expect(rows[1]).toBe(
            'usage,/gateway,e10,llm.completion,2026-10-02T01:00:10Z,,,usage/dt=2026-10-02/0.ndjson,1',
        );
        expect(rows[13]).toBe(
            'debits,wallet,d,capture,2026-10-03T00:10:00Z,0.001,USD,debits/dt=2026-10-03/0.ndjson,1',
        );
        const again = await type(`explain ${id} --out all.csv`);
        expect(again).toMatchObject({ exit: 2, out: '' });
        expect(again.err).toContain('--out all.csv is there already');
    });
});
