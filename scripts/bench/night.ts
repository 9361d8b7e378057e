import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { quoteText } from '../../src/duck/sql.ts';
import type { Cost, Part } from '../support/cost.ts';
import { type NightTiming, spanOf, timedNight } from '../support/timed-night.ts';
import { type Answer, tenMillionths } from './answer.ts';
import { asOf, openEngine, writeProject } from './data.ts';
import type { Measured, Setting } from './subject.ts';

/** A whole night over Parquet as a process of its own: `tieout run`. */
export function measure(setting: Setting): Promise<Measured> {
    writeProject(setting.folder, { memory: setting.memory });
    return nightIn(setting, setting.folder);
}

/** The night of a project in some folder, with a state that is new. */
export async function nightIn(setting: Setting, folder: string): Promise<Measured> {
    rmSync(join(folder, '.tieout'), { recursive: true, force: true });
    const night = await timedNight(folder, asOf, setting.cli);
    return {
        parts: partsOf(night),
        answer: await answerOf(setting, night),
        says: `tieout, ${setting.threads} threads, engine.memory ${setting.memory}`,
        digest: night.digest,
    };
}

/** The whole, and what stages took of it; of those the time only. */
function partsOf(night: NightTiming): readonly Part[] {
    const { seconds, cpu, peakBytes, parts } = night;
    const timed = (at: number): Cost => ({ seconds: at, cpu: 0, peakBytes: 0 });
    const stages = parts.filter(({ name }) => /^\d\d-/.test(name));
    // Inputs are read side by side: from when the first begins to when the last is done.
    const ingest = spanOf(parts, /^(fetch|read|land) /);
    return [
        { name: 'night', cost: { seconds, cpu, peakBytes } },
        ...(ingest === null ? [] : [{ name: 'ingest', cost: timed(ingest) }]),
        ...stages.map((part) => ({ name: part.name, cost: timed(part.seconds) })),
    ];
}

/** What the night ties out by account: rated and debited. Usage it leaves to nobody would be missing. */
async function answerOf(setting: Setting, { outputs }: NightTiming): Promise<Answer> {
    const file = join(outputs, 'tie_outs.parquet');
    if (!existsSync(file)) throw new Error(`${file} is missing: was everything ingested?`);
    const duck = await openEngine(setting);
    const rows = await duck.rows(
        `select account_id, rated, debited from read_parquet(${quoteText(file)}) order by account_id`,
    );
    duck.close();
    return rows.map(({ account_id, ...amounts }) => {
        const rated = tenMillionths(String(amounts.rated), 'dollars');
        const debited = tenMillionths(String(amounts.debited), 'dollars');
        return { account: String(account_id), rated, debited, difference: rated - debited };
    });
}
