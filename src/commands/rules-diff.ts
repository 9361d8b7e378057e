import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { knownMeters } from '../compile/config.ts';
import { isSummedMeter, pricedEventsViewSql } from '../compile/priced-events.ts';
import { eventShape } from '../compile/shape.ts';
import { RunError } from '../errors/index.ts';
import { type RateDiff, renderRateDiff } from '../report/rate-diff.ts';
import type { CompiledCard } from '../rules/card.ts';
import { lintCard } from '../rules/lint.ts';
import { loadCard } from '../rules/load.ts';
import { latestRun } from '../run/books.ts';
import { isOfSales } from '../run/diff-books.ts';
import type { Project } from '../run/project.ts';
import { fetchLake } from '../run/published.ts';
import { diffRates } from '../run/rate-diff.ts';
import { inTables } from '../run/tables.ts';
import { type Answer, type CommandContext, inState, projectOf } from './command.ts';
import { requirePeriod } from './run.ts';

/** Names the card of the config in place of a file. */
const current = 'current';

/**
 * `tieout rules diff A B`: what moves between two versions of a card over the metered usage of the
 * latest run of a period. With one card, the other is the current one.
 * @throws RunError USAGE, RULES_INVALID, RUN_NOT_FOUND
 */
export async function rulesDiff(
    cards: { readonly old: string; readonly new: string | undefined },
    { period }: { readonly period: string },
    context: CommandContext,
): Promise<Answer> {
    const project = projectOf(context);
    requirePeriod(period);
    const run = await inState(project, context, async (state) => {
        const latest = await latestRun(state, period);
        await fetchLake(state, latest);
        return latest;
    });
    const [first, second] = cards.new === undefined ? [current, cards.old] : [cards.old, cards.new];
    const old = readCard(first, project, context.cwd);
    const now = readCard(second, project, context.cwd);
    const hasSales = isOfSales(old.card, project.contracts);
    const { config } = project;
    const summed = new Set(config.meters.filter(isSummedMeter).map(({ meter }) => meter));
    const options = {
        ...{ memory: config.engine.memory, threads: 2 },
        isSummed: (meter: string) => summed.has(meter),
        eventsSql: (meters: readonly string[]) =>
            pricedEventsViewSql(config, eventShape(config), meters),
    };
    const rows = { config, ifLost: 'refuse' } as const;
    const opening = { ...options, rows, spill: join(tmpdir(), 'tieout-diff') };
    return inTables(run, opening, async (engine) => {
        const diff: RateDiff = {
            run_id: run.runId,
            period,
            old: headOf(old),
            new: headOf(now),
            ...(await diffRates(engine, { old: old.card, new: now.card }, options)),
        };
        const notice = `${old.card.card} prices sales too: they are not compared`;
        const answer = { exit: 0, text: renderRateDiff(diff), json: diff } as const;
        return hasSales ? { ...answer, notice } : answer;
    });
}

interface NamedCard {
    readonly file: string;
    readonly card: CompiledCard;
}

const headOf = ({ file, card: { card, version } }: NamedCard) => ({ file, card, version });

/** A card by its file, read and checked as a run would. */
function readCard(name: string, project: Project, cwd: string): NamedCard {
    if (name === current) {
        const file = resolve(project.folder, project.config.rate_card);
        return { file: relative(cwd, file), card: project.card };
    }
    const read = loadCard(name, (path) => textOf(resolve(cwd, path), name));
    if ('problems' in read) throw new RunError('RULES_INVALID', { problems: read.problems });
    const known = { meters: knownMeters(project.config) };
    const problems = lintCard(read.card, { known });
    if (problems.length) throw new RunError('RULES_INVALID', { problems });
    return { file: name, card: read.card };
}

function textOf(path: string, name: string): string {
    try {
        return readFileSync(path, 'utf8');
    } catch {
        throw new RunError('USAGE', {
            detail: `${name} is not a rate card: ${path} cannot be read`,
            remedy: `Name the file of a card, or \`${current}\` for the one in tieout.yaml.`,
        });
    }
}
