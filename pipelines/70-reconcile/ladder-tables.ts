import {
    bigint,
    boolean,
    defineTable,
    exactAmount,
    nullable,
    quantity,
    typed,
    varchar,
} from '../../src/duck/table.ts';

/*
 * What the config says of matching: rules that are off, what is suggested, what is accepted by rule;
 * and what was accepted within tolerance, and was suggested, by that.
 */

/** Filled from the config. */
export const offRules = defineTable('rules.off_rules', {
    comment: 'One row per asset and rule of the ladder that is off for it.',
    grain: ['asset', 'rule'],
    columns: { asset: varchar('Asset.'), rule: varchar('R2 to R5.') },
});

/** Filled from the presets of the config. */
export const finalInputs = defineTable('rules.final_inputs', {
    comment: 'One row per debit input whose captures end their holds: what is left is given back.',
    grain: ['input'],
    columns: { input: varchar('Input.') },
});

/** Filled from the config. */
export const acceptRules = defineTable('rules.accept_rules', {
    comment: 'One row per rule that accepts small breaks, and code that it names.',
    grain: ['rule_no', 'code'],
    columns: {
        rule_no: bigint('Order in the config: the first that fits a break decides.'),
        rule: varchar('Its name.'),
        code: varchar('Class of break.'),
        currency: nullable(varchar('ISO 4217; null for each alike.')),
        up_to: quantity('What one break may be worth.'),
        total: quantity('What all that it accepts may be worth, each without its sign.'),
        is_by_payer: boolean('Whether that is of each payer, or of the whole run.'),
    },
});

/** Filled from the config: one row, or none where nothing is suggested. */
export const suggestRules = defineTable('rules.suggest_rules', {
    comment: 'One row: how far apart what is suggested may be.',
    grain: ['window_minutes'],
    columns: {
        window_minutes: bigint('Between usage and debit, either way.'),
        is_tolerant: boolean('Whether amounts may differ within tolerance.'),
    },
});

export const walletAssets = defineTable('recon.wallet_assets', {
    comment: 'One row per asset, with the instants at which what it is worth in money changes.',
    grain: ['asset'],
    storage: 'view',
    columns: {
        asset: varchar('Code.'),
        kind: varchar('currency or unit.'),
        tolerance: quantity('Accepted difference of one match, absolute.'),
        tolerance_percent: quantity('Accepted share of the expected amount, in percent.'),
        tolerance_cap: nullable(quantity('Limit of that share.')),
        tolerance_amount: exactAmount('The absolute one, as amounts are compared.'),
        is_tolerant: boolean('Whether R2 accepts differences within tolerance.'),
        is_by_day: boolean('Whether R4 compares days with aggregated debits.'),
        rate_changes: nullable(
            typed('TIMESTAMP[]', 'Since when it has each of its rates; null where it has one.'),
        ),
    },
});

export const acceptedDifferences = defineTable('recon.accepted_differences', {
    comment: 'One row per payer, account and asset with differences within tolerance.',
    grain: ['payer_id', 'account_id', 'asset'],
    columns: {
        break_id: varchar('Of the break that they are once they are over the limit.'),
        payer_id: varchar('Payer.'),
        account_id: varchar('Account.'),
        asset: varchar('Asset.'),
        match_count: bigint('Matches within tolerance (R2).'),
        expected: exactAmount('What usage says of all that matched so.'),
        actual: exactAmount('What was debited for it.'),
        difference: exactAmount('expected - actual.'),
        accepted: exactAmount('The differences added without their signs.'),
        of_payer: exactAmount('The same of all accounts of the payer.'),
        money: nullable(exactAmount('Worth of that usage.')),
        currency: nullable(varchar('ISO 4217.')),
        is_within: boolean('Whether that is within the limit of the asset, or there is none.'),
    },
});

export const suggestions = defineTable('recon.suggestions', {
    comment: 'One row per usage without a debit and debit without usage that may be one (R6).',
    grain: ['break_id'],
    columns: {
        break_id: varchar('The usage.'),
        other_break_id: varchar('The debit.'),
        account_id: varchar('Account of both.'),
        asset: varchar('Asset of both.'),
        break_key: varchar('Event of the usage.'),
        other_break_key: varchar('What the debit names.'),
        amount: exactAmount('What the usage says, in the asset.'),
        other_amount: exactAmount('What was debited.'),
        why: varchar('What speaks for it.'),
    },
});
