import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { generatedWallets, projectFiles } from '../../../fixtures/project.ts';
import { calendarSql, civilSql } from '../../../src/compile/calendar.ts';
import { loadConfig } from '../../../src/compile/config.ts';
import { Engine } from '../../../src/duck/engine.ts';
import { type Calendar, configSchema } from '../../../src/schema/config.ts';

let engine: Engine;
beforeAll(async () => {
    engine = await Engine.open({ file: ':memory:', memory: '1GB', threads: 1, spill: '/tmp' });
    await engine.run('create table events (no bigint, event_at timestamp)');
});
afterAll(() => engine.close());

const base = projectFiles({ name: 'tiny', store: { folder: 'b' }, wallets: generatedWallets });

/** A calendar as a config gives it, defaults filled in. */
function calendar(of: object): Calendar {
    const config = parse(base['tieout.yaml'] ?? '');
    const { derived } = configSchema.parse({ ...config, derived: { made: { calendar: of } } });
    const { made } = derived;
    if (!made || !('calendar' in made)) throw new Error('not a calendar');
    return made.calendar;
}

/** What the SQL makes of instants, in their order. */
async function named(of: Calendar, instants: readonly string[]): Promise<readonly string[]> {
    await engine.run('delete from events');
    const values = instants.map((at, no) => `(${no}, timestamp '${at}')`).join(', ');
    await engine.run(`insert into events values ${values}`);
    const rows = await engine.rows(
        `select ${calendarSql(of, 'civil')} as made
         from (select *, ${civilSql(of.zone)} as civil from events) order by no`,
    );
    return rows.map(({ made }) => String(made));
}

describe('calendars', () => {
    const offPeak = calendar({
        zone: 'Asia/Shanghai',
        windows: [{ is: 'off_peak', from: '00:30', to: '08:30' }],
        otherwise: 'peak',
    });

    test.each([
        ['2026-02-10 16:29:59.999999', 'peak'],
        ['2026-02-10 16:30:00', 'off_peak'],
        ['2026-02-11 00:29:59.999999', 'off_peak'],
        ['2026-02-11 00:30:00', 'peak'],
    ])('a window is [from, to) in its zone: %s is %s', async (at, expected) => {
        expect(await named(offPeak, [at])).toEqual([expected]);
    });

    test('a window over midnight belongs to the day on which it begins', async () => {
        const fridayNight = calendar({
            zone: 'UTC',
            windows: [{ is: 'night', days: ['fri'], from: '22:00', to: '06:00' }],
            otherwise: 'day',
        });
        const made = await named(fridayNight, [
            '2026-10-02 05:00:00', // Friday before dawn: Thursday's window
            '2026-10-02 22:00:00',
            '2026-10-03 05:59:59', // Saturday before dawn
            '2026-10-03 06:00:00',
            '2026-10-03 23:00:00',
        ]);
        expect(made).toEqual(['day', 'night', 'night', 'day', 'day']);
    });

    test('the first window that holds the time names it; dates and days are either', async () => {
        const of = calendar({
            zone: 'America/New_York',
            windows: [
                { is: 'holiday', dates: ['2026-12-25'] },
                { is: 'quiet', days: ['sat', 'sun'], dates: ['2026-12-24'] },
                { is: 'night', from: '22:00' },
            ],
            otherwise: 'day',
        });
        const made = await named(of, [
            '2026-12-25 04:59:59', // the 24th, one second before midnight
            '2026-12-25 05:00:00',
            '2026-12-26 04:59:59',
            '2026-12-26 05:00:00', // Saturday
            '2026-12-22 03:30:00', // Monday, 22:30
            '2026-12-22 17:00:00',
        ]);
        expect(made).toEqual(['quiet', 'holiday', 'holiday', 'quiet', 'night', 'day']);
    });

    test('the hour that comes twice is in the window both times, the skipped one is empty', async () => {
        const of = calendar({
            zone: 'America/New_York',
            windows: [{ is: 'early', from: '01:00', to: '02:00' }],
            otherwise: 'other',
        });
        // 2026-11-01: 01:00 to 02:00 is 05:00Z to 06:00Z in summer time, then 06:00Z to 07:00Z.
        const autumn = ['04:59:59', '05:00:00', '06:30:00', '06:59:59', '07:00:00'];
        expect(
            await named(
                of,
                autumn.map((time) => `2026-11-01 ${time}`),
            ),
        ).toEqual([...['other', 'early', 'early', 'early', 'other']]);
        const skipped = { ...of, windows: [{ is: 'early', from: '02:00', to: '03:00' }] };
        // 2026-03-08: the clock goes from 02:00 to 03:00 at 07:00Z.
        const spring = ['06:59:59', '07:00:00', '07:30:00'];
        expect(
            await named(
                skipped,
                spring.map((time) => `2026-03-08 ${time}`),
            ),
        ).toEqual([...['other', 'other', 'other']]);
    });

    test('any calendar says what reading the wall clock for every event says', async () => {
        await fc.assert(
            fc.asyncProperty(
                anyCalendar,
                fc.array(anyInstant, { minLength: 1 }),
                async (of, at) => {
                    const made = await named(
                        calendar(of),
                        at.map((millis) => sqlText(millis)),
                    );
                    expect(made).toEqual(at.map((millis) => slowly(calendar(of), millis)));
                },
            ),
            { numRuns: 150 },
        );
    });
});

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const anyTime = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30, 59))
    .map(([hour, minute]) => [hour, minute].map((of) => String(of).padStart(2, '0')).join(':'));
const anyDate = fc
    .constantFrom(...[31, 1, 8, 25, 28, 29].entries())
    .map(
        ([month, day]) =>
            `2026-${['10', '11', '03', '10', '02', '03'][month]}-${String(day).padStart(2, '0')}`,
    );
const anyWindow = fc
    .record(
        {
            is: fc.constantFrom('a', 'b'),
            days: fc.uniqueArray(fc.constantFrom(...days), { minLength: 1 }),
            dates: fc.array(anyDate, { minLength: 1 }),
            from: anyTime,
            to: fc.oneof(anyTime, fc.constant('24:00')),
        },
        { requiredKeys: ['is'] },
    )
    .filter(({ from, to }) => (from ?? '00:00') !== (to ?? '24:00'));
const anyCalendar = fc.record({
    zone: fc.constantFrom('UTC', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'),
    windows: fc.array(anyWindow, { minLength: 1, maxLength: 3 }),
    otherwise: fc.constant('none'),
});
/** Half of them around the changes of the clocks. */
const anyInstant = fc
    .tuple(
        fc.constantFrom('2026-03-08T07:00:00Z', '2026-11-01T06:00:00Z', '2026-04-04T15:00:00Z'),
        fc.oneof(fc.integer({ min: -180, max: 180 }), fc.integer({ min: -40_000, max: 40_000 })),
    )
    .map(([around, minutes]) => Date.parse(around) + minutes * 60_000);

const sqlText = (millis: number) => new Date(millis).toISOString().slice(0, 19).replace('T', ' ');

/** The value for one event, by the wall clock that JavaScript reads. */
function slowly({ zone, windows, otherwise }: Calendar, millis: number): string {
    const text = new Intl.DateTimeFormat('sv-SE', {
        timeZone: zone,
        dateStyle: 'short',
        timeStyle: 'medium',
    }).format(millis);
    const [today = '', time = ''] = text.split(' ');
    const before = new Date(Date.parse(today) - 86_400_000).toISOString().slice(0, 10);
    const begins = (of: Calendar['windows'][number], date: string) => {
        const day = days[(new Date(date).getUTCDay() + 6) % 7] ?? '';
        if (!of.days && !of.dates) return true;
        return Boolean(of.days?.some((name) => name === day) || of.dates?.includes(date));
    };
    const found = windows.find((of) => {
        const [from, to] = [`${of.from}:00`, `${of.to}:00`];
        if (from < to) return begins(of, today) && time >= from && time < to;
        return (begins(of, today) && time >= from) || (begins(of, before) && time < to);
    });
    return found?.is ?? otherwise;
}

describe('a calendar that cannot be read', () => {
    /** Line, code, message and remedy of every problem of a config with this calendar. */
    function problems(of: object): readonly string[] {
        const config = { ...parse(base['tieout.yaml'] ?? ''), derived: { off: { calendar: of } } };
        const texts = { ...base, 'tieout.yaml': stringify(config) };
        const loaded = loadConfig('tieout.yaml', (path) =>
            path in texts ? (texts[path as keyof typeof texts] ?? '') : '[]',
        );
        return ('problems' in loaded ? loaded.problems : [])
            .filter(({ path }) => path?.startsWith('derived'))
            .map(({ path, code, message, remedy }) =>
                [`${path}: ${code} ${message}`, remedy].filter(Boolean).join(' -> '),
            );
    }

    test('what cannot be: all of it at once', () => {
        const windows = [
            { is: 'a', from: '8:30', to: '24:00' },
            { is: 'b', from: '24:00', to: '08:60' },
            { is: 'c', from: '08:30', to: '08:30:00' },
            { is: 'd', dates: ['2026-02-16', '2026-02-30', 'Monday'] },
        ];
        expect(problems({ zone: 'Asia/Shangai', windows, otherwise: 'peak' })).toEqual([
            'derived.off.calendar.zone: UNKNOWN_ZONE Asia/Shangai is not an IANA time zone -> Did you mean Asia/Shanghai?',
            'derived.off.calendar.windows.0.from: BAD_TIME 8:30 is not a time of the day -> Write it like "08:30" or "08:30:15"; only `to` can be "24:00".',
            'derived.off.calendar.windows.1.from: BAD_TIME 24:00 is not a time of the day -> Write it like "08:30" or "08:30:15"; only `to` can be "24:00".',
            'derived.off.calendar.windows.1.to: BAD_TIME 08:60 is not a time of the day -> Write it like "08:30" or "08:30:15"; only `to` can be "24:00".',
            'derived.off.calendar.windows.2: EMPTY_WINDOW the window ends at 08:30:00, when it begins -> Leave from and to out for a whole day.',
            'derived.off.calendar.windows.3.dates.1: BAD_DATE 2026-02-30 is not a date -> Write it like "2026-02-16".',
            'derived.off.calendar.windows.3.dates.2: BAD_DATE Monday is not a date -> Write it like "2026-02-16".',
        ]);
    });

    test('keys and days that are not known, with those that were meant', () => {
        const windows = [{ is: 'a', day: ['mon'], days: ['mo', 'tue'] }, { from: '08:00' }];
        expect(problems({ zone: 'UTC', windows, othervise: 'peak' })).toEqual([
            'derived.off.calendar.windows.0.days.0: CONFIG_INVALID "mo" is not a day of the week. Did you mean "mon"?',
            'derived.off.calendar.windows.0.day: CONFIG_INVALID unknown key "day". Did you mean "days"?',
            'derived.off.calendar.windows.1.is: CONFIG_INVALID is is missing -> Write `is:` here, with text.',
            'derived.off.calendar.otherwise: CONFIG_INVALID otherwise is missing -> Write `otherwise:` here, with text.',
            'derived.off.calendar.othervise: CONFIG_INVALID unknown key "othervise". Did you mean "otherwise"?',
        ]);
    });
});
