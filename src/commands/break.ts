import { RunError } from '../errors/index.ts';
import { ageBuckets } from '../items/age.ts';
import { breakCode } from '../report/break-codes.ts';
import { amountWithCode, counted, figure } from '../report/figures.ts';
import { itemStatusText, proposalText } from '../report/item-status.ts';
import { type Cell, right, table } from '../report/terminal.ts';
import { clipped, visible } from '../report/visible.ts';
import { readStateLog } from '../run/books.ts';
import { decide, itemsOf, type Saying } from '../run/decide.ts';
import { readStanding } from '../run/items.ts';
import {
    askedStatuses,
    type ItemNote,
    isOfStatus,
    itemStatuses,
    type OpenItem,
    type Resolution,
    resolutions,
    type Standing,
} from '../schema/item.ts';
import { nearestWord } from '../schema/suggest.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { requirePeriod } from './run.ts';

export interface BreakListFlags {
    readonly period: string;
    /** One of the statuses, or `all`. */
    readonly status?: string;
    readonly code?: string;
    readonly payer?: string;
    readonly owner?: string;
    readonly age?: string;
}

/** `tieout break list`: the breaks of a period and those carried into it, with what was decided. */
export async function breakList(flags: BreakListFlags, context: CommandContext): Promise<Answer> {
    const period = requirePeriod(flags.period);
    requireWord('--status', flags.status, askedStatuses);
    requireWord('--age', flags.age, ageBuckets);
    const { standing } = await inState(projectOf(context), context, async (state) =>
        readStanding(state, await readStateLog(state), period),
    );
    const items = standing.items.filter((of) => isAsked(of, flags));
    return { exit: 0, text: listText(standing, items), json: { ...standing, items } };
}

/** @throws RunError USAGE */
function requireWord(flag: string, word: string | undefined, words: readonly string[]): void {
    if (word === undefined || words.includes(word)) return;
    const near = nearestWord(word, words);
    throw new RunError('USAGE', {
        detail: `${flag} ${word} is none of ${words.join(', ')}`,
        ...(near ? { remedy: `Write ${flag} ${near}.` } : {}),
    });
}

function isAsked(item: OpenItem, flags: BreakListFlags): boolean {
    const { status = 'open', code, payer, owner, age } = flags;
    return (
        isOfStatus(item, status) &&
        (code === undefined || item.code === code) &&
        (payer === undefined || item.payer_id === payer) &&
        (owner === undefined || item.owner === owner) &&
        (age === undefined || item.age_bucket === age)
    );
}

function listText(standing: Standing, items: readonly OpenItem[]): string {
    const head = `${standing.period}, as of ${standing.as_of} (${standing.run_id})`;
    const byStatus = itemStatuses
        .map((status) => [status, standing.items.filter((of) => of.status === status).length])
        .filter(([, count]) => count !== 0)
        .map(([status, count]) => `${figure(String(count))} ${String(status).replace('_', ' ')}`);
    const found = byStatus.length > 0 ? byStatus.join(', ') : 'no breaks';
    const counts = `${releasesText(standing)}${found}`;
    if (items.length === 0) return `${head}\n${counts}; none as asked\n`;
    const columns: readonly Cell[] = [
        'break',
        'code',
        'key',
        'payer',
        right('effect'),
        right('worth'),
        right('days'),
        'status',
        'owner',
    ];
    const rows = items.map((of): readonly Cell[] => [
        of.break_id.slice(0, 12),
        of.code,
        clipped(of.break_key, 28),
        clipped(of.payer_id ?? 'nobody', 20),
        right(of.asset === null ? '' : amountWithCode(of.amount, clipped(of.asset, 8))),
        right(worthText(of)),
        right(figure(String(of.age_days))),
        statusText(of, standing.period),
        clipped(of.owner ?? '', 16),
    ]);
    return `${head}\n${counts}\n\n${table(columns, rows)}\n`;
}

function statusText({ status, period, proposed }: OpenItem, asked: string): string {
    const waits = proposed === null || proposed.changed !== null ? '' : ', proposed';
    return `${status}${waits}${period === asked ? '' : ` (of ${period})`}`;
}

/** Releases that wait for a second person: whoever works the queue must see them, too. */
const releasesText = ({ payers }: Standing) =>
    payers
        .filter(({ proposed }) => proposed !== null && proposed.changed === null)
        .map(
            ({ payer_id, proposed }) =>
                `release of ${visible(payer_id)} is proposed by ${visible(proposed?.by ?? '')}\n`,
        )
        .join('');

function worthText({ money_amount, currency }: OpenItem): string {
    return money_amount === null || currency === null
        ? 'unknown'
        : amountWithCode(money_amount, clipped(currency, 8));
}

/** `tieout break show`: one break with its history. */
export async function breakShow(
    { id, period }: { readonly id: string; readonly period: string },
    context: CommandContext,
): Promise<Answer> {
    const asked = requirePeriod(period);
    const { standing } = await inState(projectOf(context), context, async (state) =>
        readStanding(state, await readStateLog(state), asked),
    );
    const items = itemsOf(standing, [id]);
    return { exit: 0, text: items.map(itemText).join('\n'), json: items };
}

function itemText(item: OpenItem): string {
    const { meaning, cause, action } = breakCode(item.code);
    const rows: readonly (readonly [string, string | null])[] = [
        ['break', item.break_id],
        ['code', item.code],
        ['means', meaning],
        ['usually', cause],
        ['next', action],
        ['key', visible(item.break_key)],
        ['period', item.period],
        ['payer', visible(item.payer_id ?? 'nobody')],
        ['account', item.account_id && visible(item.account_id)],
        ['effect', item.asset && amountWithCode(item.amount, visible(item.asset))],
        ['worth', worthText(item)],
        ['since', item.first_at],
        ['seen', `first as of ${item.first_seen_at}, last as of ${item.last_seen_at}`],
        ['age', `${counted(item.age_days, 'day')} (${item.age_bucket})`],
        ['status', itemStatusText(item)],
        ['proposed', item.proposed && proposalText(item.proposed)],
        ['owner', item.owner && visible(item.owner)],
    ];
    const said = rows.flatMap(([name, text]) =>
        text === null || text === '' ? [] : [`${name.padEnd(10)} ${text}`],
    );
    return `${[...said, ...item.notes.map(noteText)].join('\n')}\n`;
}

function noteText({ act, value, by, at, reason, waits }: ItemNote): string {
    const what = {
        assign: `gave it to ${visible(value)}`,
        comment: 'said',
        resolve: `${waits ? 'proposed to resolve it' : 'resolved it'} as ${value.replace('_', ' ')}`,
        reopen: 'opened it again',
        approve: 'approved that',
    }[act];
    const why = reason === '' ? '' : `: ${visible(reason)}`;
    return `${at}  ${visible(by)} ${what}${why}`;
}

/** What a break comes to, as it was seen when something was said of it. */
function effectText(item: OpenItem): string {
    const { amount, asset, currency } = item;
    const effect = asset === null ? amount : amountWithCode(amount, visible(asset));
    return asset === currency ? effect : `${effect}, worth ${worthText(item)}`;
}

/** What the commands that say something of breaks have in common. */
export interface SayingFlags {
    readonly period: string;
    readonly by: string;
    readonly reason?: string;
    /** Of `resolve`. */
    readonly as?: string;
    /** Of `assign`. */
    readonly to?: string;
    /** What each break came to when it was looked at, in the order of the ids. */
    readonly seen?: readonly string[];
}

/**
 * `tieout break assign | comment | resolve | reopen | approve`: what a person says of breaks goes into the log.
 * @throws RunError BREAK_NOT_FOUND, BREAK_AMBIGUOUS, STANDING_CHANGED, APPROVAL_REFUSED, USAGE
 */
export async function breakSay(
    act: Saying['act'],
    ids: readonly string[],
    { period: asked, by, reason = '', as, to = '', seen }: SayingFlags,
    context: CommandContext,
): Promise<Answer> {
    const period = requirePeriod(asked);
    const value = act === 'resolve' ? resolutionOf(as) : act === 'assign' ? to : '';
    const now = context.effects.now();
    const project = projectOf(context);
    const { approve_above } = project.config.decisions;
    const saying = { act, value, ids, by, reason, approve_above };
    const decided = await inState(project, context, (state) =>
        decide(state, period, { ...saying, ...(seen ? { seen_amounts: seen } : {}) }, now),
    );
    const { items, standing } = decided;
    const lines = items.map(
        (of) =>
            `${of.break_id.slice(0, 12)} ${of.code} ${visible(of.break_key)} (${effectText(of)}): ${itemStatusText(of)}${of.owner ? `, with ${visible(of.owner)}` : ''}`,
    );
    const payers = new Set(items.map(({ payer_id }) => payer_id));
    const held = standing.payers
        .filter(({ payer_id }) => payers.has(payer_id))
        .map((of) => `lines of ${visible(of.payer_id)}: ${of.standing}`);
    return {
        exit: 0,
        text: `${[...lines, ...(/^(resolve|reopen|approve)$/.test(act) ? held : [])].join('\n')}\n`,
        json: { items, payers: standing.payers.filter((of) => payers.has(of.payer_id)) },
    };
}

/** @throws RunError USAGE */
function resolutionOf(as: string | undefined): Resolution {
    const word = as?.replace('-', '_');
    const found = resolutions.find((of) => of === word);
    if (found) return found;
    throw new RunError('USAGE', {
        detail:
            as === undefined ? 'how the breaks are resolved is missing' : `--as ${as} is no way`,
        remedy: 'explained: the cause is known and the lines are right; accepted: the difference may stay; written-off: it is given up.',
    });
}
