import type { OpenItem, Proposal } from '../schema/item.ts';
import { visible } from './visible.ts';

/** What waits for a second person, in words. */
export function proposalText({ value, by, at, reason, changed }: Proposal): string {
    const what = value === '' ? 'release' : value.replace('_', ' ');
    const wait = changed === null ? 'waits for a second person' : `can't be approved: ${changed}`;
    return `${what} by ${visible(by)} at ${at}, ${wait}: ${visible(reason)}`;
}

/** The status of an item in words, with why where the word alone does not say it. */
export function itemStatusText(item: OpenItem): string {
    const { proposed } = item;
    const text = plainStatusText(item);
    if (proposed === null) return text;
    const as = proposed.value.replace('_', ' ');
    const wait = proposed.changed ?? 'waits for a second person';
    return `${text}; ${as} is proposed by ${visible(proposed.by)}: ${wait}`;
}

function plainStatusText(item: OpenItem): string {
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
