import { quoteList } from '../duck/sql.ts';
import type { DebitInput } from '../schema/config.ts';
import { madeOf, type Preset, type Source, unbooked } from './preset.ts';
import type { DebitField } from './presets.ts';

/*
 * TigerBeetle, as its change data capture writes it: an event for each transfer, and one where a
 * pending transfer expired. A wallet is an account with one of the codes that the config names. A
 * transfer that debits it spends, one that credits it funds; what is between others moves no wallet.
 */

const types = [
    ...['single_phase', 'two_phase_pending', 'two_phase_posted', 'two_phase_voided'],
    'two_phase_expired',
] as const;

/** What does nothing to the balance of a wallet. */
const idle = (side: string) => types.map((type) => [`${side} ${type}`, unbooked] as const);

const entryTypes: Readonly<Record<string, string>> = {
    ...Object.fromEntries([...idle('funds'), ...idle('passes')]),
    'spends single_phase': 'capture',
    'spends two_phase_pending': 'authorize',
    'spends two_phase_posted': 'capture',
    'spends two_phase_voided': 'release',
    'spends two_phase_expired': 'expire',
    'funds single_phase': 'topup',
    'funds two_phase_posted': 'topup',
};

const codes = ['debit_account.code', 'credit_account.code'];
const expired = "'two_phase_expired'";

/** Ids are 128 bits wide and written as text or number: digits all the same. */
const idOf = (path: string, sql: (id: string) => string): Source => ({
    ...madeOf([path], sql),
    whole: [path],
});

/** 0 stands for none. */
const idOrNone = (path: string) => idOf(path, (id) => `nullif(${id}, '0')`);

/** A hold is named by its own transfer, and by all that end it. An expiry comes with the held one. */
const holdId: Source = {
    ...madeOf(
        ['type', 'transfer.id', 'transfer.pending_id'],
        (type, id, pending) => `case when ${type} in ('two_phase_pending', ${expired}) then ${id}
            else nullif(${pending}, '0') end`,
    ),
    whole: ['transfer.id', 'transfer.pending_id'],
};

/** An expiry is another entry of the same transfer. */
const entryId: Source = {
    ...madeOf(
        ['type', 'transfer.id'],
        (type, id) => `case when ${type} = ${expired} then ${id} || ':expired' else ${id} end`,
    ),
    whole: ['transfer.id'],
};

/** When a hold lapses: seconds after it was made, in nanoseconds. None is 0. */
const expiresAt = madeOf(
    ['type', 'transfer.timestamp', 'transfer.timeout'],
    (type, at, timeout) => `case when ${type} = 'two_phase_pending' and ${timeout} <> '0'
        then cast(try_cast(${at} as hugeint) + try_cast(${timeout} as hugeint) * 1000000000 as varchar)
        end`,
);

/** The preset for an input, which says what codes the accounts of wallets have. */
export function tigerbeetle({ wallet_codes: wallets }: DebitInput): Preset<DebitField> {
    const isWallet = (code: string) =>
        `coalesce(list_contains(${quoteList(wallets)}, ${code}), false)`;
    /** What a transfer does to wallets. Between two of them it is neither: nobody was debited. */
    const side = (debit: string, credit: string) => `case
        when ${isWallet(debit)} and ${isWallet(credit)} then 'swaps'
        when ${isWallet(debit)} then 'spends'
        when ${isWallet(credit)} then 'funds'
        else 'passes' end`;
    const walletId: Source = {
        ...madeOf(
            [...codes, 'debit_account.id', 'credit_account.id'],
            (debit, credit, debitId, creditId) =>
                `case when ${side(debit, credit)} = 'funds' then ${creditId} else ${debitId} end`,
        ),
        whole: ['debit_account.id', 'credit_account.id'],
    };
    const posted = ['debit_account', 'credit_account'].flatMap((account) => [
        ...[`${account}.credits_posted`, `${account}.debits_posted`],
    ]);
    return {
        fields: {
            entry_id: entryId,
            entry_type: {
                paths: [...codes, 'type', 'transfer.code'],
                sql: (debit, credit, type, code) => {
                    const what = `${side(debit, credit)} || ' ' || ${type}`;
                    return [`${what} || ' ' || ${code}`, what];
                },
            },
            authorization_id: holdId,
            event_id: idOrNone('transfer.user_data_128'),
            account_id: walletId,
            wallet_id: walletId,
            asset: 'ledger',
            amount: 'transfer.amount',
            occurred_at: 'timestamp',
            booked_at: 'timestamp',
            expires_at: expiresAt,
            balance_after: madeOf(
                [...codes, ...posted],
                (debit, credit, ...[fromIn, fromOut, toIn, toOut]) => `cast(
                    case when ${side(debit, credit)} = 'funds'
                        then try_cast(${toIn} as hugeint) - try_cast(${toOut} as hugeint)
                        else try_cast(${fromIn} as hugeint) - try_cast(${fromOut} as hugeint)
                    end as varchar)`,
            ),
        },
        instants: 'nanoseconds',
        values: { entry_type: entryTypes },
        // A pending transfer is posted once; what was not posted of it is restored in that instant.
        capturesEndHolds: true,
    };
}
