import { beforeAll, expect, test } from 'vitest';
import type { Manner } from '../support/faults.ts';
import { soundNight, survives } from './every-point.world.ts';

/** Every so manieth operation; `TIEOUT_FAULT_STEP=1` takes them all, which is hours. */
const step = Number(process.env.TIEOUT_FAULT_STEP ?? 40);
const first = Number(process.env.TIEOUT_FAULT_FIRST ?? 1);

let sound: Awaited<ReturnType<typeof soundNight>>;
beforeAll(async () => {
    sound = await soundNight();
});

test.each<Manner>(['once', 'answered', 'for good'])(
    'operation N fails %s, until the night is over before it',
    { timeout: 36_000_000 },
    async (manner) => {
        const wrong: unknown[] = [];
        let number = first;
        for (; ; number += step) {
            const struck = await survives({ number, manner }, sound).catch((error) => {
                wrong.push(`${error.message}: ${sound.operations[number - 1]}: ${error.cause}`);
                return '';
            });
            if (struck === null) break;
        }
        expect(wrong).toEqual([]);
        expect(number).toBeGreaterThan(sound.operations.length);
    },
);
