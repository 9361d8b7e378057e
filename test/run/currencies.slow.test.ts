import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { RunResult } from '../../src/run/pipeline.ts';
import { takesAll } from '../support/how-many.ts';
import { besideTiny, csvOf, oneNight, storeOfDay, within } from '../support/night.ts';
import { testProject } from '../support/project.ts';
import { tieout, usageLine } from '../support/terminal.ts';

/*
 * One card in USD: 3 a million tokens in, 15 out, and 50 a month for every account. A request of
 * 200,000 in and 20,000 out costs
 *
 *     us   0.60 + 0.30 USD
 *     eu   x 0.92: 0.552 + 0.276 = 0.828 EUR; a fee of 46, and as much for eu-team
 *     jp   x 150:  90 + 45 = 135 JPY; a fee of 7,500; 1,000 more tokens in, never debited, are 0.45
 *     gb   the latest rate was stated 32 days before the period: nothing is priced
 *     ca   used nothing, and there is no rate from USD to CAD: its fee is not priced
 */
const jan = '2026-01-01T00:00:00Z';
const account = (account_id: string, currency: string, time_zone: string, more = {}) => ({
    ...{ account_id, currency, time_zone, valid_from: jan, ...more },
});
const accounts = [
    account('us', 'USD', 'America/New_York'),
    account('eu', 'EUR', 'Europe/Berlin'),
    account('eu-team', 'USD', 'UTC', { parent: 'eu' }),
    account('jp', 'JPY', 'Asia/Tokyo'),
    account('gb', 'GBP', 'Europe/London'),
    account('ca', 'CAD', 'America/Toronto'),
];
const used = [
    ...['us', 'eu', 'eu-team', 'jp', 'gb'].map((who) => [who, 200_000, 20_000] as const),
    ['jp', 1_000, 0] as const,
];
const events = used.map(([subject, input_tokens, output_tokens], at) => ({
    ...usageLine(1, { input_tokens, output_tokens }),
    ...{ id: `evt-${at}`, subject, time: `2026-10-15T00:0${at}:00Z` },
}));
const debit = (at: number, asset: string, amount: string) => ({
    ...{ entry_id: `ent-${at}`, entry_type: 'capture', asset, amount, event_id: `evt-${at}` },
    ...{ account_id: used[at]?.[0], booked_at: `2026-10-15T00:0${at}:01Z` },
});
const debits = [
    debit(0, 'USD', '0.9'),
    debit(1, 'EUR', '0.828'),
    debit(2, 'EUR', '0.828'),
    debit(3, 'JPY', '135'),
    debit(4, 'GBP', '0.7'),
];

const card = (more: readonly object[] = []) =>
    stringify({
        ...{ card: 'list', version: '7', currency: 'USD' },
        charges: [
            {
                ...{ product: 'llm-tokens', meter: 'tokens', model: 'per_unit', unit: 'token' },
                price_per: '1000000',
                rates: [
                    { when: { token_class: 'input' }, price: '3', from: jan },
                    { when: { token_class: 'output' }, price: '15', from: jan },
                ],
            },
            {
                ...{ product: 'support', meter: 'requests', model: 'flat', unit: 'month' },
                ...{ fee: '50', charge_zero_usage: true, rates: [{ when: {}, from: jan }] },
            },
            ...more,
        ],
    });
const rates = `from,to,on,rate,source
USD,EUR,2026-08-30,0.8,ECB
USD,EUR,2026-09-30,0.92,ECB
USD,EUR,2026-10-02,0.5,ECB
USD,JPY,2026-10-01,150,BOJ
USD,GBP,2026-08-30,0.78,ECB
`;

const beside = besideTiny();
const config = (change: (of: Record<string, unknown>) => object) => {
    const of = parse(beside['tieout.yaml'] ?? '');
    of.meters.push({ ...of.meters[0], meter: 'requests', aggregation: 'count', unit: 'request' });
    for (const key of ['token_classes', 'attributes']) delete of.meters[1][key];
    of.wallets[0].accounts = 'us';
    return stringify({ ...of, ...change(of) });
};
const files = {
    ...beside,
    'tieout.yaml': config(() => ({ currency_rates: 'fx.csv' })),
    'accounts.json': JSON.stringify(accounts),
    'assets.json': JSON.stringify([
        ...['USD', 'EUR', 'GBP', 'CAD'].map((asset) => ({ asset, kind: 'currency', precision: 6 })),
        { asset: 'JPY', kind: 'currency', precision: 0 },
        { asset: 'TOK', kind: 'unit', precision: 3 },
        { asset: 'REQ', kind: 'unit', precision: 0 },
    ]),
    'rates.yaml': card(),
    'fx.csv': rates,
};
const store = storeOfDay('2026-10-15', events, debits);

const night = oneNight(() => testProject(files, store));

/** Runs the same with other files, and gives what was made of it. */
const otherwise = <T>(other: object, read: (made: RunResult) => T | Promise<T>): Promise<T> =>
    within(testProject({ ...files, ...other }, store), async (own) => read(await own.run()));

describe('payers billed in other currencies than the card', () => {
    test('lines are in the currency of the payer, rounded to its digits', () => {
        expect(
            csvOf(night.result, 'line_items.csv')
                .filter(({ line_type }) => line_type !== 'wallet_settlement')
                .map((of) =>
                    [of.account_id, of.product, of.unit_price, of.amount, of.currency].join(' '),
                )
                .sort(),
        ).toEqual([
            'eu llm-tokens 0.00000276 0.55 EUR',
            'eu llm-tokens 0.0000138 0.28 EUR',
            'eu support 0 46.00 EUR',
            'eu-team llm-tokens 0.00000276 0.55 EUR',
            'eu-team llm-tokens 0.0000138 0.28 EUR',
            'eu-team support 0 46.00 EUR',
            'jp llm-tokens 0.00045 90 JPY',
            'jp llm-tokens 0.00225 45 JPY',
            'jp support 0 7500 JPY',
            'us llm-tokens 0.000003 0.60 USD',
            'us llm-tokens 0.000015 0.30 USD',
            'us support 0 50.00 USD',
        ]);
    });

    test('a converted rate has an id of its own; card and version stay', () => {
        const ids = csvOf(night.result, 'line_items.csv')
            .filter(({ account_id }) => account_id === 'jp' || account_id === 'us')
            .map((of) => [of.rate_id, of.card, of.card_version].join(' '));
        expect(ids).toEqual(
            expect.arrayContaining([
                `list/requests/*@${jan} list 7`,
                `list/requests/*@${jan}@JPY list 7`,
            ]),
        );
    });

    test('debits in the same currency tie out, to the last digit', () => {
        const ties = night.result.certificate.tie_outs.filter(
            ({ account_id }) => account_id !== 'gb',
        );
        expect(
            ties.map((of) =>
                [
                    ...[of.account_id, of.asset, of.rated, of.repriced, of.debited],
                    ...[of.broken, of.unexplained],
                ].join(' '),
            ),
        ).toEqual(
            expect.arrayContaining([
                'eu EUR 46.828 46 0.828 0 0',
                'eu-team EUR 46.828 46 0.828 0 0',
                'jp JPY 7635.45 7500 135 0.45 0',
                'us USD 50.9 50 0.9 0 0',
            ]),
        );
    });

    test('without a rate usage and fees are in suspense, and the payer is held', async () => {
        expect(
            night.result.certificate.payers.map((of) => [of.payer_id, of.recon_status].join(' ')),
        ).toEqual(['ca held', 'eu clear', 'gb held', 'jp clear', 'us clear']);
        const evidence = await night.engine.rows(
            `select payer_id, 'usage' as what, code, evidence from suspense.unrated_usage group by all
             union all
             select payer_id, 'fee' as what, code, evidence from suspense.unpriced_fees
             group by all order by all`,
        );
        const stale =
            'the latest rate from USD to GBP in fx.csv is of 2026-08-30: 32 days before 2026-10-01, and currency_rates_max_age_days is 31';
        expect(evidence.map((row) => Object.values(row).join(' | '))).toEqual([
            'ca | fee | CONVERSION_MISSING | fx.csv has no rate from USD to CAD of any date',
            `gb | fee | CONVERSION_MISSING | ${stale}`,
            `gb | usage | CONVERSION_MISSING | ${stale}`,
        ]);
        expect(night.result.certificate.suspense).toEqual([
            { code: 'CONVERSION_MISSING', row_count: '5' },
        ]);
        const listed = csvOf(night.result, 'unrated.csv').map((of) =>
            [of.payer_id, of.product, of.meter, of.quantity, of.event_count, of.code].join(' '),
        );
        expect(listed).toContain('ca support requests 1 0 CONVERSION_MISSING');
        expect(new Set(listed.map((row) => row.split(' ')[0]))).toEqual(new Set(['ca', 'gb']));
        expect(night.result.certificate.result).toBe('held');
    });

    test('the certificate and the report say what was converted by what', async () => {
        const { conversions = [] } = night.result.certificate;
        expect(conversions.map(({ evidence: _, ...of }) => Object.values(of).join(' '))).toEqual(
            [
                ['USD CAD', '', '', ''].join(' '),
                'USD EUR 0.92 2026-09-30 ECB',
                ['USD GBP', '', '', ''].join(' '),
                'USD JPY 150 2026-10-01 BOJ',
            ].map((text) => expect.stringContaining(text.trim())),
        );
        const said = await tieout('report --period 2026-10', { cwd: night.project.folder, store });
        expect(said.out).toMatch(
            /Conversions\n.*\n *USD +CAD +none .*of any date\n *USD +EUR +0.92/,
        );
        expect(said.out).toContain('held: ca: a break or a fee has no price in CAD');
        expect(readFileSync(join(night.result.run.output, 'report.html'), 'utf8')).toContain(
            'id="conversions"',
        );
    });

    test('a plan says so before the night', async () => {
        const said = await tieout('plan --period 2026-10', { cwd: night.project.folder, store });
        expect(said.out).toContain(
            '\nconverts prices in USD to EUR x 0.92 (ECB, 2026-09-30)\n' +
                'converts prices in USD to JPY x 150 (BOJ, 2026-10-01)\n' +
                'CONVERSION_MISSING: fx.csv has no rate from USD to CAD of any date\n',
        );
    });

    test('explain shows the price as it is written, and what made this one of it', async () => {
        const explained = async (account_id: string, unit_price: string) => {
            const line = csvOf(night.result, 'line_items.csv').find(
                (of) => of.account_id === account_id && of.unit_price === unit_price,
            );
            const options = { cwd: night.project.folder, store };
            return (await tieout(`explain ${line?.line_key}`, options)).out;
        };
        expect(await explained('eu', '0.00000276')).toContain(
            '\nconverted  price 0.000003 USD x 0.92 (ECB, 2026-09-30) = 0.00000276 EUR\n',
        );
        expect(await explained('eu', '0.00000276')).toContain(
            'events     1, together 200,000 token: the quantity of the line\n',
        );
        expect(await explained('jp', '0')).toContain(
            '\nconverted  every price in USD x 150 (BOJ, 2026-10-01), rounded once to 12 decimals; in USD:\n',
        );
        expect(await explained('us', '0.000003')).not.toContain('converted');
    });

    test('a diff of the card shows what moves for them, in their own money', async () => {
        night.project.write(
            'dearer.yaml',
            card().replace('price: "3"', 'price: "4"').replace('50', '60'),
        );
        const said = await tieout('rules diff rates.yaml dearer.yaml --period 2026-10 --json', {
            ...{ cwd: night.project.folder, store },
        });
        expect(said).toMatchObject({ exit: 0, err: '' });
        const { rows, unrated } = JSON.parse(said.out);
        expect(
            rows.map((of: Record<string, string>) =>
                [of.payer_id, of.product, of.currency, of.old, of.new].join(' '),
            ),
        ).toEqual([
            'eu llm-tokens EUR 1.656 2.024',
            'eu support EUR 92 110.4',
            'jp llm-tokens JPY 135.45 165.6',
            'jp support JPY 7500 9000',
            'us llm-tokens USD 0.9 1.1',
            'us support USD 50 60',
        ]);
        expect(new Set(unrated.map((of: Record<string, string>) => of.payer_id))).toEqual(
            new Set(['gb']),
        );
    });

    test.runIf(takesAll)('the same bytes again, whatever threads', async () => {
        const threads = files['tieout.yaml'].replace('threads: 1', 'threads: 3');
        const { run_digest, outputs } = await otherwise(
            { 'tieout.yaml': threads },
            ({ certificate }) => certificate,
        );
        expect(run_digest).toBe(night.result.certificate.run_digest);
        expect(outputs['line_items.csv']).toBe(night.result.certificate.outputs['line_items.csv']);
    });

    test('without currency rates nothing is converted, and no fee goes missing silently', () =>
        otherwise({ 'tieout.yaml': config(() => ({})) }, ({ certificate }) => {
            expect(certificate.suspense).toEqual([{ code: 'RATE_CURRENCY', row_count: '17' }]);
            expect(
                certificate.payers.map((of) => [of.payer_id, of.recon_status].join(' ')),
            ).toEqual(['ca held', 'eu held', 'gb held', 'jp held', 'us clear']);
            expect(certificate.conversions).toBeUndefined();
        }));

    test('a card whose prices cannot be converted stops the run before it begins', async () => {
        const share = {
            ...{ product: 'payments', meter: 'requests', model: 'percentage', unit: 'request' },
            percent: '2.9',
        };
        const dust = { product: 'dust', meter: 'tokens', model: 'per_unit', unit: 'token' };
        const charges = [
            {
                ...share,
                meter: 'tokens',
                rates: [{ when: { model: 'm9' }, from: jan, priority: 1 }],
            },
            {
                ...dust,
                rates: [{ when: { model: 'm8' }, price: '0.000000000001', from: jan, priority: 1 }],
            },
        ];
        const own = testProject({ ...files, 'rates.yaml': card(charges) }, store);
        try {
            const said = await tieout('plan --period 2026-10', { cwd: own.folder, store });
            expect(said.exit).toBe(2);
            expect(said.err).toMatch(
                /CONVERSION_UNIT in EUR at 0\.92: payments is a share of an amount in "request", and nothing says that this is USD\n {4}Write `unit: USD` if .*\n/,
            );
            expect(said.err).toMatch(
                /CONVERSION_TOO_COARSE in EUR at 0\.92: 0\.000000000001 is 0\.00000000000092, of which 12 decimals keep 0\.000000000001\n/,
            );
        } finally {
            own.remove();
        }
    });
});
