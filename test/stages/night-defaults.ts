import type { Defaults } from './defaults.ts';

/** Rates of one unit, prices in cents: quantity in ones, amounts in hundredths of a dollar. */
export const nightDefaults: Defaults = {
    'accounts.paths': {
        ...{
            pool_id: 'org',
            book_id: 'one',
            currency: 'USD',
            time_zone: 'UTC',
            valid_from: '2026-01-01',
            valid_to: '9999-12-31',
        },
        ...{ period_start: '2026-10-01', period_end: '2026-11-01' },
    },
    'metered.usage': { book_id: 'one' },
    'rules.book_cards': { currency: 'USD' },
    'rules.rates': {
        ...{ card: 'list', currency: 'USD', meter: 'm' },
        ...{ effective_from: '2026-01-01', effective_to: '_' },
    },
    'rules.terms': {
        ...{ tier_scope: 'line', is_for_accounts: 'false', is_for_all: 'false' },
        ...{ is_in_advance: 'false', is_by_event: 'false', model: 'graduated' },
    },
    'rules.charges': {
        ...{ quantity_scale: '0', kind: 'slices', is_clamped: 'false', conversion_factor: '1' },
        ...{ conversion_divisor: '1', conversion_step: '1', conversion_rounding: 'half_away' },
        ...{ included: '0', is_included_whole: 'false', is_zero_charged: 'false', fixed_fee: '0' },
        ...{ rounding_divisor: '1', rounding_mode: 'half_away', decimals: '2', tier_scale: '0' },
        ...{ amount_scale: '2', quantity_limit: '1000000000000000000000' },
    },
    'rules.charge_tiers': { quantity_scale: '0', from_quantity: '0', flat_fee: '0', tier_no: '1' },
    'rated.rate_choices': { book_id: 'one' },
    'compiled.priced_events': { book_id: 'one' },
    'rated.usage': { meter: 'm', pool_id: 'org', unit_price: '0', amount: '0', currency: 'USD' },
};
