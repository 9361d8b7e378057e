import { unitsText } from '../support/exact.ts';
import type { Day, Entry } from './injection.world.ts';
import { period, tokenRate } from './injection.world.ts';
import {
    atoms,
    extra,
    type Found,
    type Injector,
    instead,
    later,
    money,
    type Place,
    parentOf,
    parts,
    short,
    sibling,
    tokens,
    unit,
    units,
    unpriced,
} from './injectors.ts';

type Inject = Injector['inject'];

/** An injector that books other entries for an event: what they are, and what is found then. */
const booking =
    (entries: (place: Place) => readonly Entry[], found: (place: Place) => Found): Inject =>
    (place) => {
        const wanted = found(place);
        instead(place, entries(place));
        return [wanted];
    };
const of = (
    on: Injector['on'],
    title: string,
    entries: (place: Place) => readonly Entry[],
    found: (place: Place) => Found,
    more: Partial<Injector> = {},
): Injector => ({ on, title, inject: booking(entries, found), ...more });

/** One more entry that belongs to no usage, made of an event's capture. */
const stray = (
    on: Injector['on'],
    title: string,
    entries: (place: Place) => readonly Entry[],
    found: (place: Place) => readonly Found[],
): Injector => ({
    ...{ on, title },
    inject: (place) => {
        place.books.strays.push(...entries(place));
        return found(place);
    },
});

const isVisible = ({ worth }: Place) => worth >= unit / 50n;
const capture = (place: Place, change: Partial<Entry> = {}): Entry => ({
    ...parts(place).capture,
    ...change,
});
const again = (place: Place, change: Partial<Entry> = {}): Entry => {
    const first = capture(place);
    const booked_at = later(first.booked_at, 2);
    return { ...first, entry_id: `${first.entry_id}-again`, booked_at, ...change };
};
const heldFor = (place: Place, amount: bigint) => ({ ...parts(place).hold, amount: units(amount) });
const held = (place: Place) => BigInt(parts(place).hold.amount) * unit;
const nextPeriod = later(period.end, 1800);
const days = (place: Place) => place.life as Day;
const counts = ({ life }: Place) => life.usage.length >= 2;

/** A second debit stands beside the match: it takes no event out of it. */
const second = (place: Place, amount: bigint): Found => ({
    ...extra(place, place.event.id, amount),
});

/** The debit is elsewhere: usage on its own account, what was taken on another. */
const displaced = (place: Place, account_id: string, asset = place.asset): Found =>
    short(place, place.worth, {
        legs: [
            [place.account_id, place.asset, place.worth],
            [account_id, asset, -place.captured],
        ],
    });
const moved = (place: Place, change: Partial<Entry>) =>
    place.entries.map((entry) => ({ ...entry, ...change }));

/** A life of an event that nobody used. */
const ghost = (place: Place): readonly Entry[] =>
    place.entries.map((entry) => ({
        ...entry,
        entry_id: `${entry.entry_id}-ghost`,
        event_id: `${place.event.id}-ghost`,
        ...(entry.authorization_id ? { authorization_id: `${entry.authorization_id}-ghost` } : {}),
    }));

/** Something about a whole wallet, which moves no tie-out. */
function ofWallet(
    title: string,
    worth: null | 'overdrawn',
    spoil: (place: Place, wallet: string) => void,
): readonly Injector[] {
    return (['instant', 'two_phase'] as const).map((on) => ({
        ...{ on, title, isOfWallet: true },
        inject: (place) => {
            const { account_id, asset } = place;
            const key = `w-${account_id}-${asset}`;
            spoil(place, key);
            return [{ key, account_id, asset, amount: 0n, money: worth, unmatched: 0 }];
        },
    }));
}

/** A debit of units says what it was in money, and we say something else. */
function converting(title: string, currency: string): Injector {
    return {
        ...{ on: 'two_phase', title, isOfWallet: true },
        inject: (place) => {
            const { account_id, asset, worth } = place;
            const half = ((worth / unit) * atoms(tokenRate)) / 2n;
            const said = { money_amount: unitsText(half, 12), money_currency: currency };
            instead(
                place,
                place.entries.map((entry) =>
                    entry.entry_type === 'capture' ? { ...entry, ...said } : entry,
                ),
            );
            const key = `${account_id}|${asset}|${currency}`;
            const differs = currency === 'USD' ? half : null;
            return [{ key, account_id, asset, amount: 0n, money: differs, unmatched: 0 }];
        },
    };
}

/** By code: everything that a night must call by it. */
export const injections: Readonly<Record<string, readonly Injector[]>> = {
    METERED_NOT_DEBITED: [
        of('instant', 'no debit', () => [], short),
        of('two_phase', 'no authorization', () => [], short),
        of(
            'aggregated',
            'no debit of a day',
            () => [],
            (day) => short(day, day.worth, { unmatched: days(day).usage.length }),
            { fits: counts },
        ),
    ],
    DEBITED_NOT_METERED: [
        {
            ...{ on: 'instant', title: 'the usage is lost', isOfUsage: true },
            inject: (place) => {
                const found = { ...extra(place, place.event.id, place.captured), unmatched: 1 };
                place.life.usage = [];
                return [found];
            },
        },
        stray('instant', 'a debit of an event that is not', ghost, (place) => [
            extra(place, `${place.event.id}-ghost`, place.captured),
        ]),
        stray('two_phase', 'a hold and capture of an event that is not', ghost, (place) => [
            extra(place, `${place.event.id}-ghost`, place.captured),
        ]),
        of(
            'aggregated',
            'a debit of a day without usage',
            (day) => [quietDebit(day)],
            (day) => extra(day, day.event.id, 3n * unit),
            { fits: ({ life }) => life.usage.length === 0 },
        ),
    ],
    METERED_ON_DECLINED: [
        of(
            'two_phase',
            'refused',
            (place) => [{ ...parts(place).hold, entry_type: 'decline' }],
            short,
        ),
    ],
    METERED_ON_RELEASED: [
        of(
            'two_phase',
            'given back unspent',
            (place) => [parts(place).hold, parts(place).end('release', held(place))],
            short,
        ),
    ],
    METERED_ON_EXPIRED: [
        of(
            'two_phase',
            'lapsed after an hour',
            (place) => [parts(place).hold, parts(place).end('expire', held(place), 3600)],
            short,
        ),
    ],
    METERED_ON_REVERSED: [
        of('instant', 'undone', (place) => [capture(place), undone(place)], short),
        of('two_phase', 'undone', (place) => [...place.entries, undone(place)], short),
        of(
            'instant',
            'a part given back',
            (place) => [
                capture(place),
                undone(place, { entry_type: 'refund', amount: money(place.captured / 3n) }),
            ],
            (place) => short(place, place.worth - place.captured + floor(place.captured / 3n)),
            { fits: isVisible },
        ),
    ],
    OPEN_HOLD: [
        of('two_phase', 'used, held, never captured', (place) => [parts(place).hold], short),
        stray(
            'two_phase',
            'held for nothing',
            (place) => ghost(place).filter(({ entry_type }) => entry_type === 'authorize'),
            (place) => [
                {
                    ...extra(place, `${parts(place).hold.authorization_id}-ghost`, 0n),
                    ...{ amount: 0n, money: 0n },
                },
            ],
        ),
    ],
    OVER_CAPTURE: [
        of(
            'two_phase',
            'more taken than held',
            (place) => [
                parts(place).hold,
                capture(place, { amount: units(held(place) + 1000n * unit) }),
            ],
            (place) => short(place, place.worth - held(place) - 1000n * unit),
        ),
    ],
    UNDER_CAPTURE: [
        of(
            'two_phase',
            'the rest never given back',
            (place) => [heldFor(place, place.worth + 500n * unit), capture(place)],
            (place) => short(place, 0n),
        ),
    ],
    AMOUNT_PRICE: [
        of(
            'instant',
            'a tenth off',
            (place) => [capture(place, { amount: money((place.captured * 9n) / 10n) })],
            (place) => short(place, place.worth - floor((place.captured * 9n) / 10n)),
            { fits: isVisible },
        ),
        of(
            'instant',
            'a tenth dearer',
            (place) => [capture(place, { amount: money((place.captured * 11n) / 10n) })],
            (place) => short(place, place.worth - floor((place.captured * 11n) / 10n)),
            { fits: isVisible },
        ),
    ],
    AMOUNT_QUANTITY: [
        of(
            'instant',
            'a quarter of the tokens not counted',
            (place) => [
                capture(place, {
                    amount: money((place.captured * 3n) / 4n),
                    quantity: String((BigInt(capture(place).quantity ?? '0') * 3n) / 4n),
                }),
            ],
            (place) => short(place, place.worth - floor((place.captured * 3n) / 4n)),
            { fits: isVisible },
        ),
        of(
            'two_phase',
            'one token too few',
            (place) => [
                parts(place).hold,
                capture(place, { amount: units(place.worth - unit) }),
                parts(place).end('release', held(place) - place.worth + unit),
            ],
            (place) => short(place, unit),
        ),
        of(
            'aggregated',
            'one request too many',
            (day) => [{ ...day.entries[0]!, amount: String(days(day).usage.length + 1) }],
            (day) => short(day, -unit, { unmatched: days(day).usage.length }),
            { fits: counts },
        ),
    ],
    UNIT_MISMATCH: [
        of(
            'instant',
            'a thousand times the money',
            (place) => [capture(place, { amount: money(place.captured * 1000n) })],
            (place) => short(place, place.worth - place.captured * 1000n),
            { fits: isVisible },
        ),
        of(
            'instant',
            'for thousands of tokens',
            (place) => [capture(place, { quantity: units(tokensOf(place) / 1000n) })],
            (place) => short(place, place.worth - place.captured),
        ),
        of(
            'two_phase',
            'thousands for tokens',
            (place) => [
                parts(place).hold,
                capture(place, { amount: units(place.worth / 1000n) }),
                parts(place).end('release', held(place) - place.worth / 1000n),
            ],
            (place) => short(place, place.worth - place.worth / 1000n),
        ),
        of(
            'aggregated',
            'sixty times the requests',
            (day) => [{ ...day.entries[0]!, amount: String(days(day).usage.length * 60) }],
            (day) => short(day, -59n * day.worth, { unmatched: days(day).usage.length }),
            { fits: counts },
        ),
    ],
    DUP_DEBIT_SAME: [
        of(
            'instant',
            'booked twice',
            (place) => [capture(place), again(place)],
            (place) => second(place, place.captured),
        ),
        of(
            'two_phase',
            'captured twice, beyond the hold',
            (place) => [heldFor(place, place.worth), capture(place), again(place)],
            (place) => second(place, place.captured),
        ),
    ],
    DUP_DEBIT_CONFLICT: [
        of(
            'instant',
            'booked twice, the second time half a dollar more',
            (place) => [
                capture(place),
                again(place, { amount: money(place.captured + unit / 2n) }),
            ],
            (place) => second(place, place.captured + unit / 2n),
        ),
        of(
            'two_phase',
            'captured twice, the second time a token more',
            (place) => [
                heldFor(place, place.worth),
                capture(place),
                again(place, { amount: units(place.worth + unit) }),
            ],
            (place) => second(place, place.worth + unit),
        ),
    ],
    TIMING_CUTOFF: [
        of(
            'instant',
            'debited in the next period',
            (place) => [capture(place, { booked_at: nextPeriod })],
            short,
        ),
        of(
            'two_phase',
            'captured in the next period',
            (place) =>
                place.entries.map((entry) =>
                    entry.entry_type === 'authorize' ? entry : { ...entry, booked_at: nextPeriod },
                ),
            short,
        ),
        of(
            'aggregated',
            'the debit of a day booked in the next period',
            (day) => day.entries.map((entry) => ({ ...entry, booked_at: nextPeriod })),
            (day) => short(day, day.worth, { unmatched: days(day).usage.length }),
            { fits: counts },
        ),
        {
            ...{ on: 'instant', title: 'used in the period before' },
            inject: (place) => {
                const id = `${place.event.id}-early`;
                const early = { ...place.event, id, time: later(period.start, -1) };
                const entry = again(place, { event_id: id, booked_at: later(period.start, 1) });
                place.books.lives.set(id, { usage: [early], entries: [entry] });
                return [extra(place, id, place.captured)];
            },
        },
    ],
    ASSET_MISMATCH: [
        of(
            'instant',
            'euros for dollars',
            (place) => [capture(place, { asset: 'EUR' })],
            (place) => displaced(place, place.account_id, 'EUR'),
        ),
        of(
            'two_phase',
            'held and taken in another unit',
            (place) => moved(place, { asset: 'REQ' }),
            (place) => displaced(place, place.account_id, 'REQ'),
        ),
    ],
    ACCOUNT_MISMATCH: [
        of(
            'instant',
            'another team',
            (place) => moved(place, { account_id: sibling(place) }),
            (place) => displaced(place, sibling(place)),
        ),
        of(
            'two_phase',
            'another customer',
            (place) => moved(place, { account_id: sibling(place) }),
            (place) => displaced(place, sibling(place)),
        ),
    ],
    HIERARCHY_MISMATCH: [
        of(
            'instant',
            'the payer was debited',
            (place) => moved(place, { account_id: parentOf(place.books, place.account_id) }),
            (place) => displaced(place, parentOf(place.books, place.account_id)),
        ),
        of(
            'two_phase',
            'the reseller was debited',
            (place) => moved(place, { account_id: parentOf(place.books, place.account_id) }),
            (place) => displaced(place, parentOf(place.books, place.account_id)),
        ),
    ],
    SPLIT_INCOMPLETE: [
        of(
            'instant',
            'a grant of three is missing',
            (place) => [
                part(capture(place), 'g1', place.captured / 2n),
                part(again(place), 'g2', place.captured / 4n),
            ],
            (place) =>
                short(place, place.worth - floor(place.captured / 2n) - floor(place.captured / 4n)),
            { fits: isVisible },
        ),
    ],
    ORPHAN_REVERSAL: (['instant', 'two_phase'] as const).map((on) =>
        stray(
            on,
            'of a debit that is not in the log',
            (place) => [orphan(place)],
            (place) => [extra(place, orphan(place).entry_id, -unit / 4n)],
        ),
    ),
    LIFECYCLE_INVALID: (['release', 'expire'] as const).map((type) =>
        of(
            'two_phase',
            `captured after ${type}`,
            (place) => [
                parts(place).hold,
                parts(place).end(type, held(place)),
                capture(place, { booked_at: later(capture(place).booked_at, 3) }),
            ],
            (place) => short(place, 0n),
        ),
    ),
    SEQUENCE_GAP: ofWallet('a number is missing', null, (place, wallet) => {
        place.books.gaps.set(wallet, later(place.event.time, 1));
    }),
    BALANCE_DISCONTINUITY: ofWallet('it holds one more', null, (place, wallet) => {
        place.books.jumps.set(wallet, later(place.event.time, 1));
    }),
    OVERDRAFT: ofWallet('it began with nothing', 'overdrawn', (place, wallet) => {
        place.books.empty.add(wallet);
    }),
    CONVERSION_RATE: [converting('at half of our rate', 'USD')],
    CONVERSION_MISSING: [converting('into a currency without a rate', 'EUR')],
    DUP_METER_CONFLICT: (['instant', 'two_phase', 'aggregated'] as const).map((on) => ({
        ...{ on, title: 'sent twice, the second time with more output' },
        inject: ({ life, account_id, asset }) => {
            const [first] = life.usage;
            const data = { ...first!.data, output_tokens: first!.data.output_tokens + 7 };
            life.usage = [...life.usage, { ...first!, data }];
            const none = { amount: 0n, money: 0n, unmatched: 0 };
            return [{ key: first!.id, account_id, asset, ...none }];
        },
    })),
    UNRATED: [
        ...(['instant', 'two_phase'] as const).map(
            (on): Injector => ({
                ...{ on, title: 'a model without a price', isOfUsage: true },
                inject: (place) => {
                    place.life.usage = place.life.usage.map(unpriced);
                    const amount = on === 'instant' ? -place.captured : 0n;
                    return [short(place, amount, { money: null })];
                },
            }),
        ),
        {
            ...{ on: 'aggregated', title: 'a day with one event of no price', isOfUsage: true },
            fits: counts,
            inject: (day) => {
                const found = short(day, 0n, { money: null, unmatched: days(day).usage.length });
                const [first, ...rest] = day.life.usage;
                day.life.usage = [unpriced(first!), ...rest];
                return [found];
            },
        },
    ],
};

/** What is wrong and no break: it is counted, and the night finds nothing. */
export const counted: Readonly<Record<string, readonly Injector[]>> = {
    DUP_METER_SAME: [
        {
            ...{ on: 'instant', title: 'sent twice' },
            inject: ({ life }) => {
                life.usage = [...life.usage, ...life.usage];
                return [];
            },
        },
    ],
    AMOUNT_ROUNDING: [
        {
            ...{ on: 'instant', title: 'within what rounding can make' },
            inject: (place) => {
                const amount = place.worth + 4n * 10n ** 5n;
                const text = `${amount / unit}.${String(amount % unit).padStart(12, '0')}`;
                instead(place, [capture(place, { amount: text })]);
                return [];
            },
        },
    ],
    NON_USAGE: (['topup', 'grant', 'grant_expire', 'adjust'] as const).map((entry_type) => ({
        ...{ on: 'instant' as const, title: entry_type },
        inject: (place) => {
            const { event_id: _, occurred_at: __, quantity: ___, ...entry } = again(place);
            const entry_id = `${entry.entry_id}-${entry_type}`;
            place.books.strays.push({ ...entry, entry_type, entry_id, amount: '5' });
            return [];
        },
    })),
};

/** What no night of one period can find in its data, and where it is found instead. */
export const elsewhere: Readonly<Record<string, string>> = {
    TIMING_LATE: 'of a period that is closed: a backfill tells of it',
};

const floor = (amount: bigint) => (amount / 10n ** 6n) * 10n ** 6n;
const tokensOf = ({ event }: Place) => tokens(event);

/** A part of a debit, from one grant. */
function part({ quantity: _, ...entry }: Entry, grant_id: string, amount: bigint): Entry {
    return { ...entry, grant_id, amount: money(amount) };
}

function undone(place: Place, change: Partial<Entry> = {}): Entry {
    const of = capture(place);
    return {
        ...{ ...of, entry_id: `${of.entry_id}-undone`, entry_type: 'reverse' },
        ...{ booked_at: later(of.booked_at, 300), reversal_of: of.entry_id, ...change },
    };
}

function orphan(place: Place): Entry {
    const { event_id: _, authorization_id: __, quantity: ___, ...of } = capture(place);
    const entry_id = `${of.entry_id}-orphan`;
    return { ...of, entry_id, entry_type: 'reverse', amount: '0.25', reversal_of: 'gone' };
}

/** A debit of a day of an account, like those of its other days. */
function quietDebit({ books, event, account_id }: Place): Entry {
    const like = [...books.days.values()].find(
        (day) => day.account_id === account_id && day.entries.length > 0,
    )!.entries[0]!;
    const day = event.id.split('|')[1] ?? '';
    return {
        ...{ ...like, entry_id: `${like.entry_id}-${day}`, amount: '3' },
        ...{ booked_at: `${day}T23:59:59.000Z`, occurred_at: `${day}T00:00:00.000Z` },
    };
}
