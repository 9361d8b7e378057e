import type { Effects, Environment } from '../effects.ts';
import { findConfig, openProject, type Project } from '../run/project.ts';
import type { RunNews } from '../schema/outcome.ts';
import { openState } from '../state/open.ts';
import type { State } from '../state/state.ts';

/** What a command says: text for people, the same as data for machines. 1 means held. */
export interface Answer {
    readonly exit: 0 | 1 | 2 | 75;
    readonly text: string;
    readonly json: unknown;
    /** One line for people, beside an answer that is for machines. */
    readonly notice?: string;
    /** The run that it is about, for notices and telemetry. */
    readonly run?: RunNews;
}

/** What every command gets. */
export interface CommandContext {
    readonly effects: Effects;
    readonly environment: Environment;
    /** --config, or null for the nearest tieout.yaml. */
    readonly configFile: string | null;
    /** The folder the command was started in. */
    readonly cwd: string;
}

/** The project a command is about. @throws RunError CONFIG_*, RULES_INVALID */
export function projectOf({ configFile, cwd }: CommandContext): Project {
    return openProject(configFile ?? findConfig(cwd));
}

/** Works with the state of a project, and closes it. */
export async function inState<T>(
    project: Project,
    { effects }: CommandContext,
    work: (state: State) => Promise<T>,
): Promise<T> {
    const state = await openState(project, effects);
    try {
        return await work(state);
    } finally {
        await state.close();
    }
}
