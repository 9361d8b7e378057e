import { describe, expect, test } from 'vitest';
import { meter } from '../../pipelines/30-meter/stage.ts';
import { auditRows, check } from '../support/table.ts';
import { config, gpu, over, requests } from './30-meter.world.ts';

const metered = 'select attributes, quantity, event_count from compiled.metered_usage order by all';

describe('30-meter: quantities', () => {
    test('a sum splits its events into token classes, and a class without any has no row', async () => {
        const events = [
            { input_tokens: '1000', cached_tokens: '400', output_tokens: '50' },
            { input_tokens: '500', cached_tokens: '0', output_tokens: '0' },
        ];
        expect(await over({ events }, metered)).toEqual([
            '{"band":"standard","model":"opus-4","token_class":"cache_read"} | 400 | 1',
            '{"band":"standard","model":"opus-4","token_class":"input"} | 1100 | 2',
            '{"band":"standard","model":"opus-4","token_class":"output"} | 50 | 1',
        ]);
    });

    test('a count counts what its filter lets pass; null is not let pass', async () => {
        const events = [
            { region: 'eu-1' },
            { region: 'eu-2', event_type: 'other' },
            { region: 'us-1' },
            { region: 'free' },
            { region: null },
        ];
        expect(await over({ config: config({ meters: [requests] }), events }, metered)).toEqual([
            '{"place":"eu"} | 2 | 2',
            '{"place":"world"} | 1 | 1',
        ]);
    });

    test('an event type that a meter does not want is not metered by it', async () => {
        const events = [{ event_type: 'chat', output_tokens: '5' }, { output_tokens: '7' }];
        expect(await over({ events }, metered)).toEqual([
            '{"band":"standard","model":"opus-4","token_class":"output"} | 7 | 1',
        ]);
    });

    test('decimals are added exactly: ten times 0.1 is 1, and twelve decimals stay', async () => {
        const jobs = (gpu_seconds: string) => ({ event_type: 'job', gpu_seconds });
        const events = [...Array.from({ length: 10 }, () => jobs('0.1')), jobs('0.000000000001')];
        expect(await over({ config: config({ meters: [gpu] }), events }, metered)).toEqual([
            '{} | 1.000000000001 | 11',
        ]);
    });

    test('whole numbers beyond what a double holds are added exactly', async () => {
        const events = [
            { output_tokens: '9007199254740993' },
            { output_tokens: '9007199254740993' },
        ];
        expect(await over({ events }, metered)).toEqual([
            '{"band":"standard","model":"opus-4","token_class":"output"} | 18014398509481986 | 2',
        ]);
    });

    test('one row by account, payer and UTC day', async () => {
        const events = [
            { account_id: 'a', output_tokens: '1' },
            { account_id: 'b', output_tokens: '2' },
            { account_id: 'b', output_tokens: '4', event_on: '2026-10-11' },
            { account_id: 'b', output_tokens: '8', event_on: '2026-10-11' },
        ];
        const paths = [{}, { account_id: 'b' }];
        const query =
            'select account_id, payer_id, event_on, quantity from compiled.metered_usage order by all';
        expect(await over({ events, paths }, query)).toEqual([
            'a | org | 2026-10-10 | 1',
            'b | org | 2026-10-10 | 2',
            'b | org | 2026-10-11 | 12',
        ]);
    });

    test('a contract that begins splits the day at its instant', async () => {
        const begins = '2026-10-10 12:00:00';
        const events = ['11:59:59.999999', '12:00:00', '13:00:00'].map((time, at) => ({
            ...{ event_at: `2026-10-10 ${time}`, output_tokens: `${2 ** at}` },
        }));
        const paths = [
            { valid_to: begins },
            { valid_from: begins, book_id: 'deal', channel_id: 'c' },
        ];
        const query =
            'select book_id, channel_id, event_on, quantity from compiled.metered_usage order by all';
        expect(await over({ events, paths }, query)).toEqual([
            'deal | c | 2026-10-10 | 6',
            'standard |  | 2026-10-10 | 1',
        ]);
    });
});

describe('30-meter: derived attributes', () => {
    const derived = 'select band, place, family, is_chat from compiled.events order by event_id';

    test('a band ends with its bound; without the quantity there is no band', async () => {
        const events = [
            { input_tokens: '0' },
            { input_tokens: '200000' },
            { input_tokens: '200001' },
            { input_tokens: null },
        ];
        expect(
            await over({ events }, 'select band from compiled.events order by event_id'),
        ).toEqual(['standard', 'standard', 'long', '_']);
    });

    test('a map says otherwise, or leaves as it is; an expression sees the event', async () => {
        const events = [
            { event_type: 'chat' },
            { region: 'us-1', model: 'haiku' },
            { region: null, model: null },
        ];
        expect(await over({ events }, derived)).toEqual([
            'standard | eu | opus | yes',
            'standard | world | haiku | no',
            'standard | world | _ | no',
        ]);
    });

    test('quotes in a map are text', async () => {
        const of = config({
            derived: { band: { map: 'model', values: { "o'p": "it's; drop table x --" } } },
        });
        const events = [{ model: "o'p" }];
        expect(await over({ config: of, events }, 'select band from compiled.events')).toEqual([
            "it's; drop table x --",
        ]);
    });
});

describe('30-meter: time', () => {
    const places =
        'select event_id, segment_at, payer_id, is_in_period from compiled.events order by event_id';

    test('usage is split at the instants at which rates change', async () => {
        const boundaries = ['2026-10-05T00:00:00Z', '2026-10-10T12:00:00Z', '2026-10-20T00:00:00Z'];
        const at = (event_at: string) => ({ event_at, output_tokens: '1' });
        const events = [
            at('2026-10-04 23:59:59.999999'),
            at('2026-10-05 00:00:00'),
            at('2026-10-10 11:59:59.999999'),
            at('2026-10-10 12:00:00'),
            at('2026-10-31 00:00:00'),
        ];
        const query = 'select segment_at, quantity from compiled.metered_usage order by segment_at';
        expect(await over({ events, boundaries }, query)).toEqual([
            '0001-01-01T00:00:00Z | 1',
            '2026-10-05T00:00:00Z | 2',
            '2026-10-10T12:00:00Z | 1',
            '2026-10-20T00:00:00Z | 1',
        ]);
    });

    test('the period is half-open, in the zone of the payer', async () => {
        // October in New York: from 04:00 UTC on the 1st to 04:00 UTC on 1 November.
        const paths = [
            {},
            {
                account_id: 'ny',
                payer_id: 'ny',
                period_start: '2026-10-01 04:00:00',
                period_end: '2026-11-01 04:00:00',
            },
        ];
        const at = (event_id: string, account_id: string, event_at: string) => ({
            event_id,
            account_id,
            event_at,
            output_tokens: '1',
        });
        const events = [
            at('a1', 'a', '2026-09-30 23:59:59'),
            at('a2', 'a', '2026-10-01 00:00:00'),
            at('a3', 'a', '2026-10-31 23:59:59'),
            at('a4', 'a', '2026-11-01 00:00:00'),
            at('n1', 'ny', '2026-10-01 03:59:59'),
            at('n2', 'ny', '2026-10-01 04:00:00'),
            at('n3', 'ny', '2026-11-01 03:59:59'),
            at('n4', 'ny', '2026-11-01 04:00:00'),
        ];
        const query = 'select event_id, is_in_period from compiled.events order by event_id';
        expect(await over({ events, paths }, query)).toEqual([
            'a1 | false',
            'a2 | true',
            'a3 | true',
            'a4 | false',
            'n1 | false',
            'n2 | true',
            'n3 | true',
            'n4 | false',
        ]);
        const sums =
            'select account_id, sum(quantity) as q from compiled.metered_usage group by all order by all';
        expect(await over({ events, paths }, sums)).toEqual(['a | 2', 'ny | 2']);
    });

    test('a payer that changes in mid-period pays from its first instant', async () => {
        const paths = [
            { payer_id: 'p1', valid_to: '2026-10-15' },
            { payer_id: 'p2', valid_from: '2026-10-15' },
        ];
        const events = [{ event_at: '2026-10-14 23:59:59' }, { event_at: '2026-10-15 00:00:00' }];
        expect(await over({ events, paths }, places)).toEqual([
            'e1 | 0001-01-01T00:00:00Z | p1 | true',
            'e2 | 0001-01-01T00:00:00Z | p2 | true',
        ]);
    });
});

describe('30-meter: the stage', () => {
    const stage = meter(config(), []);

    test('metered usage is the compiled view, row for row', () =>
        check(
            stage,
            `
            given compiled.metered_usage meter  | account_id | attributes | quantity | event_count
                                         tokens | a          | {}         | 7.5      | 3
            then metered.usage           meter  | account_id | attributes | quantity | event_count
                                         tokens | a          | {}         | 7.5      | 3
        `,
        ));

    test('no-quantity-is-negative fails when more tokens were cached than read', async () => {
        const given = (quantity: string) => `
            given compiled.metered_usage quantity
                                         ${quantity}`;
        expect(await auditRows(stage, 'no-quantity-is-negative', given('-0.000000000001'))).toBe(1);
        expect(await auditRows(stage, 'no-quantity-is-negative', given('0'))).toBe(0);
    });
});
