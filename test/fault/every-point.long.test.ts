import { beforeAll, expect, test } from 'vitest';
import type { Manner } from '../support/faults.ts';
import { soundNight, survives } from './every-point.world.ts';

/**
 * Every so manieth operation, and every one of the disk, the store, or a transaction in its turn.
 * TIEOUT_FAULT_STEP=1 takes them all, in hours; TIEOUT_FAULT_FIRST begins later.
 */
const step = Number(process.env.TIEOUT_FAULT_STEP ?? 53);
const first = Number(process.env.TIEOUT_FAULT_FIRST ?? 1);

let sound: Awaited<ReturnType<typeof soundNight>>;
beforeAll(async () => {
    sound = await soundNight();
});

/** Fails at each of the numbers, and tells of all that did not come out right. */
async function through(numbers: Iterable<number>, manner: Manner): Promise<number> {
    const wrong: string[] = [];
    let over = 0;
    for (const number of numbers) {
        const struck = await survives({ number, manner }, sound).catch((error: Error) => {
            wrong.push(`${error.message}, ${sound.operations[number - 1]}: ${error.cause}`);
            return '';
        });
        if (struck !== null) continue;
        over = number;
        break;
    }
    expect(wrong).toEqual([]);
    return over;
}

function* everySoMany(): Generator<number> {
    for (let number = first; ; number += step) yield number;
}

test.each<Manner>(['once', 'answered', 'for good'])(
    'operation N fails %s, until the night is over before it',
    { timeout: 36_000_000 },
    async (manner) => {
        expect(await through(everySoMany(), manner)).toBeGreaterThan(sound.operations.length);
    },
);

// What the world sees: files, objects, and where a transaction ends. Each in another manner.
test('where something becomes lasting', { timeout: 36_000_000 }, async () => {
    const lasting = sound.operations.flatMap((name, at) =>
        /^(disk|store)|^engine (open|close|commit|copy)/.test(name) ? [at + 1] : [],
    );
    const manners: readonly Manner[] = ['once', 'answered', 'for good'];
    for (const [turn, manner] of manners.entries()) {
        await through(
            lasting.filter((_, at) => at % manners.length === turn),
            manner,
        );
    }
    expect(lasting.length).toBeGreaterThan(40);
});
