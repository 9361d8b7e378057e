import type { OpenItem } from '../schema/item.ts';
import { visible } from './visible.ts';

/** The status of an item in words, with why where the word alone does not say it. */
export function itemStatusText(item: OpenItem): string {
    const { status, cleared_at, cleared_by, reopened_because, accepted_by, notes } = item;
    if (status === 'accepted' && !notes.some(({ act }) => act === 'resolve')) {
        return `accepted by the rule ${visible(accepted_by)}`;
    }
    if (status === 'cleared') {
        const how = cleared_by === 'offset' ? 'the other side arrived' : 'no run finds it any more';
        return `cleared as of ${cleared_at}: ${how}`;
    }
    return reopened_because === null ? status.replace('_', ' ') : `open: ${reopened_because}`;
}
