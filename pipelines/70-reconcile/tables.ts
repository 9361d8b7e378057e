import {
    amount,
    bigint,
    boolean,
    date,
    defineTable,
    exactAmount,
    nullable,
    quantity,
    tableLike,
    timestamp,
    typed,
    varchar,
} from '../../src/duck/table.ts';

export const dayReversals = defineTable('recon.day_reversals', {
    isPartial: true,
    comment: 'One row per reversal of an entry that stands for a day.',
    grain: ['input', 'entry_id'],
    columns: {
        input: varchar('Input.'),
        entry_id: varchar('The reversal.'),
        day: date('Day of its original.'),
    },
});

export const entries = defineTable('recon.entries', {
    comment: 'One row per debit entry of the usage family, with its payer and its effect.',
    grain: ['input', 'entry_id'],
    storage: 'view',
    columns: {
        input: varchar('Input.'),
        entry_id: varchar('Entry.'),
        entry_type: varchar('What it does.'),
        authorization_id: nullable(varchar('Authorization.')),
        event_id: nullable(varchar('Usage event.')),
        account_id: varchar('Account whose wallet it is.'),
        payer_id: nullable(varchar('Its payer; null for an unknown account.')),
        wallet_id: nullable(varchar('Wallet.')),
        asset: varchar('Asset.'),
        amount: quantity('Magnitude.'),
        debit_amount: exactAmount('Signed effect on the wallet.'),
        quantity: nullable(quantity('What the wallet layer thought it sold.')),
        meter: nullable(varchar('What an aggregated debit counts.')),
        grant_id: nullable(varchar('Grant touched.')),
        reversal_of: nullable(varchar('Entry undone.')),
        occurred_at: nullable(timestamp('When the usage happened.')),
        booked_at: timestamp('When it was booked.'),
        expires_at: nullable(timestamp('When a hold lapses.')),
        sequence: nullable(bigint('Position in the wallet.')),
        is_aggregated: boolean('Stands for a day, not for an event.'),
        is_in_period: boolean('Booked within the period of its payer.'),
    },
});

export const sharedHolds = defineTable('recon.shared_holds', {
    isPartial: true,
    comment: 'One row per authorization with captures for more than one event.',
    grain: ['authorization_id'],
    columns: { authorization_id: varchar('Authorization.') },
});

export const kin = defineTable('recon.kin', {
    comment: 'One row per account and account above it, at whatever time.',
    grain: ['account_id', 'ancestor_id'],
    columns: { account_id: varchar('Account.'), ancestor_id: varchar('Account above it.') },
});

export const wholeCaptures = defineTable('recon.whole_captures', {
    isPartial: true,
    comment: 'One row per hash of an event id with one hold and one capture of all of it.',
    grain: ['key_hash'],
    columns: { key_hash: typed('UBIGINT', 'Hash of the event id.') },
});

export const busyIds = defineTable('recon.busy_ids', {
    isPartial: true,
    comment:
        'One row per hash of an event id whose debits are more than a capture, or a hold and it.',
    grain: ['key_hash'],
    columns: { key_hash: typed('UBIGINT', 'Hash of the event id.') },
});

export const histories = defineTable('recon.histories', {
    isPartial: true,
    comment:
        'One row per entry that is not one plain capture of one event, with the life it belongs to.',
    grain: ['input', 'entry_id'],
    columns: {
        input: varchar('Input.'),
        entry_id: varchar('Entry.'),
        entry_type: varchar('What it does.'),
        event_key: varchar('Event id, or the authorization or entry where no event is named.'),
        authorization_id: nullable(varchar('Authorization it belongs to.')),
        is_by_authorization: boolean('Whether the event was found through its authorization.'),
        account_id: varchar('Account whose wallet it is.'),
        payer_id: nullable(varchar('Its payer.')),
        asset: varchar('Asset.'),
        amount: quantity('Magnitude.'),
        debit_amount: exactAmount('Signed effect.'),
        quantity: nullable(quantity('What was sold.')),
        grant_id: nullable(varchar('Grant touched.')),
        booked_at: timestamp('When.'),
        expires_at: nullable(timestamp('When a hold lapses.')),
        is_in_period: boolean('Booked within the period.'),
        entry_no: bigint('Order within the life.'),
        fate: varchar('main, reversed, or the code of the break that the entry is on its own.'),
    },
});

const position = {
    event_key: varchar('Event id, or what stands for it.'),
    account_id: varchar('Account debited.'),
    payer_id: nullable(varchar('Its payer.')),
    asset: varchar('Asset debited.'),
    captured_at: timestamp('When what speaks for the life was booked.'),
    captured: exactAmount('Captured and not reversed.'),
    returned: exactAmount('Given back of captures that were not undone whole.'),
    authorized: exactAmount('Held.'),
    released: exactAmount('Given back.'),
    expired: exactAmount('Lapsed.'),
    period_amount: exactAmount('Net effect booked within the period.'),
    quantity: nullable(quantity('What the wallet layer thought it sold.')),
    is_declined: boolean('The authorization was refused.'),
    is_reversed: boolean('A capture was undone whole.'),
    is_captured_late: boolean('Captured after the hold was gone.'),
    is_by_authorization: boolean('Found through its authorization.'),
    has_authorization: boolean('An entry of it names an authorization.'),
    capture_count: bigint('Live captures.'),
    entry_count: bigint('Entries.'),
    period_entry_count: bigint('Entries booked within the period.'),
    first_booked_at: timestamp('First entry.'),
    last_booked_at: timestamp('Last entry.'),
    entry_ids: varchar('Entries, in order.'),
    hold_authorized: exactAmount('Held, for all events of the authorization together.'),
    hold_captured_before: exactAmount('What earlier events of the authorization took of that.'),
    open_hold: exactAmount('Held and neither taken nor given back; with the last of its events.'),
};

export const positions = defineTable('recon.positions', {
    isPartial: true,
    comment: 'One row per life of debits: what was held, taken and given back in it.',
    grain: ['event_key'],
    columns: position,
});

/** The shape every outcome has, so that all of them can be counted together. */
const judged = {
    fate: varchar('match, break, closed, pending or unauditable.'),
    code: varchar('Rule that matched (R1..R5) or code of the break.'),
    break_key: varchar('What a person looks for; empty for matches, which are summed.'),
    usage_payer_id: nullable(varchar('Payer of the usage.')),
    usage_account_id: nullable(varchar('Account that used.')),
    usage_asset: nullable(varchar('Asset its wallet is debited in.')),
    debit_payer_id: nullable(varchar('Payer of the debited account.')),
    debit_account_id: nullable(varchar('Account debited.')),
    debit_asset: nullable(varchar('Asset debited.')),
};
const sums = {
    expected: exactAmount('What usage of the period says, in the asset.'),
    actual: exactAmount('What was debited in the period, in the asset.'),
    money: nullable(exactAmount('Worth of that usage in money.')),
    currency: nullable(varchar('ISO 4217.')),
    captured: exactAmount('What was debited whenever, in the asset, and not given back.'),
    accepted: exactAmount('Differences accepted within tolerance, each without its sign.'),
    products: varchar('Products that a prepaid wallet pays for; empty for none.'),
    rate_at: nullable(timestamp('Whose rate of the asset counts; null where there is one.')),
    usage_count: bigint('Usage events of the period.'),
    entry_count: bigint('Debit entries booked in the period.'),
};
const evidence = {
    counted_quantity: nullable(quantity('Of a break: what the wallet layer counts of the usage.')),
    debited_quantity: nullable(quantity('Of a break: what the wallet layer thought it sold.')),
    debit_count: nullable(bigint('Of a break: debits that may each have been rounded.')),
    entry_ids: varchar('Entries of a break.'),
    detail: varchar('The figures behind the code.'),
};
const outcome = {
    ...judged,
    event_id: nullable(varchar('Event of a break.')),
    ...sums,
    first_at: timestamp('Earliest instant on either side.'),
    ...evidence,
};
const outcomeGrain = [
    ...['fate', 'code', 'break_key', 'usage_payer_id', 'usage_account_id', 'usage_asset'],
    ...['debit_payer_id', 'debit_account_id', 'debit_asset', 'currency', 'products', 'rate_at'],
];
const outcomeTable = (name: string, comment: string) =>
    defineTable(name, {
        comment,
        isPartial: true,
        grain: outcomeGrain,
        columns: outcome,
    });

export const plainOutcomes = outcomeTable(
    'recon.plain_outcomes',
    'One row per break between an event and its one capture; matches summed by account and rule.',
);
export const lifeOutcomes = outcomeTable(
    'recon.life_outcomes',
    'One row per break between an event and a life of debits; matches summed the same way.',
);
export const groupOutcomes = outcomeTable(
    'recon.group_outcomes',
    'One row per day of an account with aggregated debits: many events to one entry (R4).',
);
export const entryOutcomes = outcomeTable(
    'recon.entry_outcomes',
    'One row per entry that is a break of its own: repeated debits, reversals of nothing.',
);

export const outcomes = defineTable('recon.outcomes', {
    comment:
        'One row per outcome of any kind: the partition of all usage and debits of the period.',
    grain: [...outcomeGrain, 'event_id', 'detail'],
    columns: {
        ...judged,
        event_id: outcome.event_id,
        authorization_id: nullable(varchar('Authorization of the first entry of a break.')),
        ...sums,
        first_at: nullable(timestamp('Earliest instant on either side of a break.')),
        ...evidence,
        paid: exactAmount('What a prepaid wallet paid of that usage, in the asset.'),
    },
});

/** What an earlier run of the period found of rows that this one does not look at again. */
export const carriedOutcomes = tableLike(
    'carried.outcomes',
    'What was found before, as recon.outcomes.',
    outcomes,
);

export const foundBreaks = defineTable('recon.found_breaks', {
    comment: 'One row per difference between usage and debits, of whatever size.',
    grain: ['break_id'],
    storage: 'view',
    columns: {
        break_id: varchar('sha256 of code and keys: the same in every run.'),
        code: varchar('Class of break.'),
        break_key: varchar('What a person looks for.'),
        payer_id: nullable(varchar('Payer.')),
        account_id: nullable(varchar('Account that used, or was debited.')),
        asset: nullable(varchar('Asset.')),
        amount: exactAmount('Effect on rated - debited in the asset.'),
        expected: exactAmount('What usage says.'),
        actual: exactAmount('What was debited.'),
        money_amount: nullable(exactAmount('The difference in money.')),
        currency: nullable(varchar('ISO 4217.')),
        event_id: nullable(varchar('Usage event.')),
        authorization_id: nullable(varchar('Authorization.')),
        entry_ids: varchar('Debit entries, separated by spaces; a space of an id is %20.'),
        first_at: nullable(timestamp('Earliest instant on either side.')),
        age_days: bigint('Whole days to as_of.'),
        detail: varchar('The figures behind the code.'),
    },
});

export const breaks = defineTable('recon.breaks', {
    comment: 'One row per difference between usage and debits that someone has to look at.',
    grain: ['break_id'],
    columns: {
        ...foundBreaks.columns,
        accepted_by: varchar('Rule of `reconcile.accept` that accepts it; empty for none.'),
    },
});

export const breakLegs = defineTable('recon.break_legs', {
    comment: 'One row per account and asset a break touches: how it enters the tie-out.',
    grain: ['break_id', 'account_id', 'asset'],
    columns: {
        break_id: varchar('Break.'),
        code: varchar('Its code.'),
        account_id: varchar('Account.'),
        asset: varchar('Asset.'),
        amount: exactAmount('Effect on rated - debited.'),
    },
});

export const matches = defineTable('recon.matches', {
    comment:
        'One row per rule, account and asset: what agreed, and the difference within tolerance.',
    grain: ['rule', 'account_id', 'asset'],
    columns: {
        rule: varchar('R1 exact, R2 within tolerance, R3 by authorization, R4 groups, R5 splits.'),
        account_id: varchar('Account.'),
        asset: varchar('Asset.'),
        usage_count: bigint('Events.'),
        entry_count: bigint('Entries.'),
        expected: exactAmount('What usage says.'),
        actual: exactAmount('What was debited.'),
        difference: exactAmount('Accepted difference.'),
    },
});

/** The two sides that are compared, as their sources have them. */
export const sides = defineTable('recon.sides', {
    comment: 'One row per side, account and asset: how much of it is in the period.',
    grain: ['side', 'account_id', 'asset'],
    columns: {
        side: varchar('usage or debits.'),
        account_id: varchar('Account that used, or whose wallet it is.'),
        asset: varchar('Asset of its wallet, or of the debits.'),
        record_count: bigint('Metered events, or entries.'),
        amount: nullable(exactAmount('What the wallet should count of usage; debited, net.')),
    },
});

export const carriedSides = tableLike(
    'carried.sides',
    'What was counted of usage before, as recon.sides.',
    sides,
);

export const tieOuts = defineTable('recon.tie_outs', {
    comment: 'One row per account and asset: rated - debited, and everything that explains it.',
    grain: ['account_id', 'asset'],
    columns: {
        payer_id: varchar('Its latest payer; empty for an unknown account.'),
        account_id: varchar('Account.'),
        asset: varchar('Asset.'),
        status: varchar('tied, or unauditable where no log exists.'),
        rated: exactAmount('Usage in the asset, from the charges or the counted events.'),
        debited: exactAmount('Net debits booked in the period, from the log.'),
        difference: exactAmount('rated - debited.'),
        broken: exactAmount('Sum of the breaks.'),
        rounding: exactAmount('Sum of accepted differences.'),
        repriced: exactAmount('What terms changed against the list price, known at the end.'),
        unexplained: exactAmount('What is left. Must be zero.'),
    },
});

export const walletPayments = defineTable('recon.wallet_payments', {
    comment: 'One row per account, product and rate: usage of the period that its wallet paid for.',
    grain: ['payer_id', 'account_id', 'product', 'asset', 'rate_from'],
    totals: { amount: 'amount' },
    columns: {
        payer_id: varchar('Account that pays.'),
        account_id: varchar('Account that used.'),
        product: varchar('Product of the charges that were paid for.'),
        asset: varchar('Asset of the wallet.'),
        rate_from: timestamp('Since when the asset has its rate; 0001-01-01 for money.'),
        asset_amount: exactAmount('Debited for that usage, in the asset.'),
        rate: amount('Money of one unit on the day of the debit; 1 for money.'),
        amount: exactAmount('asset_amount x rate.'),
        currency: varchar('ISO 4217: that of the payer.'),
    },
});

export const holds = defineTable('recon.holds', {
    comment: 'One row per payer: what its breaks come to, and whether its lines may go out.',
    grain: ['payer_id'],
    totals: { amount: 'amount_exact' },
    columns: {
        payer_id: varchar('Payer.'),
        payer_name: varchar('Its name.'),
        currency: varchar('ISO 4217.'),
        amount_exact: exactAmount('Its charges, unrounded.'),
        break_count: bigint('Its breaks that no rule accepts.'),
        unpriced_count: bigint('Breaks and fees without a worth in money: any one holds.'),
        fee_count: bigint('Fees among those.'),
        break_money: amount('Sum of the worth of its breaks, each without its sign.'),
        hold_limit: amount('Above this its lines are held.'),
        unrated_count: bigint('Rows of metered usage that nothing prices: any one holds.'),
        recon_status: varchar('clear, held or unauditable.'),
    },
});
