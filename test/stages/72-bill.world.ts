import { bill } from '../../pipelines/72-bill/stage.ts';
import { drawDown } from '../../pipelines/76-draw-down/stage.ts';
import { invoice } from '../../pipelines/80-invoice/stage.ts';
import { checkTogether } from '../support/table.ts';
import { type Defaults, withDefaults } from './defaults.ts';

const org = { payer_id: 'org', currency: 'USD' };
const promise = {
    ...org,
    contract_id: 'c',
    account_id: 'org',
    description: 'Yearly',
    product: 'p',
};

const defaults: Defaults = {
    'accounts.paths': {
        ...{ payer_id: 'org', valid_from: '2026-01-01', period_end: '2026-11-01' },
    },
    'rolled.payers': {
        ...{ ...org, payer_name: 'The org', time_zone: 'UTC' },
        ...{ period_start: '2026-10-01', period_end: '2026-11-01' },
    },
    'recon.holds': { payer_id: 'org', recon_status: 'clear' },
    'recon.wallet_payments': { ...org, asset: 'USD', rate_from: '0001-01-01', rate: '1' },
    'rules.rates': {
        ...{ card: 'list', card_version: '1', currency: 'USD', meter: 'tokens' },
        ...{ model: 'per_unit', description: 'LLM' },
    },
    'rules.terms': { tier_scope: 'account', model: 'graduated' },
    'rolled.charges': {
        ...{ ...org, pool_id: '', meter: 'tokens', attributes: '{}', unit: 'token' },
        ...{ service_start: '2026-10-01', service_end: '2026-11-01', unit_price: '1' },
    },
    'rated.usage': {
        ...{ ...org, pool_id: 'org', book_id: 'b', meter: 'tokens', attributes: '{}' },
        ...{ segment_at: '2026-01-01' },
    },
    'rules.commitments': {
        ...{ ...promise, depth: '0', kind: 'postpaid', measure: 'amount', meter: '_' },
        ...{ window_start: '2026-10-01', window_end: '2026-11-01', counted_before: '0' },
        ...{ is_cumulative: 'false', is_due: 'true', fee: '_' },
    },
    'rules.grants': {
        ...{ ...promise, commitment_id: '_', asset: 'USD', precision: '2', opening: '0' },
        ...{ rate: '1', priority: '0', is_rollover: 'false', cost_basis: '0' },
        ...{ starts_at: '2026-01-01', expires_at: '2027-01-01' },
    },
    'rules.holder_accounts': { payer_id: 'org' },
    'rules.holder_products': { payer_id: 'org' },
};

/** An organisation that pays for two teams; lines in USD; grants draw in the default order. */
export const organisation = `
    given accounts.paths    account_id | account_name | line_account_id
                            org        | The org      | org
                            a          | Team A       | a
                            b          | Team B       | b
    given rolled.payers     payer_id
                            org
    given rules.currencies  currency | exponent
                            USD      | 2
    given rules.rates       rate_id | product
                            r       | llm
                            s       | gpu
    given rules.draw_order  position | term
                            1        | priority
                            2        | rollover
                            3        | cost_basis
                            4        | scope
                            5        | expires_at
                            6        | starts_at`;

/** Nothing holds its lines. */
export const cleared = `
    given recon.holds payer_id
                      org`;

/** An organisation with what a test gives it. */
export const billed = (text: string) => withDefaults(`${organisation}\n${text}`, defaults);

/** Runs 72-bill, 76-draw-down and 80-invoice over it, with their audits and equations. */
export const check = (text: string) =>
    checkTogether([bill, drawDown, invoice], billed(`${cleared}\n${text}`));
