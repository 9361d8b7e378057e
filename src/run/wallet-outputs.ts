import type { Engine } from '../duck/engine.ts';
import type { WalletMovement } from '../schema/certificate.ts';
import { trimmed } from './decimals.ts';
import { relationCsv } from './relation-csv.ts';

/** What moves a wallet, by the column that it is summed in. */
const movements = ['topped_up', 'granted', 'captured', 'returned', 'expired', 'adjusted'];

/**
 * Each wallet of the period, from what it held at first to what was left: usage and all else. What the
 * log does not state is empty.
 */
export function walletMovementsCsv(engine: Engine): Promise<string> {
    const decimals = ['opening', ...movements, 'closing', 'stated', 'unexplained'];
    return relationCsv(
        engine,
        `select * replace (entry_count::varchar as entry_count)
        from recon.wallet_balances
        order by payer_id nulls first, account_id, asset, wallet_id nulls first, input`,
        ['payer_id', 'account_id', 'wallet_id', 'asset', 'input', 'entry_count', ...decimals],
        ['entry_count', ...decimals],
    );
}

/** What moved all wallets of an asset in the period, by type of entry. */
export async function walletMovements(engine: Engine): Promise<readonly WalletMovement[]> {
    const rows = await engine.rows(`
        select asset, entry_type, sum(entry_count)::bigint as entry_count, sum(amount) as amount
        from recon.wallet_movements
        where is_in_period
        group by asset, entry_type
        order by asset, entry_type`);
    return rows.map((row) => ({
        asset: String(row.asset),
        entry_type: String(row.entry_type),
        entry_count: String(row.entry_count),
        amount: trimmed(row.amount),
    }));
}
