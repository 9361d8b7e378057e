import { RunError } from '../errors/index.ts';
import { counted, figure } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import { readStateLog } from '../run/books.ts';
import { removeLeftovers } from '../run/bucket-lake.ts';
import { refuseThere } from '../run/clickhouse/open.ts';
import {
    type Erased,
    type Erasing,
    eraseFromLake,
    type Holding,
    names,
    standInOf,
} from '../run/erase.ts';
import { eraseFromBucket } from '../run/erase-bucket.ts';
import { readAccounts } from '../run/pipeline.ts';
import type { Project } from '../run/project.ts';
import type { Erasure } from '../schema/commit.ts';
import { appendErasure, type CommitLog } from '../state/commit-log.ts';
import { requireSafe, type State } from '../state/state.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';

export interface EraseFlags {
    readonly account?: string;
    readonly value?: string;
    readonly reason: string;
    readonly by: string;
    /** Left out: only says what would be done. */
    readonly apply?: boolean;
}

/** Shorter ones would be found where nobody means them. */
const leastLength = 4;

/**
 * `tieout erase`: takes an identifier out of the rows of the lake, without changing what they add up
 * to. A dry run, unless it is told to apply.
 * @param newSalt chance, for the first stand-in of a state folder.
 * @throws RunError USAGE, ERASE_REFUSED, LAKE_DAMAGED, LOG_*
 */
export async function erase(
    flags: EraseFlags,
    context: CommandContext,
    newSalt: () => string,
): Promise<Answer> {
    const project = projectOf(context);
    refuseThere(project, 'tieout erase');
    const { kind, identifier } = wanted(flags);
    const texts = await ruleTexts(project, context);
    return inState(project, context, async (state) => {
        await requireSafe(state);
        const stand_in = await standInOf(state, identifier, newSalt);
        const erasing = { kind, identifier, stand_in };
        const named = [...texts].flatMap(([file, text]) => (names(erasing, text) ? [file] : []));
        const accounts = texts.get(project.config.accounts) ?? '';
        const admit = (holdings: readonly Holding[]) =>
            requireReady(erasing, named, holdings, project.config.accounts, accounts);
        const at = context.effects.now();
        const eraser = flags.apply ? admit : null;
        const log = await readStateLog(state);
        // Of an erasure that was cut off when it took away what it had replaced.
        if (flags.apply && state.isBucket) await removeLeftovers(state, log, at);
        const note = noteIn(state, log, { ...flags, stand_in, at });
        const erased = state.isBucket
            ? await eraseFromBucket(project, state, erasing, at, eraser, note)
            : await eraseFromLake(project, erasing, at, eraser, note);
        const json = answerOf(erasing, erased, named, flags.apply ?? false);
        return { exit: 0, text: answerText(json, erasing), json };
    });
}

/** What enters into the log that something was erased. */
function noteIn(
    state: State,
    seen: CommitLog,
    { by, reason, stand_in, at }: Pick<Erasure, 'by' | 'reason' | 'stand_in' | 'at'>,
): (found: Erased) => Promise<void> {
    let log = seen;
    return async (found) => {
        log = await appendErasure(state.store, log, {
            ...{ kind: 'erase', by, reason, at, stand_in },
            row_count: rowCount(found),
            batches: found.holdings.map(({ batch: { input, id } }) => ({
                ...{ input, from: id, to: found.made.get(id)?.id ?? '' },
            })),
        });
    };
}

/** @throws RunError USAGE */
function wanted({ account, value, reason }: EraseFlags): Pick<Erasing, 'kind' | 'identifier'> {
    const wrong = (detail: string, remedy: string) => new RunError('USAGE', { detail, remedy });
    const identifier = account ?? value ?? '';
    if ((account === undefined) === (value === undefined)) {
        throw wrong('erase takes --account or --value', 'Name one of the two.');
    }
    const kind = account === undefined ? 'value' : 'account';
    if (identifier === '' || (kind === 'value' && identifier.length < leastLength)) {
        throw wrong(
            `"${identifier}" is too short: it would be found where nobody means it`,
            `Name at least ${leastLength} characters.`,
        );
    }
    if (reason.includes(identifier)) {
        throw wrong(
            '--reason names what is to be erased, and the log is never changed',
            'Name a ticket instead.',
        );
    }
    return { kind, identifier };
}

/** Everything that a person wrote and a run depends on, by its file. */
async function ruleTexts(
    project: Project,
    { effects }: CommandContext,
): Promise<ReadonlyMap<string, string>> {
    const store = await effects.openStore(project.config, project.folder);
    try {
        const { accounts } = project.config;
        const texts = new Map([[accounts, await readAccounts(project, store)]]);
        for (const file of Object.keys(project.rules).sort()) {
            if (!texts.has(file)) texts.set(file, project.readText(file));
        }
        return texts;
    } finally {
        await store.close();
    }
}

/**
 * Rows of an account that nobody knows count for nobody: the accounts get the stand-in first.
 * @throws RunError ERASE_REFUSED
 */
function requireReady(
    { kind, identifier, stand_in }: Erasing,
    named: readonly string[],
    holdings: readonly Holding[],
    file: string,
    accounts: string,
): void {
    if (named.length > 0) {
        throw new RunError('ERASE_REFUSED', {
            detail: `${named.join(', ')} still ${named.length === 1 ? 'names' : 'name'} it`,
            remedy: `Write ${stand_in} there in its place, then apply at once: before the next night.`,
        });
    }
    const renamed = new Set(
        holdings.flatMap((holding) =>
            holding.accounts.map((account) =>
                kind === 'value' ? account.replaceAll(identifier, stand_in) : stand_in,
            ),
        ),
    );
    const unknown = [...renamed].filter((account) => !accounts.includes(account)).sort();
    if (unknown.length === 0) return;
    throw new RunError('ERASE_REFUSED', {
        detail: `${file} has no account ${unknown.join(', ')}: rows of it would count for nobody`,
        remedy: 'Write it there in the place of the account that it stands for, then apply at once.',
    });
}

const rowCount = ({ holdings }: Erased) =>
    holdings.flatMap(({ rows }) => [...rows.values()]).reduce((sum, rows) => sum + rows, 0);

function answerOf(
    { kind, stand_in }: Erasing,
    erased: Erased,
    named_in: readonly string[],
    applied: boolean,
) {
    return {
        ...{ kind, stand_in, applied, named_in },
        row_count: rowCount(erased),
        batches: erased.holdings.map(({ batch, rows }) => ({
            input: batch.input,
            batch: batch.id,
            replaced_by: erased.made.get(batch.id)?.id ?? null,
            row_count: [...rows.values()].reduce((sum, count) => sum + count, 0),
        })),
    };
}

function answerText(of: ReturnType<typeof answerOf>, { identifier }: Erasing): string {
    const rows: readonly (readonly [string, string])[] = [
        ['erase', `${of.kind} ${visible(identifier)}`],
        ['stand-in', of.stand_in],
        [
            'rows',
            `${figure(String(of.row_count))} in ${counted(of.batches.length, 'batch', 'batches')}`,
        ],
        ...of.batches.map(
            ({ input, batch, row_count }) =>
                ['', `${figure(String(row_count))} of ${input}, batch ${batch}`] as const,
        ),
        ...(of.named_in.length
            ? ([
                  [
                      'named in',
                      `${of.named_in.join(', ')}: write ${of.stand_in} there before --apply`,
                  ],
              ] as const)
            : []),
        [
            'done',
            of.applied
                ? 'the lake holds it no more; objects in the store, and tables and outputs of past runs, may'
                : 'nothing: this was a dry run (--apply does it)',
        ],
    ];
    return `${rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n')}\n`;
}
