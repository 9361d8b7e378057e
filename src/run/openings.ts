import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { noOpenings, openingsOf, toCorrect } from '../compile/openings.ts';
import { sha256 } from '../duck/sql.ts';
import { RunError } from '../errors/index.ts';
import { loadOpenings } from '../rules/openings.ts';
import type { Certificate } from '../schema/certificate.ts';
import { monthAfter } from '../time/period.ts';
import { latestNightly } from './books.ts';
import { readCertificate } from './folders.ts';
import { type Project, previous } from './project.ts';

/** What a nightly run leaves for the period after it: its closings are openings. */
export const closingsFile = 'closings.csv';

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
    const file = await closingsOf(project, before);
    if (file === null) return { ...project, openings: nothing };
    await requireKept(project.state, before);
    const text = readFileSync(file, 'utf8');
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
        rules: { ...project.rules, [closingsOfPeriod(before)]: sha256(text) },
    };
}

/**
 * The run of the period before that a run should have opened with, where it opened with the closings
 * of another; else null. What it counted is then no longer what was counted.
 */
export async function openedBefore(
    state: string,
    { period, rules }: Pick<Certificate, 'period' | 'rules'>,
): Promise<string | null> {
    const before = monthAfter(period, -1);
    const opened = rules[closingsOfPeriod(before)];
    if (opened === undefined) return null;
    const run = await latestNightly(state, before);
    if (run === null || readCertificate(run)?.outputs[closingsFile] === opened) return null;
    return run.runId;
}

/**
 * Every run before the period opened with what the latest one before it closed with: else what was
 * counted in a month that was run again would be counted nowhere after it.
 * @throws RunError OPENINGS_REPLACED, for the earliest period of which that is not true
 */
async function requireKept(state: string, latest: string): Promise<void> {
    const chain: { readonly period: string; readonly before: string }[] = [];
    for (let period = latest; ; period = monthAfter(period, -1)) {
        const run = await latestNightly(state, period);
        const certificate = run && readCertificate(run);
        if (certificate?.rules[closingsOfPeriod(monthAfter(period, -1))] === undefined) break;
        const before = await openedBefore(state, certificate);
        if (before !== null) chain.push({ period, before });
    }
    const first = chain.at(-1);
    if (first) throw new RunError('OPENINGS_REPLACED', first);
}

/** What the rules of a run call the closings that it opened with. */
const closingsOfPeriod = (period: string): string => `${closingsFile} of ${period}`;

/** The closings of the latest nightly run of a period; null without one that is whole. */
async function closingsOf({ state }: Project, period: string): Promise<string | null> {
    const run = await latestNightly(state, period);
    if (run === null) return null;
    const isSaid = readCertificate(run)?.outputs[closingsFile] !== undefined;
    return isSaid ? join(run.output, closingsFile) : null;
}
