import { relative } from 'node:path';
import { noOpenings, openingsOf, toCorrect } from '../compile/openings.ts';
import { sha256 } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import { loadOpenings } from '../rules/openings.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { CommitLog } from '../state/commit-log.ts';
import type { State } from '../state/state.ts';
import { monthAfter } from '../time/period.ts';
import { type Closed, closedWith, closingsFile } from './closings.ts';
import { type Project, previous } from './project.ts';

/** A state and its log, as it was read. */
export interface Books {
    readonly state: State;
    readonly log: CommitLog;
}

/**
 * The project with the openings of one period: those of its file that are of the period, or what the
 * run of the period before says.
 * @param books null where the project holds what a run once opened with, or nothing.
 * @throws RunError CONTRACTS_INVALID, OPENINGS_REPLACED, STATE_DAMAGED, STORE_*
 */
export async function openPeriod(
    project: Project,
    books: Books | null,
    period: string,
): Promise<Project> {
    if (project.config.openings !== previous) {
        return { ...project, openings: openingsOf(project.openings, period) };
    }
    const before = monthAfter(period, -1);
    const closings = await closingsOf(project, books, before);
    const nothing = { ...noOpenings, previous: before };
    if (closings === null) return { ...project, openings: nothing };
    const { file, text } = closings;
    const read = loadOpenings(file, text, project.contracts);
    if ('problems' in read) {
        const problems = read.problems.map(({ remedy = '', ...of }) => ({
            ...of,
            remedy: toCorrect(nothing, remedy),
        }));
        throw new RunError('CONTRACTS_INVALID', { problems });
    }
    // Not by the name of the run: another one that says the same is as good.
    const name = closingsOfPeriod(before);
    return {
        ...project,
        openings: { ...openingsOf(read.openings, period), previous: before },
        rules: { ...project.rules, [name]: sha256(text) },
        texts: new Map([...project.texts, [name, text]]),
    };
}

/**
 * What the run of a month closed with: as the rules of a run say that is done again, or as the log
 * says now. Null for nothing.
 * @throws RunError OPENINGS_REPLACED
 */
async function closingsOf(
    { folder, texts }: Project,
    books: Books | null,
    before: string,
): Promise<{ readonly file: string; readonly text: string } | null> {
    const kept = texts.get(closingsOfPeriod(before));
    if (kept !== undefined) return { file: closingsOfPeriod(before), text: kept };
    if (books === null) return null;
    const { state, log } = books;
    const closed = await closedWith(state, log, before);
    if (!closed?.closings) return null;
    await requireKept(state, log, closed.certificate);
    const { file, text } = closed.closings;
    return { file: relative(folder, file), text };
}

/** The period whose closings a run opened with; null when it opened with none. */
export function openedWith({
    period,
    rules,
}: Pick<Certificate, 'period' | 'rules'>): string | null {
    const before = monthAfter(period, -1);
    return rules[closingsOfPeriod(before)] === undefined ? null : before;
}

/**
 * Whether a run opened with other closings than these of the period before: then what it counted is no
 * longer what was counted.
 */
export function isReplaced(
    { rules }: Pick<Certificate, 'rules'>,
    before: string,
    closed: Closed | null,
): boolean {
    return closed?.closings?.sha256 !== rules[closingsOfPeriod(before)];
}

/**
 * Every run before the period opened with what the latest one before it closed with: else what was
 * counted in a month that was run again would be counted nowhere after it.
 * @throws RunError OPENINGS_REPLACED, for the earliest period of which that is not true
 */
async function requireKept(state: State, log: CommitLog, latest: Certificate): Promise<void> {
    const broken: { readonly period: string; readonly before: string }[] = [];
    for (let later = latest; ; ) {
        const before = openedWith(later);
        const closed = before === null ? null : await closedWith(state, log, before);
        if (before === null || closed === null) break;
        if (isReplaced(later, before, closed)) {
            broken.push({ period: later.period, before: closed.run.runId });
        }
        later = closed.certificate;
    }
    const first = broken.at(-1);
    if (first) throw new RunError('OPENINGS_REPLACED', first);
}

/** What the rules of a run call the closings that it opened with. */
const closingsOfPeriod = (period: string): string => `${closingsFile} of ${period}`;
