import { describe, expect, test } from 'vitest';
import { config, gpu, over, requests, type Values } from './30-meter.world.ts';

describe('30-meter: the worth of an event', () => {
    const of = (token_class: string, unit_price: string, model = 'opus-4'): Values => ({
        attributes: `{"band":"standard","model":"${model}","token_class":"${token_class}"}`,
        unit_price,
    });
    const worth =
        'select event_id, is_unrated, rated_amount from compiled.event_values order by event_id';

    test('every class at the price that was chosen for it', async () => {
        const events = [{ input_tokens: '1000', cached_tokens: '400', output_tokens: '50' }];
        const prices = [of('input', '0.01'), of('cache_read', '0.001'), of('output', '0.1')];
        expect(await over({ events, prices }, worth)).toEqual(['e1 | false | 11.4']);
    });

    test('a class without a price makes the event unrated; its other classes keep their worth', async () => {
        const events = [
            { input_tokens: '1000', cached_tokens: '400' },
            { input_tokens: '1000', cached_tokens: '0' },
            { input_tokens: '1000', model: 'new' },
        ];
        const prices = [of('input', '0.01')];
        expect(await over({ events, prices }, worth)).toEqual([
            'e1 | true | 6',
            'e2 | false | 10',
            'e3 | true | 0',
        ]);
    });

    test.each([
        // On both sides of what whole numbers of 18 digits hold, for three classes.
        ['0.1', '3000000', '300000'],
        ['0.1', '3000001', '300000.1'],
        ['0.000000000001', '300000000000000000', '300000'],
        ['0.000000000001', '300000000000000001', '300000.000000000001'],
        ['999.999999999999', '300', '299999.9999999997'],
        ['999.999999999999', '301', '300999.999999999699'],
        ['1000', '1000000000', '1000000000000'],
        ['0', '9000000000000000000', '0'],
        ['0.1', '-7', '-0.7'],
    ])('a price of %s for %s is worth %s', async (price, quantity, amount) => {
        const events = [{ output_tokens: quantity }];
        const prices = [of('input', '1'), of('cache_read', '1'), of('output', price)];
        expect(await over({ events, prices }, worth)).toEqual([`e1 | false | ${amount}`]);
    });

    test('a quantity that is not there is neither priced nor unrated', async () => {
        const both = config({
            meters: [...config().meters, { ...gpu, event_type: undefined }, requests],
            derived: { ...config().derived },
        });
        const events = [{ output_tokens: '10', gpu_seconds: null, region: null }];
        expect(await over({ config: both, events, prices: [of('output', '0.1')] }, worth)).toEqual([
            'e1 | false | 1',
        ]);
    });

    test('the price of the segment of the event, in the currency of its payer', async () => {
        const boundaries = ['2026-10-05T00:00:00Z'];
        const events = [
            { output_tokens: '1', event_at: '2026-10-04 23:59:59' },
            { output_tokens: '1', event_at: '2026-10-05 00:00:00' },
        ];
        const prices = [
            of('output', '0.1'),
            { ...of('output', '0.2'), segment_at: '2026-10-05' },
            { ...of('output', '9'), currency: 'EUR' },
        ];
        expect(await over({ events, prices, boundaries }, worth)).toEqual([
            'e1 | false | 0.1',
            'e2 | false | 0.2',
        ]);
    });

    test('what the wallet counts, by the asset of the wallet', async () => {
        const counting = config({ counts: { tokens: 'input_tokens + output_tokens' } });
        const events = [
            { input_tokens: '7', output_tokens: '2' },
            { account_id: 'b', input_tokens: '7', output_tokens: '2' },
        ];
        const paths = [{ wallet_asset: 'TOK' }, { account_id: 'b' }];
        const query =
            'select account_id, counted_quantity from compiled.event_values order by account_id';
        expect(await over({ config: counting, events, paths }, query)).toEqual(['a | 9', 'b | _']);
    });

    const paidFor = 'select event_id, products from compiled.event_values order by event_id';
    const and = '\u001f';

    test('the products of its prices, each once, whatever the class', async () => {
        const prices = [
            { ...of('input', '1'), product: 'reading' },
            { ...of('output', '1'), product: 'writing' },
            { ...of('cache_read', '1'), product: 'reading' },
            { ...of('input', '1', 'other'), product: 'other' },
        ];
        const events = [{ input_tokens: '1' }, { input_tokens: '1', model: 'other' }];
        expect(await over({ events, prices }, paidFor)).toEqual([
            `e1 | reading${and}writing`,
            'e2 | other',
        ]);
    });

    test('the products of all its meters; none where its wallet is postpaid', async () => {
        const both = config({ meters: [...config().meters, requests] });
        const prices = [
            { ...of('input', '1'), product: 'llm' },
            {
                ...of('input', '1'),
                product: 'calls',
                meter: 'requests',
                attributes: '{"place":"eu"}',
            },
        ];
        const events = [{ input_tokens: '1' }, { account_id: 'b', input_tokens: '1' }];
        const paths = [{}, { account_id: 'b', is_prepaid: 'false' }];
        expect(await over({ config: both, events, prices, paths }, paidFor)).toEqual([
            `e1 | llm${and}calls`,
            'e2 | ',
        ]);
    });

    test('an event is worth what the cards of its book say', async () => {
        const events = [{ output_tokens: '10' }, { account_id: 'b', output_tokens: '10' }];
        const paths = [{}, { account_id: 'b', book_id: 'deal' }];
        const prices = [of('output', '3'), { ...of('output', '2'), book_id: 'deal' }];
        const query =
            'select account_id, rated_amount from compiled.event_values order by account_id';
        expect(await over({ events, paths, prices }, query)).toEqual(['a | 30', 'b | 20']);
    });

    test('the worth of all events of a period is what their quantities cost', async () => {
        const events = [
            { input_tokens: '1003', cached_tokens: '401', output_tokens: '57' },
            { input_tokens: '300000', cached_tokens: '1', output_tokens: '3' },
            { input_tokens: '200000', cached_tokens: '199999', output_tokens: '0' },
        ];
        const prices = ['standard', 'long'].flatMap((band) =>
            ['input', 'cache_read', 'output'].map((token_class, index) => ({
                ...of(token_class, `0.00000${index + (band === 'long' ? 4 : 1)}3`),
                attributes: `{"band":"${band}","model":"opus-4","token_class":"${token_class}"}`,
            })),
        );
        const query = `select (select sum(rated_amount) from compiled.event_values)
            = (select sum(quantity * unit_price) from compiled.metered_usage
                inner join rated.rate_choices using (meter, attributes, segment_at)) as agrees`;
        expect(await over({ events, prices }, query)).toEqual(['true']);
    });
});
