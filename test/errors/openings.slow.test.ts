import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { beforehand } from '../support/beforehand.ts';
import { debitLine, fails, type TinyProject, usageLine } from '../support/terminal.ts';

test('OPENINGS_REPLACED: September was run again, October was not', async () => {
    const contracts = `contracts:
  - { contract: k, account: acme, from: 2026-09-01T00:00:00Z, cards: [{ card: rates.yaml }], commitments: [{ commitment: c, amount: "9", every: year }] }
`;
    const usage = (at: number) => JSON.stringify({ ...usageLine(at), time: `${day}T12:00:00Z` });
    const day = '2026-09-29';
    const september = `data/usage/dt=${day}/0.ndjson`;
    const log = { ...debitLine(1), booked_at: `${day}T12:00:00Z` };
    const files = {
        'contracts.yaml': contracts,
        [september]: usage(11),
        [`data/debits/dt=${day}/log.ndjson`]: JSON.stringify(log),
    };
    const config = (text: string) => `${text}contracts: contracts.yaml\nopenings: previous\n`;
    const before = async (project: TinyProject) => {
        await beforehand(project, 'run --period 2026-09', 'run --period 2026-10');
        appendFileSync(join(project.folder, september), `\n${usage(12)}\n`);
        await beforehand(project, 'run --period 2026-09');
    };
    const said = await fails('OPENINGS_REPLACED', 2, {
        ...{ files, config, before, hasRun: true, line: 'run --period 2026-11' },
    });
    expect(said).toMatchInlineSnapshot(`
          "OPENINGS_REPLACED: 2026-10 opened with what the month before no longer closes with: 2026-09-nightly-RUN was run since
            -> Run \`tieout run --period 2026-10\`, then the months after it, in their order; one that is closed needs \`tieout reopen\` first.
          "
        `);
});
