import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installedCli } from '../support/timed-night.ts';
import { json, markdown, terminal } from './show.ts';
import { subjects } from './subject.ts';
import { runSuite, type Wanted } from './suite.ts';

const USAGE = `npm run bench -- [--events 10000000] [--small-events 1000000] [--runs 3] [--memory 6GB]
    [--only NAME,NAME] [--skip-peers] [--dir .bench] [--keep] [--json FILE] [--markdown FILE]
    [--note TEXT]

Makes usage and as many debits from a fixed seed, and measures a night and its stages against the bare
engine, a month, and the same job in other software, which it installs into a folder of its own. Ends
with 1 when two of them come to other totals, or one fails. Goals are shown, not asserted.
Names: ${subjects.map(({ name }) => name).join(', ')}
`;

async function main(): Promise<number> {
    const { values } = parseArgs({
        options: {
            events: { type: 'string', default: '10000000' },
            'small-events': { type: 'string', default: '1000000' },
            runs: { type: 'string', default: '3' },
            memory: { type: 'string', default: '6GB' },
            only: { type: 'string', default: '' },
            'skip-peers': { type: 'boolean', default: false },
            dir: { type: 'string', default: '.bench' },
            keep: { type: 'boolean', default: false },
            json: { type: 'string' },
            markdown: { type: 'string' },
            note: { type: 'string', default: '' },
            help: { type: 'boolean', default: false },
        },
    });
    const counts = [values.events, values['small-events'], values.runs];
    if (values.help || counts.some((text) => !/^[1-9]\d{0,9}$/.test(text))) {
        process.stderr.write(USAGE);
        return values.help ? 0 : 2;
    }
    const wanted: Wanted = {
        ...{ events: values.events, smallEvents: values['small-events'], memory: values.memory },
        runs: Number.parseInt(values.runs, 10),
        dir: resolve(values.dir),
        ...{ threads: availableParallelism(), note: values.note },
        only: values.only.split(',').filter((name) => name !== ''),
        skipsPeers: values['skip-peers'],
        ...{ installsPeers: true, cli: installedCli },
    };
    const outcome = await runSuite(wanted, (line) => process.stderr.write(`${line}\n`));
    const on = new Date().toISOString().slice(0, 10);
    process.stdout.write(terminal(wanted, outcome));
    if (values.json) writeFileSync(values.json, json(wanted, outcome, on));
    if (values.markdown) writeFileSync(values.markdown, markdown(wanted, outcome, on));
    if (!values.keep) rmSync(wanted.dir, { recursive: true, force: true });
    return outcome.problems.length ? 1 : 0;
}

process.exitCode = await main();
