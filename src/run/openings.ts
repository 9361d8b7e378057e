import { relative } from 'node:path';
import { noOpenings, openingsOf, toCorrect } from '../compile/openings.ts';
import { RunError } from '../errors/index.ts';
import { loadOpenings } from '../rules/openings.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { CommitLog } from '../state/commit-log.ts';
import { monthAfter } from '../time/period.ts';
import { readStateLog } from './books.ts';
import { type Closed, closedWith, closingsFile } from './closings.ts';
import { type Project, previous } from './project.ts';

/**
 * The project with the openings of one period: those of its file that are of the period, or what the
 * run of the period before says.
 * @throws RunError CONTRACTS_INVALID, OPENINGS_REPLACED
 */
export async function openPeriod(project: Project, period: string): Promise<Project> {
    if (project.config.openings !== previous) {
        return { ...project, openings: openingsOf(project.openings, period) };
    }
    const before = monthAfter(period, -1);
    const nothing = { ...noOpenings, previous: before };
    const log = await readStateLog(project.state);
    const closed = await closedWith(project.state, log, before);
    if (!closed?.closings) return { ...project, openings: nothing };
    await requireKept(project.state, log, closed.certificate);
    const { file, text } = closed.closings;
    const read = loadOpenings(relative(project.folder, file), text, project.contracts);
    if ('problems' in read) {
        const problems = read.problems.map(({ remedy = '', ...of }) => ({
            ...of,
            remedy: toCorrect(nothing, remedy),
        }));
        throw new RunError('CONTRACTS_INVALID', { problems });
    }
    const openings = { ...openingsOf(read.openings, period), previous: before };
    return {
        ...project,
        openings,
        // Not by the name of the run: another one that says the same is as good.
        rules: { ...project.rules, [closingsOfPeriod(before)]: closed.closings.sha256 },
    };
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
async function requireKept(state: string, log: CommitLog, latest: Certificate): Promise<void> {
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
