import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/duck/engine.ts';
import { type NightTiming, timedNight } from '../support/timed-night.ts';
import { openEngine, writeProject } from './data.ts';
import { arrive, nightAfter } from './nights.ts';
import type { Measured, Setting } from './subject.ts';

const [first, second, last] = [28, 29, 30];

/**
 * Night 30 after 29: the days before came to an earlier night at once, and day 29 to a night of its own,
 * which is the first that looks keys up and so makes those of all days. Beside it a night of as many new rows with nothing
 * before it, and one night over all 30 days. `bench:nights` runs all thirty.
 */
export async function measure(setting: Setting): Promise<Measured> {
    const duck = await openEngine(setting);
    const month = projectIn(setting, 'month');
    for (let day = 1; day <= first; day += 1) await arrive(duck, month, day);
    await timedNight(month, nightAfter(first), setting.cli);
    await arrive(duck, month, second);
    await timedNight(month, nightAfter(second), setting.cli);
    await arrive(duck, month, last);
    const after = await timedNight(month, nightAfter(last), setting.cli);
    rmSync(join(month, '.tieout'), { recursive: true });
    const once = await timedNight(month, nightAfter(last), setting.cli);
    if (once.digest !== after.digest) {
        throw new Error('night 30 after 29 has another digest than one night over all 30 days');
    }
    rmSync(month, { recursive: true });
    const parts = { 'night 30': after, alone: await alone(setting, duck), once };
    duck.close();
    return {
        parts: Object.entries(parts).map(([name, { seconds, cpu, peakBytes }]) => {
            return { name, cost: { seconds, cpu, peakBytes } };
        }),
        answer: null,
        says: `night 30 looked at ${after.lookedAt} rows`,
    };
}

/** Of day 30 alone. */
async function alone(setting: Setting, duck: Engine): Promise<NightTiming> {
    const folder = projectIn(setting, 'day');
    await arrive(duck, folder, last);
    const night = await timedNight(folder, nightAfter(last), setting.cli);
    rmSync(folder, { recursive: true });
    return night;
}

/** A project whose data is still to arrive, from where the suite made it. */
function projectIn(setting: Setting, name: string): string {
    const folder = join(setting.folder, name);
    rmSync(folder, { recursive: true, force: true });
    for (const side of ['usage', 'debits']) {
        mkdirSync(join(folder, 'data', side), { recursive: true });
    }
    symlinkSync(join(setting.folder, 'data'), join(folder, 'made'));
    writeProject(folder, { memory: setting.memory });
    return folder;
}
