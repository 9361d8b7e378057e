import { describe, expect, test } from 'vitest';
import { config, over, requests } from './30-meter.world.ts';

const offPeak = {
    calendar: {
        zone: 'Asia/Shanghai',
        windows: [{ is: 'off_peak', from: '00:30', to: '08:30' }],
        otherwise: 'peak',
    },
};
const query = 'select attributes, quantity from metered.usage order by attributes';

describe('30-meter: derived attributes', () => {
    test('a calendar splits usage by the civil time of each event', async () => {
        const meter = { ...requests, where: undefined, attributes: ['off_peak'] };
        const events = ['16:29:59', '16:30:00', '20:00:00'].map((time) => ({
            event_at: `2026-10-10 ${time}`,
        }));
        const of = config({ derived: { off_peak: offPeak }, meters: [meter] });
        expect(await over({ config: of, events }, query)).toEqual([
            '{"off_peak":"off_peak"} | 2',
            '{"off_peak":"peak"} | 1',
        ]);
    });

    test('calendars in several zones stand beside each other and beside other kinds', async () => {
        const derived = {
            off_peak: offPeak,
            weekend: {
                calendar: {
                    zone: 'America/New_York',
                    windows: [{ is: 'yes', days: ['sat', 'sun'] }],
                    otherwise: 'no',
                },
            },
            hour_of_peace: { calendar: { ...offPeak.calendar, otherwise: 'none' } },
            place: { map: 'region', values: { 'eu-1': 'eu' }, otherwise: 'world' },
        };
        const attributes = ['off_peak', 'weekend', 'hour_of_peace', 'place'];
        const meters = [{ ...requests, where: undefined, attributes }];
        // Saturday 03:59 in UTC is still Friday in New York.
        const events = [{ event_at: '2026-10-10 03:59:59' }];
        expect(await over({ config: config({ derived, meters }), events }, query)).toEqual([
            '{"hour_of_peace":"none","off_peak":"peak","place":"eu","weekend":"no"} | 1',
        ]);
    });

    test('an expression that makes a number selects by its text', async () => {
        const derived = { blocks: { sql: 'least(input_tokens, 3) + 1' } };
        const meters = [{ ...requests, where: undefined, attributes: ['blocks'] }];
        const events = [{ input_tokens: '9' }, { input_tokens: '1' }];
        expect(await over({ config: config({ derived, meters }), events }, query)).toEqual([
            '{"blocks":"2"} | 1',
            '{"blocks":"4"} | 1',
        ]);
    });

    test('names that accounts have too are those of the event', async () => {
        const derived = {
            who: { sql: "account_id || '!'" },
            route: { map: 'path', values: { '/v1': 'old' }, otherwise: 'new' },
        };
        const usage = [{ name: 'gateway', prefix: 'u/', attributes: { path: 'data.path' } }];
        const meters = [{ ...requests, where: undefined, attributes: ['who', 'route'] }];
        const of = config({ derived, usage, meters });
        expect(await over({ config: of, events: [{ path: '/v1' }] }, query)).toEqual([
            '{"route":"old","who":"a!"} | 1',
        ]);
    });
});
