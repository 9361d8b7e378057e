import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fails, tinyFiles } from '../support/terminal.ts';

const tiny = tinyFiles();
const of = (name: string) => tiny[name] ?? '';

/** What people write: the command line, the config, accounts, assets, rate cards. */
describe('the command line', () => {
    test('USAGE: an unknown command', async () => {
        expect(await fails('USAGE', 2, { line: 'runn --period 2026-10' })).toMatchInlineSnapshot(`
          "USAGE: unknown command 'runn' (Did you mean run?)
            -> See \`tieout --help\`.
          "
        `);
    });

    test('USAGE: an unknown option', async () => {
        const line = 'plan --period 2026-10 --force';
        expect(await fails('USAGE', 2, { line })).toMatchInlineSnapshot(`
          "USAGE: unknown option '--force'
            -> See \`tieout --help\`.
          "
        `);
    });

    test('USAGE: an option misspelt that has to be there', async () => {
        expect(await fails('USAGE', 2, { line: 'run --perod 2026-10' })).toMatchInlineSnapshot(`
          "USAGE: unknown option '--perod' (Did you mean --period?)
            -> See \`tieout --help\`.
          "
        `);
        const line = 'rules import --format litellm --fiel=x --out y';
        expect(await fails('USAGE', 2, { line })).toContain(
            "unknown option '--fiel' (Did you mean --file?)",
        );
    });

    test('USAGE: no period', async () => {
        expect(await fails('USAGE', 2, { line: 'run' })).toMatchInlineSnapshot(`
          "USAGE: required option '--period <yyyy-MM>' not specified
            -> See \`tieout --help\`.
          "
        `);
    });

    test('USAGE: another pipeline', async () => {
        const line = 'run weekly --period 2026-10';
        expect(await fails('USAGE', 2, { line })).toMatchInlineSnapshot(`
          "USAGE: there is no pipeline weekly; the one to run is nightly
            -> See \`tieout --help\`.
          "
        `);
    });

    test('USAGE: a number that is not one', async () => {
        const line = 'explain abc --events many';
        expect(await fails('USAGE', 2, { line })).toMatchInlineSnapshot(`
          "USAGE: --events many is not a whole number
            -> See \`tieout --help\`.
          "
        `);
    });

    test.each(['', 'rules'])('USAGE: nothing after `tieout %s`', async (line) => {
        expect(await fails('USAGE', 2, { line })).toBe(
            'USAGE: a command is missing\n  -> See `tieout --help`.\n',
        );
    });

    test('USAGE: --as-of nonsense', async () => {
        const line = 'run --period 2026-10 --as-of yesterday';
        expect(await fails('USAGE', 2, { line })).toMatchInlineSnapshot(`
          "USAGE: --as-of yesterday is not an instant with a zone
            -> Write it like 2026-11-03T02:00:00Z.
          "
        `);
    });

    test('USAGE: init over files', async () => {
        expect(await fails('USAGE', 2, { line: 'init .' })).toMatchInlineSnapshot(`
          "USAGE: PROJECT is not empty: nothing was written
            -> Name a folder that is empty or does not exist yet.
          "
        `);
        expect(await fails('USAGE', 2, { line: 'init rates.csv' })).toMatchInlineSnapshot(`
          "USAGE: PROJECT/rates.csv cannot be made or written: EEXIST: file already exists, mkdir 'PROJECT/rates.csv'
            -> Name a folder that is empty or does not exist yet.
          "
        `);
    });

    test('USAGE: rules test without worked examples', async () => {
        const files = { 'rates.specs.yaml': null };
        expect(await fails('USAGE', 2, { line: 'rules test', files })).toMatchInlineSnapshot(`
          "USAGE: PROJECT/rates.specs.yaml is not a file: the card has no worked examples
            -> Write what finance expects of the card into that file; \`tieout init\` shows one.
          "
        `);
    });

    test('PERIOD_INVALID: not a month', async () => {
        const line = 'plan --period 2026-13';
        expect(await fails('PERIOD_INVALID', 2, { line })).toMatchInlineSnapshot(`
          "PERIOD_INVALID: --period 2026-13: it is not a month
            -> Name a month that has begun, written as 2026-10.
          "
        `);
    });

    test('PERIOD_INVALID: a month that has not begun', async () => {
        const line = 'run --period 2027-01';
        expect(await fails('PERIOD_INVALID', 2, { line })).toMatchInlineSnapshot(`
          "PERIOD_INVALID: --period 2027-01: it has not begun as of 2026-11-05T00:00:00Z
            -> Name a month that has begun, written as 2026-10.
          "
        `);
    });
});

describe('the config', () => {
    test('CONFIG_NOT_FOUND: there is none', async () => {
        const files = { 'tieout.yaml': null };
        expect(await fails('CONFIG_NOT_FOUND', 2, { files })).toMatchInlineSnapshot(`
          "CONFIG_NOT_FOUND: no tieout.yaml in PROJECT or any folder above it
            -> Run \`tieout init DIR\`, or name the file with --config.
          "
        `);
    });

    test('CONFIG_NOT_FOUND: the one named is not there, or a folder', async () => {
        const line = '--config other/tieout.yaml plan --period 2026-10';
        const text = await fails('CONFIG_NOT_FOUND', 2, { line });
        expect(text).toMatchInlineSnapshot(`
          "CONFIG_NOT_FOUND: --config PROJECT/other/tieout.yaml is not a file
            -> Name a file that exists; a relative path starts at the current folder.
          "
        `);
        const before = ({ folder }: { folder: string }) => {
            mkdirSync(join(folder, 'other/tieout.yaml'), { recursive: true });
        };
        expect(await fails('CONFIG_NOT_FOUND', 2, { line, before })).toBe(text);
    });

    test('CONFIG_INVALID: wrong keys and values, all at once', async () => {
        const config = (text: string) =>
            text
                .replace('name: tiny', 'name: tiny\nowner: me')
                .replace('aggregation: sum', 'aggregation: total')
                .replace('up_to: "200000"', 'up_to: 200k')
                .replace('open_hold_hours: 24', 'open_hold_hours: soon');
        expect(await fails('CONFIG_INVALID', 2, { config })).toMatchInlineSnapshot(`
          "CONFIG_INVALID: 4 problems in the configuration
          tieout.yaml:4: CONFIG_INVALID unknown key "owner". Known here, among others: meters, counts, tolerances, openings, accounts. (owner)
          tieout.yaml:34: CONFIG_INVALID "200k" is not a whole number: write it like "200000" (derived.context_band.steps.0.up_to)
          tieout.yaml:41: CONFIG_INVALID aggregation: "total" is not a choice here (meters.0.aggregation)
              Known here: sum, count, unique_count, min, max, latest, average, percentile, weighted_sum, formula.
          tieout.yaml:66: CONFIG_INVALID open_hold_hours is the text "soon", and has to be a number without quotes (open_hold_hours)
              Write a number without quotes there.
            -> Correct them all and run again; \`tieout doctor\` checks without running.
          "
        `);
    });

    test('CONFIG_INVALID: names that mean nothing, all at once', async () => {
        const config = (text: string) =>
            text
                .replace('attributes: [model, context_band]', 'attributes: [model, region]')
                .replace('output: output_tokens', 'output: output_tokens / 2')
                .replace('USD: { absolute', 'XYZ: { absolute')
                .replace('asset: USD', 'asset: GOLD');
        expect(await fails('CONFIG_INVALID', 2, { config })).toMatchInlineSnapshot(`
          "CONFIG_INVALID: 4 problems in the configuration
          tieout.yaml:38: UNKNOWN_COLUMN region is not declared: account_id, cached_input_tokens, context_band, event_type, input_tokens, model, output_tokens, source (meters.0)
          tieout.yaml:38: BAD_EXPRESSION division is not exact and not allowed; multiply instead (meters.0)
          tieout.yaml:55: UNKNOWN_ASSET GOLD is not in assets (wallets.0.asset)
              Known here: USD, TOK, REQ.
          tieout.yaml:60: UNKNOWN_ASSET XYZ is not in assets (tolerances.XYZ)
              Known here: USD, TOK, REQ.
            -> Correct them all and run again; \`tieout doctor\` checks without running.
          "
        `);
    });

    test('CONFIG_INVALID: not YAML', async () => {
        const files = { 'tieout.yaml': 'name: [tiny\nstore: }' };
        expect(await fails('CONFIG_INVALID', 2, { files })).toMatchInlineSnapshot(`
          "CONFIG_INVALID: 2 problems in the configuration
          tieout.yaml:2: CONFIG_INVALID not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]
              Mind the indentation, the colon after a key, and quotes that do not close.
          tieout.yaml:2: CONFIG_INVALID not YAML: Unexpected flow-map-end token in YAML stream: "}"
              Mind the indentation, the colon after a key, and quotes that do not close.
            -> Correct them all and run again; \`tieout doctor\` checks without running.
          "
        `);
    });

    test.each([
        ['empty', '', '1: CONFIG_INVALID the file is empty'],
        ['a list', '- name: tiny\n', '1: CONFIG_INVALID the file is a list, and has to be a map'],
        ['text', 'tiny\n', '1: CONFIG_INVALID the file is the text "tiny", and has to be a map'],
        ['a key twice', 'name: a\nname: b\n', '2: CONFIG_INVALID the same key twice'],
        ['a tab', 'name: a\nstore:\n\tfolder: x\n', '3: CONFIG_INVALID not YAML: Tabs'],
    ])('CONFIG_INVALID: a file that is %s', async (_, text, expected) => {
        const said = await fails('CONFIG_INVALID', 2, { files: { 'tieout.yaml': text } });
        expect(said).toContain(`\ntieout.yaml:${expected}`);
        expect(said).toMatch(/\n {4}(Write|Keep|Mind) .*\.\n/);
    });

    test('CONFIG_INVALID: a misspelt key at the top is told the one that was meant', async () => {
        const config = (text: string) => text.replace('wallets:', 'walets:');
        expect(await fails('CONFIG_INVALID', 2, { config })).toContain(
            'CONFIG_INVALID unknown key "walets". Did you mean "wallets"? (walets)',
        );
    });

    test('CONFIG_INVALID, ACCOUNTS_INVALID: files of another shape', async () => {
        const assets = { 'assets.json': '{"USD":\n{"kind":"currency"}}' };
        expect(await fails('CONFIG_INVALID', 2, { files: assets })).toContain(
            '\nassets.json:1: ASSET_INVALID the file is a map, and has to be a list\n    Write a list there.\n',
        );
        const accounts = { 'accounts.json': '' };
        expect(await fails('ACCOUNTS_INVALID', 2, { files: accounts })).toContain(
            '\naccounts.json:1: ACCOUNT_INVALID the file is empty\n    Write a list in it.\n',
        );
        const numbers = { 'accounts.json': '[\n{"account_id": 17, "currency": "USD"}]' };
        expect(await fails('ACCOUNTS_INVALID', 2, { files: numbers })).toContain(
            `
accounts.json:2: ACCOUNT_INVALID account_id is 17, and has to be text (0.account_id)
    Write it in quotes: "17".
accounts.json:2: ACCOUNT_INVALID valid_from is missing (0.valid_from)
    Write \`valid_from:\` here, with text.
`,
        );
    });

    test('CONFIG_INVALID: missing files, all at once', async () => {
        const files = { 'rates.yaml': null, 'accounts.json': null, 'assets.json': null };
        expect(await fails('CONFIG_INVALID', 2, { files })).toMatchInlineSnapshot(`
          "CONFIG_INVALID: 3 problems in the configuration
          tieout.yaml:7: FILE_NOT_FOUND rates.yaml is named here and is not a file
              Paths are relative to the folder of tieout.yaml.
          tieout.yaml:8: FILE_NOT_FOUND accounts.json is named here and is not a file
              Paths are relative to the folder of tieout.yaml.
          tieout.yaml:9: FILE_NOT_FOUND assets.json is named here and is not a file
              Paths are relative to the folder of tieout.yaml.
            -> Correct them all and run again; \`tieout doctor\` checks without running.
          "
        `);
    });

    test('CONFIG_INVALID: memory that is no amount', async () => {
        const config = (text: string) => text.replace('512MB', 'lots');
        expect(await fails('CONFIG_INVALID', 2, { config })).toMatchInlineSnapshot(`
          "CONFIG_INVALID: 1 problem in the configuration
          tieout.yaml:67: CONFIG_INVALID lots is not an amount of memory (engine.memory)
              Write it like 6GB or 512MB.
            -> Correct them all and run again; \`tieout doctor\` checks without running.
          "
        `);
    });

    test('CONFIG_INVALID: a currency that does not exist', async () => {
        const files = { 'assets.json': of('assets.json').replace('USD', 'USX') };
        expect(await fails('CONFIG_INVALID', 2, { files })).toMatchInlineSnapshot(`
          "CONFIG_INVALID: 4 problems in the configuration
          assets.json:1: UNKNOWN_CURRENCY USX is not an ISO 4217 currency (0.asset)
              Write the three-letter code, e.g. USD; what is no money is of kind unit.
          tieout.yaml:52: UNKNOWN_ASSET USD is not in assets (asset_counts.USD)
              Did you mean "USX"?
          tieout.yaml:55: UNKNOWN_ASSET USD is not in assets (wallets.0.asset)
              Did you mean "USX"?
          tieout.yaml:60: UNKNOWN_ASSET USD is not in assets (tolerances.USD)
              Did you mean "USX"?
            -> Correct them all and run again; \`tieout doctor\` checks without running.
          "
        `);
    });

    test('STATE_UNUSABLE, USAGE: a folder where the system lets nobody make one ends at once', async () => {
        const config = (text: string) => `${text}state: /proc/tieout\n`;
        expect(await fails('STATE_UNUSABLE', 2, { config })).toMatch(
            /^STATE_UNUSABLE: \/proc\/tieout cannot be made or written: ENOENT.*\n {2}-> Check/,
        );
        expect(await fails('USAGE', 2, { line: 'init /proc/tieout/x' })).toMatch(
            /^USAGE: \/proc\/tieout\/x cannot be made or written: ENOENT.*\n {2}-> Name a folder/,
        );
    });

    test('SPECS_INVALID: worked examples that cannot be read', async () => {
        const files = { 'rates.specs.yaml': 'specs:\n  - { nmae: x }\n' };
        const said = await fails('SPECS_INVALID', 2, { files, line: 'rules test' });
        expect(said).toContain(
            'rates.specs.yaml:2: SPECS_INVALID unknown key "nmae". Did you mean "name"?',
        );
        expect(said).toMatch(/-> Correct the examples and run `tieout rules test` again/);
    });

    test('ACCOUNTS_INVALID: an id that would be read as a path', async () => {
        const files = { 'accounts.json': of('accounts.json').replace('acme"', 'acme > eu"') };
        expect(await fails('ACCOUNTS_INVALID', 2, { files })).toContain(
            'ACCOUNT_INVALID "acme > eu" has " > " in it, which stands between the accounts of a path',
        );
    });

    test('STATE_UNUSABLE: state is a file', async () => {
        const config = (text: string) => `${text}state: rates.csv\n`;
        expect(await fails('STATE_UNUSABLE', 2, { config })).toMatchInlineSnapshot(`
          "STATE_UNUSABLE: PROJECT/rates.csv cannot be made or written: EEXIST: file already exists, mkdir 'PROJECT/rates.csv'
            -> Check \`state\` in tieout.yaml, and who may write there.
          "
        `);
    });

    test('EXPRESSION_INVALID: types that do not go together, by meter', async () => {
        const config = (text: string) =>
            text.replace('input: input_tokens - cached', 'input: model - cached').replace(
                'meters:',
                `meters:
  - { meter: lengths, aggregation: sum, unit: letter, quantity: length(output_tokens) }`,
            );
        expect(await fails('EXPRESSION_INVALID', 2, { config })).toMatchInlineSnapshot(`
          "EXPRESSION_INVALID: 30-meter: 2 expressions of tieout.yaml cannot be used
          meter lengths: Binder Error: No function matches the given name and argument types 'length(BIGINT)'. You might need to add explicit type casts.
              LINE 11:             sum((length("output_tokens"))) as quantity_0, count(*) filter...
                                        ^
          meter tokens: Binder Error: No function matches the given name and argument types '-(VARCHAR, BIGINT)'. You might need to add explicit type casts.
              LINE 13:             sum(("model" - "cached_input_tokens")) as quantity_0, count(*) filter...
                                                ^
            -> Correct it in \`meters\`, \`derived\` or \`counts\` and run again; nothing of the stage was kept.
          "
        `);
    });

    test('EXPRESSION_INVALID: by derived attribute', async () => {
        const config = (text: string) =>
            text.replace(
                'derived:',
                `derived:
  half: { sql: "trim(input_tokens, 3)" }
  fine: { sql: "trim(model)" }`,
            );
        expect(await fails('EXPRESSION_INVALID', 2, { config })).toMatchInlineSnapshot(`
          "EXPRESSION_INVALID: 30-meter: 1 expression of tieout.yaml cannot be used
          derived half: Binder Error: No function matches the given name and argument types 'trim(BIGINT, INTEGER_LITERAL)'. You might need to add explicit type casts.
              LINE 2: select cast((trim("input_tokens", 3)) as varchar) as made from mediated...
                                   ^
            -> Correct it in \`meters\`, \`derived\` or \`counts\` and run again; nothing of the stage was kept.
          "
        `);
    });

    test('EXPRESSION_INVALID: by count', async () => {
        const config = (text: string) => text.replace('tokens: input_tokens +', 'tokens: model +');
        expect(await fails('EXPRESSION_INVALID', 2, { config })).toMatchInlineSnapshot(`
          "EXPRESSION_INVALID: 70-reconcile: 1 expression of tieout.yaml cannot be used
          count tokens: Binder Error: No function matches the given name and argument types '+(VARCHAR, BIGINT)'. You might need to add explicit type casts.
              LINE 2: select cast(("model" + "output_tokens") as decimal(38,12)) as made from compiled...
                                           ^
            -> Correct it in \`meters\`, \`derived\` or \`counts\` and run again; nothing of the stage was kept.
          "
        `);
    });
});

describe('accounts', () => {
    const accounts = (change: (rows: Record<string, unknown>[]) => void) => {
        const rows = JSON.parse(of('accounts.json')) as Record<string, unknown>[];
        change(rows);
        return { 'accounts.json': JSON.stringify(rows, null, 1) };
    };

    test('ACCOUNTS_INVALID: a cycle, with its path', async () => {
        const files = accounts((rows) => {
            (rows[0] as Record<string, unknown>).parent = 'acme-dev';
        });
        expect(await fails('ACCOUNTS_INVALID', 2, { files })).toMatchInlineSnapshot(`
          "ACCOUNTS_INVALID: 1 problem in the accounts
          accounts.json:2: ACCOUNT_CYCLE acme > acme-dev > acme is a cycle
              Correct one of the parents on this path.
            -> Correct the accounts file and run again; nothing was metered.
          "
        `);
    });

    test('ACCOUNTS_INVALID: a currency, a zone and a span, all at once', async () => {
        const files = accounts((rows) => {
            Object.assign(rows[0] ?? {}, { currency: 'USX', time_zone: 'Mars/Olympus' });
            Object.assign(rows[1] ?? {}, { valid_from: 'yesterday' });
        });
        expect(await fails('ACCOUNTS_INVALID', 2, { files })).toMatchInlineSnapshot(`
          "ACCOUNTS_INVALID: 3 problems in the accounts
          accounts.json:3: UNKNOWN_CURRENCY acme: USX is not an ISO 4217 currency (currency)
              Write the three-letter code, e.g. USD.
          accounts.json:4: UNKNOWN_ZONE acme: Mars/Olympus is not an IANA time zone (time_zone)
              Write it like America/New_York.
          accounts.json:12: BAD_SPAN acme-dev: yesterday to now is not a span (valid_from)
              Both are instants with a zone, the end after the start.
            -> Correct the accounts file and run again; nothing was metered.
          "
        `);
    });

    test('ACCOUNTS_INVALID: two payers at once', async () => {
        const files = accounts((rows) => {
            rows.push({ ...rows[1], parent: null, valid_from: '2026-10-15T00:00:00Z' });
        });
        expect(await fails('ACCOUNTS_INVALID', 2, { files })).toMatchInlineSnapshot(`
          "ACCOUNTS_INVALID: 1 problem in the accounts
          accounts.json:17: ACCOUNT_OVERLAP acme-dev has two rows at 2026-10-15T00:00:00Z (parents acme and none): it would have two payers
              End the row of line 9 with valid_to.
            -> Correct the accounts file and run again; nothing was metered.
          "
        `);
    });

    test('ACCOUNTS_INVALID: an id that would write on the terminal', async () => {
        const files = accounts((rows) => {
            const account_id = 'evil\u001b[2J\nUSAGE: all is well\u202e';
            rows.push({ ...rows[1], account_id, parent: 'nobody' });
        });
        expect(await fails('ACCOUNTS_INVALID', 2, { files })).toMatchInlineSnapshot(`
          "ACCOUNTS_INVALID: 1 problem in the accounts
          accounts.json:17: ACCOUNT_ORPHAN evil\\u{1B}[2J\\nUSAGE: all is well\\u{202E} has the parent nobody, which does not exist for all of 2025-01-01T00:00:00Z to 9999-12-31T00:00:00Z
              Add the parent, or end the child when the parent ends.
            -> Correct the accounts file and run again; nothing was metered.
          "
        `);
    });
});

describe('rate cards', () => {
    const rates = (change: (text: string) => string) => ({
        'rates.csv': change(of('rates.csv')),
    });
    const line = 'rules check';

    test('CONTRACTS_INVALID: what only the files say', async () => {
        const contracts = `contracts:
  - contract: acme-2026
    account: acme
    from: 2026-01-01T00:00:00Z
    cards: [{ card: lisst }]
`;
        const files = { 'contracts.yaml': contracts };
        const config = (text: string) => `${text}contracts: contracts.yaml\n`;
        expect(await fails('CONTRACTS_INVALID', 2, { files, config, line })).toMatchInlineSnapshot(`
          "CONTRACTS_INVALID: 1 problem in the contracts and what they name
          contracts.yaml:5: UNKNOWN_CARD no card is called "lisst"
              Did you mean "list"? A card that nothing else names is named by its file.
            -> Correct them all and run \`tieout rules check\`; nothing was metered.
          "
        `);
    });

    test('CONFIG_INVALID: currency rates that are none', async () => {
        const files = { 'fx.csv': 'from,to,on,rate,sorce\nUSD,EUR,2026-01-30,0.92,ECB\n' };
        const config = (text: string) => `${text}currency_rates: fx.csv\n`;
        expect(await fails('CONFIG_INVALID', 2, { files, config })).toMatchInlineSnapshot(`
          "CONFIG_INVALID: 2 problems in the configuration
          fx.csv:1: CURRENCY_RATE_INVALID there is no column "source"
              The columns are from, to, on, rate, source.
          fx.csv:1: CURRENCY_RATE_INVALID column "sorce" is not known
              Did you mean "source"? The columns are from, to, on, rate, source.
            -> Correct them all and run again; \`tieout doctor\` checks without running.
          "
        `);
        expect(await fails('CONFIG_INVALID', 2, { config })).toMatchInlineSnapshot(`
          "CONFIG_INVALID: 1 problem in the configuration
          tieout.yaml:68: FILE_NOT_FOUND fx.csv is named here and is not a file
              Paths are relative to the folder of tieout.yaml.
            -> Correct them all and run again; \`tieout doctor\` checks without running.
          "
        `);
    });

    test('RULES_INVALID: a card that cannot be converted for a payer', async () => {
        const euro = of('accounts.json').replaceAll('USD', 'EUR');
        const files = {
            'accounts.json': euro,
            'fx.csv': 'from,to,on,rate,source\nUSD,EUR,2026-09-30,0.0000001,ECB\n',
        };
        const config = (text: string) =>
            `${text.replace(/^wallets:\n( .*\n)+/m, '')}currency_rates: fx.csv\n`;
        expect(await fails('RULES_INVALID', 2, { files, config })).toMatchInlineSnapshot(`
          "RULES_INVALID: 1 problem in the rate card
          rates.csv:5: CONVERSION_TOO_COARSE in EUR at 0.0000001: 0.0000003 is 0.00000000000003, of which 12 decimals keep 0; 5 more like it in list
              Price larger units (\`unit_conversion\`), or give payers in EUR a contract with a card in EUR.
            -> Correct them all and run \`tieout rules check\`; no run starts with a rate card like this.
          "
        `);
    });

    test('CONTRACTS_INVALID: what only the accounts say', async () => {
        const contracts = `contracts:
  - contract: acme-2026
    account: acme-dv
    from: 2026-01-01T00:00:00Z
    cards: [{ card: list }]
`;
        const files = { 'contracts.yaml': contracts };
        const config = (text: string) => `${text}contracts: contracts.yaml\n`;
        expect(await fails('CONTRACTS_INVALID', 2, { files, config })).toMatchInlineSnapshot(`
          "CONTRACTS_INVALID: 1 problem in the contracts and what they name
          contracts.yaml:2: UNKNOWN_ACCOUNT contract acme-2026 is of acme-dv, which is not in the accounts file
              Did you mean "acme-dev"?
            -> Correct them all and run \`tieout rules check\`; nothing was metered.
          "
        `);
    });

    test('CONTRACTS_INVALID: a term that began before the period, and nothing says what was used', async () => {
        const card = of('rates.yaml')
            .replace(/^card: .*$/m, 'card: term')
            .replace(/^charges:[\s\S]*/m, '');
        const contracts = `contracts:
  - contract: acme-2026
    account: acme
    from: 2026-01-01T00:00:00Z
    cards: [{ card: term.yaml }]
`;
        const files = {
            'contracts.yaml': contracts,
            'term.yaml': `${card}charges:
  - product: llm
    meter: tokens
    model: graduated
    unit: token
    tier_scope: contract_term
    tiers: [{ up_to: "1000", unit_price: "0.01" }, { unit_price: "0.005" }]
    rates: [{ when: {}, from: 2026-01-01T00:00:00Z }]
`,
        };
        const config = (text: string) => `${text}contracts: contracts.yaml\n`;
        expect(await fails('CONTRACTS_INVALID', 2, { files, config })).toMatchInlineSnapshot(`
          "CONTRACTS_INVALID: 1 problem in the contracts and what they name
          contracts.yaml:2: OPENING_MISSING contract acme-2026 counts llm of tokens from 2026-01-01T00:00:00Z, and nothing says what was used before 2026-10-01T00:00:00Z
              Write the row acme-2026,llm,tokens,QUANTITY in a CSV file that \`openings\` of tieout.yaml names; 0 if nothing was.
            -> Correct them all and run \`tieout rules check\`; nothing was metered.
          "
        `);
        const opened = {
            ...files,
            'openings.csv':
                'contract,product,meter,quantity\nacme-26,llm,tokens,-1\nacme-26,llm,tokens,1\n',
        };
        const named = (text: string) => `${config(text)}openings: openings.csv\n`;
        expect(
            await fails('CONTRACTS_INVALID', 2, { files: opened, config: named }),
        ).toMatchInlineSnapshot(`
          "CONTRACTS_INVALID: 3 problems in the contracts and what they name
          openings.csv:2: OPENING_INVALID quantity "-1" is not a plain decimal of at most 12 places that is not negative (quantity)
              Write what the term counted before the period, in units of the meter: 1250.5
          openings.csv:2: OPENING_UNKNOWN no contract is called "acme-26"
              Did you mean "acme-2026"?
          openings.csv:3: OPENING_UNKNOWN no contract is called "acme-26"
              Did you mean "acme-2026"?
            -> Correct them all and run \`tieout rules check\`; nothing was metered.
          "
        `);
    });

    test('CONTRACTS_INVALID: what is promised and given', async () => {
        const contract = (promises: string) => `contracts:
  - contract: acme-2026
    account: acme
    from: 2026-01-01T00:00:00Z
    cards: [{ card: list }]
${promises}`;
        const config = (text: string) => `${text}contracts: contracts.yaml\nopenings: previous\n`;
        const written = contract(`    commitments:
      - commitment: spend
        amount: "12000.00"
        true_up: cumulative
    grants:
      - grant: welcome
        amount: "500.00"
        every: month
        to: 2026-06-01T00:00:00Z
`);
        const files = { 'contracts.yaml': written };
        expect(await fails('CONTRACTS_INVALID', 2, { files, config, line })).toMatchInlineSnapshot(`
          "CONTRACTS_INVALID: 3 problems in the contracts and what they name
          contracts.yaml:7: COMMITMENT_WINDOW commitment spend: its window is the term of contract acme-2026, which has no end
              Give the contract a \`to\`, or write \`every: year\`.
          contracts.yaml:9: COMMITMENT_WINDOW commitment spend: a term is one window, and nothing adds up
              Write \`every: month\`, \`quarter\` or \`year\`, or \`true_up: window\`.
          contracts.yaml:14: GRANT_EVERY grant welcome: it is given anew every month, for its window
              Take to out: it is given while the contract is in force, and lasts so many months.
            -> Correct them all and run \`tieout rules check\`; nothing was metered.
          "
        `);
        const right =
            contract(`    commitments: [{ commitment: spend, amount: "12000.00", every: year }]
    grants: [{ grant: welcome, amount: "500.00", asset: EUR }]
`);
        const opened = { 'contracts.yaml': right };
        expect(
            await fails('CONTRACTS_INVALID', 2, { files: opened, config }),
        ).toMatchInlineSnapshot(`
          "CONTRACTS_INVALID: 3 problems in the contracts and what they name
          contracts.yaml:6: OPENING_MISSING nothing says what counted towards commitment spend of contract acme-2026 before 2026-10-01T00:00:00Z: it began at 2026-01-01T00:00:00Z
              No nightly run of 2026-09 is whole: run \`tieout run --period 2026-09\` first, or write a row with contract acme-2026, commitment spend and the quantity in a CSV file that \`openings\` of tieout.yaml names instead; 0 if nothing was.
          contracts.yaml:7: GRANT_CURRENCY grant welcome of contract acme-2026 is in EUR, and its payer acme is billed in USD
              Write the amount in USD: money of one currency pays nothing in another.
          contracts.yaml:7: OPENING_MISSING nothing says what is left of grant welcome of contract acme-2026 before 2026-10-01T00:00:00Z: it began at 2026-01-01T00:00:00Z
              No nightly run of 2026-09 is whole: run \`tieout run --period 2026-09\` first, or write a row with contract acme-2026, grant welcome and the quantity in a CSV file that \`openings\` of tieout.yaml names instead; 0 if nothing was.
            -> Correct them all and run \`tieout rules check\`; nothing was metered.
          "
        `);
    });

    test('RULES_INVALID: an overlap', async () => {
        const files = rates((text) => `${text}m1,input,standard,2026-06-01T00:00:00Z,,4\n`);
        expect(await fails('RULES_INVALID', 2, { files, line })).toMatchInlineSnapshot(`
          "RULES_INVALID: 1 problem in the rate card
          rates.csv:8: RATE_OVERLAP two rates hold at once from 2026-06-01T00:00:00Z for context_band=standard, model=m1, token_class=input: 0.000004 here and 0.000003 at rates.csv:2
              End the one at rates.csv:2 with 2026-06-01T00:00:00Z, or give one a higher priority.
            -> Correct them all and run \`tieout rules check\`; no run starts with a rate card like this.
          "
        `);
    });

    test('RULES_INVALID: a gap', async () => {
        const files = rates((text) =>
            text.replace(
                'm1,input,standard,2025-01-01T00:00:00Z,,3',
                'm1,input,standard,2025-01-01T00:00:00Z,2026-05-01T00:00:00Z,3\nm1,input,standard,2026-06-01T00:00:00Z,,4',
            ),
        );
        expect(await fails('RULES_INVALID', 2, { files, line })).toMatchInlineSnapshot(`
          "RULES_INVALID: 1 problem in the rate card
          rates.csv:3: RATE_GAP no rate holds from 2026-05-01T00:00:00Z to 2026-06-01T00:00:00Z for context_band=standard, model=m1, token_class=input: the one before, at rates.csv:2, has ended and this one has not begun
              Let them meet, or add a rate for the time between.
            -> Correct them all and run \`tieout rules check\`; no run starts with a rate card like this.
          "
        `);
    });

    test('RULES_INVALID: a tie', async () => {
        const files = rates(
            (text) =>
                `${text}m2,input,*,2025-01-01T00:00:00Z,,4\nm2,*,standard,2025-01-01T00:00:00Z,,5\n`,
        );
        expect(await fails('RULES_INVALID', 2, { files, line })).toMatchInlineSnapshot(`
          "RULES_INVALID: 1 problem in the rate card
          rates.csv:9: RATE_TIE nothing decides between this rate for context_band=standard, model=m2 and the one for model=m2, token_class=input at rates.csv:8: usage with context_band=standard, model=m2, token_class=input matches both, with as many attributes, the same priority and the same from
              Give one of them a higher priority, or add a rate for context_band=standard, model=m2, token_class=input.
            -> Correct them all and run \`tieout rules check\`; no run starts with a rate card like this.
          "
        `);
    });

    test('RULES_INVALID: a currency that does not exist stops the run as well', async () => {
        const files = { 'rates.yaml': of('rates.yaml').replace('currency: USD', 'currency: USX') };
        expect(await fails('RULES_INVALID', 2, { files })).toMatchInlineSnapshot(`
          "RULES_INVALID: 1 problem in the rate card
          rates.yaml:5: UNKNOWN_CURRENCY USX is not a currency
              Use a code of ISO 4217: "USD".
            -> Correct them all and run \`tieout rules check\`; no run starts with a rate card like this.
          "
        `);
    });

    test('RULES_INVALID: no matrix file', async () => {
        const files = { 'rates.csv': null };
        expect(await fails('RULES_INVALID', 2, { files, line })).toMatchInlineSnapshot(`
          "RULES_INVALID: 1 problem in the rate card
          rates.yaml:14: FILE_NOT_FOUND rates.csv cannot be read
              The file of a matrix is named relative to the folder of its card.
            -> Correct them all and run \`tieout rules check\`; no run starts with a rate card like this.
          "
        `);
    });

    test('RULES_SPEC_FAILED: another price than finance expects', async () => {
        const files = rates((text) => text.replace(',,3\n', ',,3.5\n'));
        const text = await fails('RULES_SPEC_FAILED', 1, { files, line: 'rules test' });
        expect(text).toMatchInlineSnapshot(`
          "RULES_SPEC_FAILED: 1 worked example does not come out
          rates.specs.yaml:2: SPEC_FAILED "a million input tokens": expected 3; it comes out as 3.5 at 0.0000035 by list/tokens/context_band=standard,model=m1,token_class=input@2025-01-01T00:00:00Z, rates.csv:2
            -> Either the card or the example is wrong: decide which, and change that one.
          "
        `);
    });
});
