/** Contracts of the temporary tables that usage and debits are compared in on ClickHouse. */

const text = 'String';
const maybeText = 'Nullable(String)';
const exactAmount = 'Decimal(76, 24)';
const quantity = 'Nullable(Decimal(76, 12))';

/** Filled from recon.wallet_assets. */
export const walletAssets = {
    name: 'wallet_assets',
    order: ['asset'],
    columns: {
        ...{ asset: text, kind: text, tolerance: 'Decimal(38, 12)', is_tolerant: 'Bool' },
        rate_changes: 'Array(Int64)',
    },
} as const;

/** Filled from the logs: accounts that one speaks of. */
export const loggedAccounts = {
    name: 'logged_accounts',
    order: ['account_id'],
    columns: { account_id: text },
} as const;

/** Compiled from the config: events with what each is worth. */
export const eventValues = {
    name: 'event_values',
    order: ['event_id'],
    columns: {
        ...{ event_id: text, object_no: 'Int64', line_no: 'Int64' },
        ...{ payer_id: text, account_id: text, wallet_asset: text, wallet_shape: text },
        ...{ currency: text, is_in_period: 'UInt8', is_safe: 'UInt8', event_us: 'Int64' },
        ...{ is_counted: 'UInt8', is_unrated: 'UInt8', rated_amount: exactAmount },
        ...{ counted_quantity: quantity, products: text },
    },
} as const;

export const certain = {
    name: 'certain',
    order: ['event_id'],
    columns: {
        ...{ event_id: text, code: text, usage_payer_id: text, usage_account_id: text },
        ...{ usage_asset: text, currency: text, products: text, rate_us: 'Nullable(Int64)' },
        ...{ debit_payer_id: maybeText, debit_account_id: maybeText, debit_asset: maybeText },
        ...{ is_used_in_period: 'UInt8', is_unrated: 'UInt8', is_counted: 'UInt8' },
        ...{ rated_amount: exactAmount, worth: exactAmount, captured: exactAmount },
        ...{ counted_quantity: quantity, entry_count: 'Int64' },
    },
} as const;
