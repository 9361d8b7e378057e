import { beforeAll, expect, test } from 'vitest';
import type { Manner } from '../support/faults.ts';
import { soundNight, survives } from './every-point.world.ts';

/** Where it hurts most; every point there is: every-point.long.test.ts. */
let sound: Awaited<ReturnType<typeof soundNight>>;
beforeAll(async () => {
    sound = await soundNight();
});

test.each<[string, string, Manner]>([
    ['a view of the config is made', 'engine create view "compiled"."events" as', 'once'],
    ['the tables are closed', 'engine close', 'once'],
    ['the entry of the log gets its name', 'disk link', 'answered'],
])('it fails where %s (%s, %s)', async (_where, operation, manner) => {
    const number = sound.operations.lastIndexOf(operation) + 1;
    expect(await survives({ number, manner }, sound)).toBe(operation);
});
