import { isWaiting } from '../items/standing.ts';
import type { Break, PayerTotal } from '../schema/break.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { Standing } from '../schema/item.ts';
import type { LineItem } from '../schema/line-item.ts';
import { counted, listed } from './figures.ts';

/** What a run says, with what people decided since. */
interface Decided {
    readonly result: Certificate['result'];
    readonly payers: readonly PayerTotal[];
    readonly lines: readonly LineItem[];
}

/**
 * Lets go what people let go: lines of a payer that was released, or whose breaks were all resolved, are
 * as clear as those of any other. The run held for a payer or for a break of nobody's.
 */
export function asItStands(
    { payers, result }: Certificate,
    lines: readonly LineItem[],
    standing: Standing | undefined,
): Decided {
    if (!standing) return { result, payers, lines };
    const free = new Set(
        standing.payers
            .filter((of) => of.standing === 'released' || of.standing === 'resolved')
            .map(({ payer_id }) => payer_id),
    );
    const freed = <T extends PayerTotal | LineItem>(of: T): T =>
        of.recon_status === 'held' && free.has(of.payer_id) ? { ...of, recon_status: 'clear' } : of;
    return {
        result: isWaiting(standing) ? 'held' : 'clean',
        payers: payers.map((payer) => leftOf(freed(payer), standing)),
        lines: lines.map(freed),
    };
}

/** What is left in breaks of a payer some of whose breaks were resolved. */
function leftOf(payer: PayerTotal, { period, items, payers }: Standing): PayerTotal {
    const isResolved = items.some(
        (of) => of.payer_id === payer.payer_id && of.period === period && of.status !== 'open',
    );
    const stands = payers.find((of) => of.payer_id === payer.payer_id);
    if (!isResolved || !stands) return payer;
    return { ...payer, break_count: stands.open_count, break_money: stands.open_money };
}

/** Whether a break of the run still waits for somebody. */
export function isOpen(standing: Standing | undefined): (of: Break) => boolean {
    if (!standing) return () => true;
    const resolved = new Set(
        standing.items
            .filter((of) => of.period === standing.period && of.status !== 'open')
            .map(({ break_id }) => break_id),
    );
    return ({ break_id }) => !resolved.has(break_id);
}

/** What people decided, in plain sentences. */
export function decidedSentences(standing: Standing | undefined): readonly string[] {
    if (!standing) return [];
    const countOf = (status: string) => standing.items.filter((of) => of.status === status).length;
    const resolved = [
        ['explained', 'explained'],
        ['accepted', 'accepted'],
        ['written_off', 'written off'],
    ] as const;
    const parts = resolved
        .map(([status, word]) => ({ count: countOf(status), word }))
        .filter(({ count }) => count > 0)
        .map(({ count, word }) => `${count} ${word}`);
    const released = standing.payers.filter((of) => of.standing === 'released').length;
    const carried = standing.items.filter(
        (of) => of.period < standing.period && of.status === 'open',
    ).length;
    return [
        ...(parts.length > 0 ? [`Of the breaks, people resolved some: ${listed(parts)}.`] : []),
        ...(released > 0
            ? [`${counted(released, 'held payer')} ${released === 1 ? 'was' : 'were'} released.`]
            : []),
        ...(carried > 0
            ? [
                  `${counted(carried, 'break')} of earlier periods ${carried === 1 ? 'is' : 'are'} open.`,
              ]
            : []),
    ];
}
