import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine } from '../../src/duck/engine.ts';
import { quoteText } from '../../src/duck/sql.ts';
import type { ThreeWayRow } from '../../src/schema/report.ts';
import { type InvoiceService, invoiceService } from '../support/invoice-service.ts';
import { type TinyProject, tieout, tinyFiles, tinyProject } from '../support/terminal.ts';
import { readable, served } from './serve.world.ts';

/** A night of the tiny project, a decision about its one break, and the report of both. */
let project: TinyProject;
let folder: string;
const period = '--period 2026-10';
const at = (line: string) => tieout(line, { cwd: project.folder });
const json = async (line: string) => JSON.parse((await at(`${line} --json`)).out);

beforeAll(async () => {
    project = tinyProject();
    await at(`run ${period}`);
    const { items } = await json(`break list ${period}`);
    await at(`break assign ${items[0].break_id} ${period} --to wallets --by maria --reason theirs`);
    folder = (await json(`report ${period}`)).folder;
});
afterAll(() => project.remove());

const hashes = (of: string) =>
    Object.fromEntries(
        readdirSync(of).map((name) => [
            name,
            createHash('sha256')
                .update(readFileSync(join(of, name)))
                .digest('hex'),
        ]),
    );

describe('tieout report', () => {
    test('writes the page, the same as JSON, the items as CSV, and tables for BI', () => {
        expect(folder).toBe(join(project.folder, '.tieout/reports/2026-10'));
        expect(readdirSync(folder).sort()).toEqual([
            ...['items.csv', 'items.parquet', 'payers.parquet', 'report.html', 'report.json'],
            ...['three_way.csv', 'three_way.parquet', 'tie_outs.parquet'],
        ]);
    });

    test('writes the same bytes again, and where it is told to', async () => {
        const before = hashes(folder);
        const { folder: elsewhere } = await json(`report ${period} --out told`);
        expect(elsewhere).toBe(join(project.folder, 'told'));
        expect(hashes(elsewhere)).toEqual(before);
    });

    test('says what people decided, and both sides of a break as they were read', () => {
        const { items, evidence, trend, proofs, lines } = JSON.parse(
            readFileSync(join(folder, 'report.json'), 'utf8'),
        );
        expect(items).toMatchObject([
            { status: 'open', owner: 'wallets', notes: [{ by: 'maria' }] },
        ]);
        expect(trend).toMatchObject([{ break_count: 1 }]);
        expect(lines).toBeUndefined();
        expect(proofs.filter(({ holds }: { holds: boolean }) => !holds)).toEqual([]);
        const [of] = evidence;
        expect(of).toMatchObject({ break_id: items[0].break_id, debits: [] });
        expect(of.usage).toMatchObject([{ line: expect.stringMatching(/^\d+$/) }]);
        expect(of.usage[0].fields).toContainEqual({ name: 'event_id', value: items[0].break_key });
        const page = readFileSync(join(folder, 'report.html'), 'utf8');
        expect(page).toContain(`<a href="#raw-${items[0].break_id.slice(0, 12)}"`);
    });

    test('its tables hold exact numbers, and the steps of the three ways add up', async () => {
        const engine = await Engine.open({
            ...{ file: ':memory:', memory: '200MB', threads: 1, spill: project.folder },
        });
        const from = (name: string) =>
            `read_parquet(${quoteText(join(folder, `${name}.parquet`))})`;
        try {
            for (const name of ['items', 'tie_outs', 'payers', 'three_way']) {
                const columns = await engine.describe(`select * from ${from(name)}`);
                expect(columns.filter(({ type }) => /DOUBLE|FLOAT/.test(type))).toEqual([]);
                const { count } = await engine.one(`select count(*) as count from ${from(name)}`);
                expect(count).not.toBe(0n);
            }
            const ways = await engine.rows(
                `select payer_id, product, asset,
                    sum(amount) filter (where step_no < metered_no) as before,
                    sum(amount) filter (where step_no >= metered_no and step <> 'invoiced') as after,
                    max(amount) filter (where step = 'metered') as metered,
                    max(amount) filter (where step = 'invoiced') as invoiced
                from (
                    select *, max(step_no) filter (where step = 'metered') over (
                        partition by payer_id, product, asset
                    ) as metered_no
                    from ${from('three_way')}
                )
                group by all`,
            );
            for (const { before, after, metered, invoiced } of ways) {
                expect(before).toBe(metered);
                expect(after).toBe(invoiced ?? metered);
            }
        } finally {
            engine.close();
        }
    });

    test('the page of the run itself knows nothing of decisions, nights or raw records', async () => {
        const { folder: output } = await json(`run ${period}`);
        const page = readFileSync(join(output, 'report.html'), 'utf8');
        expect(page).toContain('<section id="three-way"');
        expect(page).not.toContain('<section id="raw"');
        expect(page).not.toContain('<section id="trend"');
        expect(page).not.toContain('wallets</bdi>');
    });
});

describe('a month that was delivered', () => {
    let service: InvoiceService;
    let sent: TinyProject;
    const told = async (line: string) => (await tieout(line, { cwd: sent.folder })).out;

    beforeAll(async () => {
        service = await invoiceService();
        const files = tinyFiles();
        const deliveries = `deliveries: { webhook: { url: "${service.url}" } }\n`;
        sent = tinyProject({ ...files, 'tieout.yaml': `${files['tieout.yaml']}${deliveries}` });
        await told(`run ${period}`);
        await told(`release acme ${period} --reason agreed`);
        await told(`close ${period}`);
    });
    afterAll(async () => {
        await service.stop();
        sent.remove();
    });

    test('nothing was sent: the report has no word of it', async () => {
        expect(await told(`report ${period}`)).not.toContain('delivered');
    });

    test('what the target has is the fourth figure, by payer, product and asset', async () => {
        await told(`deliver ${period} --target webhook --send`);
        const text = await told(`report ${period}`);
        expect(text).toContain('From invoiced to delivered, all payers together');
        const at = join(sent.folder, '.tieout/reports/2026-10');
        const { three_way, proofs } = JSON.parse(readFileSync(join(at, 'report.json'), 'utf8'));
        const ways = three_way.rows.filter((of: ThreeWayRow) => of.invoiced !== '0');
        expect(ways.length).toBeGreaterThan(0);
        for (const { invoiced, deliveries } of ways) {
            expect(deliveries).toEqual([
                { target: 'webhook', to_delivered: [], delivered: invoiced },
            ]);
        }
        expect(proofs.filter(({ holds }: { holds: boolean }) => !holds)).toEqual([]);
        expect(readFileSync(join(at, 'report.html'), 'utf8')).toContain('Delivered, webhook');
        expect(readFileSync(join(at, 'three_way.csv'), 'utf8')).toContain(',webhook,');
    });

    test('`tieout serve` has a page of it', async () => {
        const { status, text } = await served(sent.folder).get('/periods/2026-10/deliveries');
        expect(status).toBe(200);
        expect(readable(text)).toMatch(/Parcels for webhook .*acme\/2026-10\/USD verified/);
    });
});
