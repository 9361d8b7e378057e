import type { Effects } from '../effects.ts';
import type { Config } from '../schema/config.ts';
import { bucketState } from './bucket-state.ts';
import { folderState, type State } from './state.ts';

/** What of a project says where its state is. */
interface StateOf {
    readonly config: Pick<Config, 'state'>;
    /** Folder of tieout.yaml. */
    readonly folder: string;
    /** Folder of the state, absolute. */
    readonly state: string;
}

/** Opens the state of a project. Whoever opened it closes it. */
export async function openState(
    { config, folder, state }: StateOf,
    { openStore }: Pick<Effects, 'openStore'>,
): Promise<State> {
    if (typeof config.state === 'string') return folderState(state);
    const { alone, folder: _working, ...store } = config.state;
    return bucketState(await openStore({ store }, folder), { folder: state, alone });
}
