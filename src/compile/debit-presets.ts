import { stripeExponent, stripeExponents } from '../money/stripe.ts';
import type { DebitInput } from '../schema/config.ts';
import { firstOf, madeOf, type Preset, unbooked } from './preset.ts';
import type { DebitField } from './presets.ts';
import { tigerbeetle } from './tigerbeetle.ts';

/*
 * Debit entries in the shapes that wallets and ledgers write them in. Their words for what an entry
 * does become ours; `unbooked` is what moved no balance. docs/inputs.md has a table for each.
 */

/**
 * Credyt events with what was taken for them. An event has a fee for each product that prices it:
 * they are parts of one debit, so each says its place as the grant that it drew on.
 */
const credyt: Preset<DebitField> = {
    each: 'fees',
    fields: {
        entry_id: madeOf(['id'], (id) => `${id} || ':' || entry_no`),
        grant_id: madeOf([], () => `'fee ' || entry_no`),
        event_id: 'id',
        account_id: 'customer_id',
        asset: 'fees.asset',
        amount: 'fees.amount',
        price_version: madeOf(
            ['fees.product_code', 'fees.product_version'],
            (code, version) => `${code} || ' ' || ${version}`,
        ),
        occurred_at: 'occurred_at',
        booked_at: 'occurred_at',
    },
    constants: { entry_type: 'capture' },
};

/** A path within the debit or credit that a transaction of Stripe is, whichever it has. */
const eitherWay = (path: string) => firstOf(`debit.${path}`, `credit.${path}`);

/**
 * Stripe credit balance transactions. They name the customer only where the grant is expanded. What a
 * line of an invoice took is given back under the same line when its invoice is voided.
 */
const stripeCredits: Preset<DebitField> = {
    fields: {
        entry_id: 'id',
        entry_type: eitherWay('type'),
        authorization_id: firstOf(
            'debit.credits_applied.invoice_line_item',
            'credit.credits_application_invoice_voided.invoice_line_item',
        ),
        account_id: 'credit_grant.customer',
        grant_id: 'credit_grant.id',
        asset: madeOf(
            eitherWay('amount.monetary.currency').paths,
            (debit, credit) => `upper(coalesce(${debit}, ${credit}))`,
        ),
        amount: eitherWay('amount.monetary.value'),
        occurred_at: 'effective_at',
        booked_at: 'created',
    },
    values: {
        entry_type: {
            credits_granted: 'grant',
            credits_application_invoice_voided: 'reverse',
            credits_applied: 'capture',
            credits_expired: 'grant_expire',
            credits_voided: 'grant_expire',
        },
    },
    instants: 'seconds',
    decimals: { of: stripeExponents, otherwise: stripeExponent },
};

/**
 * Lago wallet transactions: they name the wallet and no customer, no currency. One that is not
 * settled has moved nothing, and may be settled later under the same id.
 */
const lagoWallet: Preset<DebitField> = {
    fields: {
        entry_id: 'lago_id',
        entry_type: madeOf(
            ['status', 'transaction_status'],
            (status, type) => `case when ${status} = 'settled' then ${type} else ${status} end`,
        ),
        account_id: 'lago_wallet_id',
        wallet_id: 'lago_wallet_id',
        amount: 'amount',
        occurred_at: 'created_at',
        booked_at: firstOf('settled_at', 'created_at'),
    },
    values: {
        entry_type: {
            purchased: 'topup',
            granted: 'grant',
            invoiced: 'capture',
            voided: 'grant_expire',
            pending: unbooked,
            failed: unbooked,
        },
    },
};

/**
 * Orb credit ledger entries. What the sign of an amount means is not documented: the type of the entry
 * says what it does, and the balances beside it whether that is so. The number of an entry is no `sequence`: a list without the pending ones
 * has holes that mean nothing.
 */
const orbCredits: Preset<DebitField> = {
    fields: {
        entry_id: 'id',
        entry_type: madeOf(
            ['entry_status', 'entry_type'],
            (status, type) => `case when ${status} = 'committed' then ${type} else ${status} end`,
        ),
        event_id: 'event_id',
        account_id: firstOf('customer.external_customer_id', 'customer.id'),
        asset: 'currency',
        amount: 'amount',
        price_version: 'price_id',
        grant_id: 'credit_block.id',
        booked_at: 'created_at',
        balance_before: 'starting_balance',
        balance_after: 'ending_balance',
    },
    values: {
        entry_type: {
            increment: 'grant',
            decrement: 'capture',
            credit_block_expiry: 'grant_expire',
            void: 'grant_expire',
            amendment: 'adjust',
            expiration_change: unbooked,
            void_initiated: unbooked,
            pending: unbooked,
        },
    },
    signs: 'say_nothing',
};

/** OpenMeter credit transactions: their amounts have a sign, and they name no customer. */
const openmeterCredits: Preset<DebitField> = {
    fields: {
        entry_id: 'id',
        entry_type: 'type',
        account_id: 'customer_id',
        asset: 'currency',
        amount: 'amount',
        occurred_at: 'created_at',
        booked_at: 'booked_at',
        balance_before: 'available_balance.before',
        balance_after: 'available_balance.after',
    },
    values: {
        entry_type: {
            funded: 'grant',
            consumed: 'capture',
            expired: 'grant_expire',
            voided: 'grant_expire',
            adjusted: 'adjust',
        },
    },
    signs: 'above_adds',
};

export const debitPresets: Readonly<
    Record<Exclude<DebitInput['preset'], 'neutral'>, (of: DebitInput) => Preset>
> = {
    credyt: () => credyt,
    stripe_credits: () => stripeCredits,
    lago_wallet: () => lagoWallet,
    tigerbeetle,
    orb_credits: () => orbCredits,
    openmeter_credits: () => openmeterCredits,
    none: () => ({ fields: {} }),
};
