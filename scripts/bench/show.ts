import Table from 'cli-table3';
import { machine } from '../support/cost.ts';
import { type Goal, isMet, type Line, linesOf } from './lines.ts';
import type { Outcome, Wanted } from './suite.ts';

const head = [
    'what',
    'events',
    'seconds',
    'processor s',
    'peak GiB',
    'times',
    'in processor s',
    'of',
];

/** The results for a terminal. */
export function terminal(wanted: Wanted, outcome: Outcome): string {
    const table = new Table({
        head: [...head, 'goal'],
        colAligns: ['left', ...Array(6).fill('right'), 'left', 'left'],
        style: { head: [], border: [], compact: true },
    });
    for (const [group, lines] of groups(outcome)) {
        table.push([{ content: group.toUpperCase(), colSpan: head.length + 1 }]);
        for (const line of lines) table.push([...cells(line)]);
    }
    return [...facts(wanted), table.toString(), ...notes(outcome), ''].join('\n');
}

/** The results as a page. */
export function markdown(wanted: Wanted, outcome: Outcome, on: string): string {
    const tables = groups(outcome).flatMap(([group, lines]) => [
        `## ${group.charAt(0).toUpperCase()}${group.slice(1)}`,
        '',
        `| ${[...head, 'goal'].join(' | ')} |`,
        `|---|${'---:|'.repeat(6)}---|---|`,
        ...lines.map((line) => `| ${cells(line).join(' | ')} |`),
        '',
    ]);
    return [
        ...['# Benchmarks', '', ...about, ''],
        `\`${commandOf(wanted)}\` wrote this page on ${on}:`,
        ...['', ...facts(wanted).map((fact) => `- ${fact}`), '', ...tables],
        ...['## What did it', '', ...says(outcome).map((line) => `- ${line}`)],
        ...notes(outcome).map((line) => `- ${line}`),
        '',
    ].join('\n');
}

/** The results for machines. */
export function json(wanted: Wanted, outcome: Outcome, on: string): string {
    const { data, results, skipped, problems } = outcome;
    const { dir: _dir, cli: _cli, installsPeers: _installs, ...of } = wanted;
    const figures = {
        ...{ measured_on: on, machine: machine(), command: commandOf(wanted), ...of },
        data,
        lines: linesOf(results).map((line) => ({ ...line, is_met: isMet(line) })),
        results: results.map(({ subject: { name }, ...rest }) => ({ name, ...rest })),
        skipped: Object.fromEntries(skipped),
        problems,
    };
    return `${JSON.stringify(figures, null, 2)}\n`;
}

const about = [
    'What a night costs beside what the machine allows, and beside the same job in other software, all',
    'measured in one run of one command over the same generated data: October 2026, 400 accounts of 20',
    'payers, 6 models, one event in 5,000 sent twice, one in 3,000 never debited, one debit in 4,000 for',
    'an event that nobody sent. Medians; every subject in a process of its own. `times` says how often a',
    'line takes what stands under `of`: in seconds, and in seconds of processors, which other work on',
    'the machine changes less. The floor is a scan, both sides deduped, usage grouped by meter key and',
    'day, and the full join on the event id, in the engine alone.',
    '',
    'The same job elsewhere is the core of a night and no more: read both sides, keep each row once,',
    'price each event by the rate card, sum by account, model, band and day, join with the debits by the',
    'event id, and say by account what was rated, debited, agrees, and has no other side. A night does',
    'that and all the rest: proven copies of its inputs, suspense, audits, contracts, lines, break codes,',
    'files, a certificate. All must come to the same totals of every account to the last digit, or the',
    'benchmark fails. What would take unbearably long is measured at a smaller size and compared with a',
    'night of that size, the small night; nothing is extrapolated.',
];

function commandOf({ events, smallEvents, runs, only, skipsPeers, memory }: Wanted): string {
    const flags = [
        ...[`--events ${events}`, `--small-events ${smallEvents}`],
        ...[`--runs ${runs}`, `--memory ${memory}`],
        ...(only.length ? [`--only ${only.join(',')}`] : []),
        ...(skipsPeers ? ['--skip-peers'] : []),
    ];
    return `npm run bench -- ${flags.join(' ')}`;
}

const facts = ({ events, runs, memory, threads, note }: Wanted): readonly string[] => [
    `${counted(events)} events and as many debits, ${runs === 1 ? 'one run' : `medians of ${runs} runs`}`,
    `${machine()}; ${threads} threads and ${memory} for engines that take a limit`,
    ...(note ? [note] : []),
];

const groups = ({ results }: Outcome) => [
    ...Map.groupBy(linesOf(results), ({ group }) => group).entries(),
];

function cells(line: Line): readonly string[] {
    const { what, events, cost, ratio, goal } = line;
    return [
        ...[what, events === '' ? '' : counted(events), cost.seconds.toFixed(2)],
        cost.cpu ? cost.cpu.toFixed(2) : '',
        cost.peakBytes ? (cost.peakBytes / 2 ** 30).toFixed(2) : '',
        ratio ? ratio.seconds.toFixed(2) : '',
        ratio?.cpu ? ratio.cpu.toFixed(2) : '',
        ratio?.against ?? '',
        goal ? `${goalText(goal)}: ${isMet(line) ? 'met' : 'not met'}` : '',
    ];
}

const goalText = (goal: Goal): string =>
    'atMost' in goal ? `at most ${goal.atMost}` : `at least ${goal.atLeast}`;

const counted = (events: string): string => BigInt(events).toLocaleString('en-US');

const says = ({ results }: Outcome): readonly string[] =>
    results.map(({ subject, says: of }) => `${subject.name}: ${of}`);

const notes = ({ results, skipped, problems }: Outcome): readonly string[] => [
    ...[...skipped].map(([name, why]) => `${name}: skipped, ${why}`),
    ...problems.map((problem) => `FAILED ${problem.trim().replaceAll(/\s+/g, ' ')}`),
    ...(problems.length === 0 && results.filter(({ doesJob }) => doesJob).length > 1
        ? ['all came to the same totals of every account, to the last digit']
        : []),
];
