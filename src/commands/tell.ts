import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseYaml } from '../compile/yaml.ts';
import { notify } from '../notify/notify.ts';
import { findConfig } from '../run/project.ts';
import { type Notify, notifySchema } from '../schema/notice.ts';
import type { Outcome } from '../schema/outcome.ts';
import type { CommandContext } from './command.ts';

/**
 * Tells those whom `notify` names what a command came to. Never throws: gives null, or a warning.
 */
export async function tell(outcome: Outcome, context: CommandContext): Promise<string | null> {
    const { effects, environment } = context;
    try {
        const settings = notifyOf(context);
        return settings && (await notify(outcome, settings, environment, effects.now()));
    } catch {
        return 'the notice could not be made'; // its message might hold what it is about
    }
}

const onlyNotify = z.looseObject({ notify: notifySchema.optional() });

/** `notify` of the config alone: that the rest of it is wrong is news as well. */
function notifyOf({ configFile, cwd }: CommandContext): Notify | null {
    try {
        const file = configFile ?? findConfig(cwd);
        const parsed = parseYaml(file, readFileSync(file, 'utf8'), onlyNotify, 'CONFIG_INVALID');
        return 'problems' in parsed ? null : (parsed.value.notify ?? null);
    } catch {
        return null; // the command has said that there is no config
    }
}
