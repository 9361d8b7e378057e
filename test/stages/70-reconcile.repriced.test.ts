import { describe, test } from 'vitest';
import { reconcile } from '../../pipelines/70-reconcile/stage.ts';
import { configSchema } from '../../src/schema/config.ts';
import { check } from '../support/table.ts';

const config = configSchema.parse({
    ...{ name: 'tiny', store: { folder: 'bucket' }, rate_card: 'r.yaml', accounts: 'a.json' },
    assets: {},
    usage: [{ name: 'gateway', prefix: 'usage/' }],
    meters: [{ meter: 'requests', aggregation: 'count', unit: 'request' }],
});
const stage = reconcile(config, {});

const world = `
    given rules.assets   asset | kind     | precision | tolerance | tolerance_percent
                         USD   | currency | 6         | 0         | 0
    given accounts.paths account_id | payer_id | currency | wallet_asset | valid_from | valid_to   | period_start | period_end
                         a          | org      | USD      | USD          | 2026-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01
                         b          | org      | USD      | USD          | 2026-01-01 | 9999-12-31 | 2026-10-01   | 2026-11-01`;
const outcome = (fate: string, actual: string) => `
    given recon.outcomes fate    | code | usage_payer_id | usage_account_id | usage_asset | debit_account_id | debit_asset | expected | actual    | usage_count | entry_count
                         ${fate} | R1   | org            | a                | USD         | a                | USD         | 10       | ${actual} | 1           | 1`;

describe('what terms change against the list price', () => {
    test('stands in the tie-out beside breaks and rounding', () =>
        check(
            stage,
            `${world}${outcome('match', '10')}
            given recon.wallet_movements account_id | asset | entry_type | is_in_period | entry_count | amount
                                         a          | USD   | capture    | true         | 1           | 10
            given rolled.charges payer_id | account_id | amount | repriced
                                 org      | a          | 7.5    | -2.5
                                 org      | b          | 20     | 20
            then recon.tie_outs  account_id | status | rated | debited | broken | rounding | repriced | unexplained
                                 a          | tied   | 7.5   | 10      | 0      | 0        | -2.5     | 0
                                 b          | tied   | 20    | 0       | 0      | 0        | 20       | 0
        `,
        ));

    test('a fee alone is no audit of a payer without a log', () =>
        check(
            stage,
            `${world}${outcome('unauditable', '0')}
            given recon.entries  entry_id
            given rolled.charges payer_id | account_id | amount | repriced
                                 org      | a          | 7.5    | -2.5
                                 org      | b          | 20     | 20
            then recon.tie_outs  account_id | status      | rated | repriced | unexplained
                                 a          | unauditable | 7.5   | -2.5     | 0
                                 b          | unauditable | 20    | 20       | 0
        `,
        ));
});
