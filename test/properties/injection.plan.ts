import type { Random } from '../../fixtures/generator/random.ts';
import type { Books, Day, Life, Shape } from './injection.world.ts';
import { shapeOf } from './injection.world.ts';
import { type Found, type Injector, type Place, placeOf } from './injectors.ts';

/** What was done to books, and what a night over them must say. */
export interface Injected {
    readonly code: string;
    readonly injector: Injector;
    readonly found: readonly (Found & { readonly code: string })[];
    readonly place: Place;
}

interface Spot {
    readonly key: string;
    readonly life: Life | Day;
    readonly account_id: string;
    readonly at: string;
}

/** Places of one shape in books, by account and time, and which of them are spoilt already. */
export class Spots {
    readonly #books: Books;
    readonly #byShape: ReadonlyMap<Shape, readonly Spot[]>;
    readonly #taken = new Set<string>();

    constructor(books: Books) {
        this.#books = books;
        const lives = [...books.lives].map(([key, life]): Spot => {
            const { subject, time } = life.usage[0]!;
            return { key, life, account_id: subject, at: time };
        });
        const days = [...books.days].map(
            ([key, day]): Spot => ({ key, life: day, account_id: day.account_id, at: day.day }),
        );
        // Not on the edges of the period: what follows an event is to be in it too.
        const spots = [...lives, ...days]
            .filter(({ at }) => at > '2026-10-02' && at < '2026-10-30')
            .sort((one, other) =>
                `${one.account_id} ${one.at} ${one.key}` <
                `${other.account_id} ${other.at} ${other.key}`
                    ? -1
                    : 1,
            );
        this.#byShape = Map.groupBy(spots, ({ account_id }) => shapeOf(account_id));
    }

    /** Spoils one place that fits, the first from a random one on. @throws RangeError without any. */
    inject(code: string, injector: Injector, random: Random): Injected {
        const spots = this.#byShape.get(injector.on) ?? [];
        const first = random.int(0, spots.length - 1);
        for (let step = 0; step < spots.length; step += 1) {
            const spot = spots[(first + step) % spots.length]!;
            if (this.#fits(code, injector, spot)) return this.#spoil(code, injector, spot);
        }
        throw new RangeError(`nothing to inject ${code} into: ${injector.title}`);
    }

    /** Spoils two places that are next to each other on one account, if both injectors fit any. */
    injectBeside(
        one: readonly [string, Injector],
        other: readonly [string, Injector],
        random: Random,
    ): readonly Injected[] | undefined {
        const spots = this.#byShape.get(one[1].on) ?? [];
        const start = random.int(0, spots.length - 1);
        for (let step = 0; step < spots.length; step += 1) {
            const at = (start + step) % spots.length;
            const [spot, next] = [spots[at], spots[at + 1]];
            if (!spot || next?.account_id !== spot.account_id) continue;
            for (const [first, second] of [
                [one, other],
                [other, one],
            ] as const) {
                if (this.#fits(...first, spot) && this.#fits(...second, next)) {
                    return [this.#spoil(...first, spot), this.#spoil(...second, next)];
                }
            }
        }
        return undefined;
    }

    #fits(code: string, injector: Injector, spot: Spot): boolean {
        const isTaken = injector.isOfWallet && this.#taken.has(`${code} ${spot.account_id}`);
        if (isTaken || this.#taken.has(spot.key)) return false;
        const isQuiet = spot.life.usage.length === 0;
        const place = placeOf(this.#books, spot.life, spot.key);
        return injector.fits ? injector.fits(place) : !isQuiet;
    }

    #spoil(code: string, injector: Injector, spot: Spot): Injected {
        this.#taken.add(spot.key);
        if (injector.isOfWallet) this.#taken.add(`${code} ${spot.account_id}`);
        const place = placeOf(this.#books, spot.life, spot.key);
        const found = injector.inject(place).map((of) => ({ code, ...of }));
        return { code, injector, found, place };
    }
}
