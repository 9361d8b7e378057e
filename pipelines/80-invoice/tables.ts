import {
    amount,
    bigint,
    defineTable,
    exactAmount,
    hugeint,
    nullable,
    quantity,
    timestamp,
    varchar,
} from '../../src/duck/table.ts';

const corrected = {
    corrects_line_key: nullable(varchar('Of an adjustment: the line that it corrects.')),
    corrects_period: nullable(varchar('The closed period of that line.')),
    backfill_id: nullable(varchar('The backfill that found it.')),
};

export const lineItems = defineTable('invoice.line_items', {
    comment: 'One row per invoice line.',
    grain: ['line_key'],
    totals: { quantity: 'quantity', amount: 'amount_exact' },
    columns: {
        line_key: varchar('sha256 of what the line is: the same in every run.'),
        invoice_key: varchar('payer_id, period and currency.'),
        line_type: varchar('usage, fee, overage, true_up, ... : see the README.'),
        payer_id: varchar('Account that pays.'),
        payer_name: varchar('Its name.'),
        account_id: varchar('Account that used, or that sums up those below it.'),
        account_name: varchar('Its name.'),
        product: varchar('Product.'),
        meter: varchar('Meter.'),
        attributes: varchar('Canonical JSON of the attributes that selected the rate.'),
        description: varchar('What the customer reads.'),
        period_start: timestamp('Billing period.'),
        period_end: timestamp('First instant after it.'),
        service_start: timestamp('The part of it this rate was in force for.'),
        service_end: timestamp('First instant after that.'),
        time_zone: varchar('Zone of the payer.'),
        quantity: quantity('Quantity.'),
        unit: varchar('Unit.'),
        unit_price: quantity('Price of one unit; where terms price it, the list price.'),
        rate_id: varchar('Rate.'),
        card: varchar('Rate card.'),
        card_version: varchar('Its version.'),
        amount_exact: exactAmount('Never rounded before this.'),
        amount: amount('Rounded once, to the exponent of the currency.'),
        amount_minor: hugeint('The same in minor units.'),
        currency: varchar('ISO 4217.'),
        commitment_id: nullable(varchar('Commitment that it is of, if any.')),
        grant_id: nullable(varchar('Grant that pays, if any.')),
        asset: nullable(varchar('What paid, where something did.')),
        asset_amount: nullable(exactAmount('How much of that.')),
        ...corrected,
        recon_status: varchar('clear, held or unauditable.'),
    },
});

const payer = { payer_id: varchar('Account that pays.') };
const currency = { currency: varchar('ISO 4217: that of the payer.') };

export const overages = defineTable('invoice.overages', {
    comment:
        'One row per commitment and product: what usage above it costs more than its own price.',
    grain: ['payer_id', 'commitment_id', 'product'],
    columns: {
        ...payer,
        commitment_id: varchar('Commitment.'),
        product: varchar('Product of the usage.'),
        amount_minor: hugeint('In minor units; below zero where overage is cheaper.'),
    },
});

export const statements = defineTable('invoice.commitments', {
    comment: 'One row per commitment: what was promised, what counted, and what bills the rest.',
    grain: ['payer_id', 'commitment_id'],
    columns: {
        ...payer,
        commitment_id: varchar('contract/commitment.'),
        kind: varchar('postpaid or prepaid.'),
        measure: varchar('amount: sizes are money; quantity: they are units.'),
        window_start: timestamp('First instant of its window.'),
        window_end: timestamp('First instant after it.'),
        committed: amount('Promised; cumulative: up to the end of the window.'),
        counted_before: amount('Counted before the period.'),
        counted: amount('Counted up to its end.'),
        shortfall: amount('What is lacking so far, whether it is due or not.'),
        true_up: amount('Money that bills it now.'),
        overage: amount('Money that usage above it costs more.'),
        ...currency,
    },
});

export const draws = defineTable('invoice.draw_downs', {
    comment: 'One row per part of a line and grant that pays it: the ledger, in the asset.',
    grain: ['payer_id', 'grant_id', 'charge_no'],
    columns: {
        ...payer,
        grant_id: varchar('Grant.'),
        charge_no: bigint('Order in which parts of lines draw.'),
        line_key: varchar('Line that is paid.'),
        account_id: varchar('Account that used.'),
        product: varchar('Product.'),
        asset: varchar('Asset of the grant.'),
        drawn: amount('In the asset.'),
        balance: amount('What the grant has left after it.'),
        amount_minor: hugeint('Paid, in minor units.'),
        amount: amount('The same in money.'),
        ...currency,
    },
});

export const balances = defineTable('invoice.balances', {
    comment: 'One row per grant, in its asset: opening + granted - drawn - expired = closing.',
    grain: ['payer_id', 'grant_id'],
    columns: {
        ...payer,
        grant_id: varchar('Grant.'),
        asset: varchar('Asset.'),
        opening: amount('Balance before the period.'),
        granted: amount('Given in the period.'),
        drawn: amount('What paid for charges.'),
        expired: amount('What was left when it ended.'),
        rolled_over: amount('The part of that which goes to its rollover.'),
        closing: amount('What is left for later.'),
        ...currency,
        rate: nullable(amount('Money of one unit; null where that is what its line says.')),
    },
});

export const otherLines = defineTable('invoice.other_lines', {
    comment:
        'One row per line that is not usage: of a commitment, a grant, a wallet or a backfill.',
    grain: ['line_type', 'payer_id', 'account_id', 'product', 'source_id'],
    columns: {
        line_type: varchar('overage, commitment_fee, true_up, ... : see the README.'),
        ...payer,
        account_id: varchar('Account of the contract, or in whose lines a payment is shown.'),
        product: varchar('Product.'),
        source_id: varchar('The commitment, grant, asset or correction that it is of.'),
        description: varchar('What the customer reads.'),
        service_start: timestamp('The part of the period it is for.'),
        service_end: timestamp('First instant after that.'),
        amount_minor: hugeint('In minor units; below zero for what was paid.'),
        ...currency,
        commitment_id: nullable(varchar('Commitment that it is of, if any.')),
        grant_id: nullable(varchar('Grant that pays, if any.')),
        asset: nullable(varchar('What paid, where something did.')),
        asset_amount: nullable(exactAmount('How much of that.')),
        ...corrected,
    },
});

export const closings = defineTable('invoice.closings', {
    comment: 'One row per count or balance that the next period opens with.',
    grain: ['contract', 'product', 'meter', 'commitment', 'grant'],
    columns: {
        contract: varchar('Contract.'),
        product: varchar('Product that its term counts; else empty.'),
        meter: varchar('Meter of that; else empty.'),
        commitment: varchar('Commitment of the contract; else empty.'),
        grant: varchar('Grant of the contract; else empty.'),
        period: varchar('The period that it opens, yyyy-MM.'),
        quantity: quantity('Units, money or asset, as its opening is.'),
    },
});

/** Filled from the log and the backfills that it names. */
export const corrections = defineTable('rules.corrections', {
    comment: 'One row per line of a closed period that is corrected in this one.',
    grain: ['kind', 'backfill_id', 'corrects_line_key'],
    columns: {
        kind: varchar('backfill, or revert: the same with the other sign.'),
        backfill_id: varchar('The backfill that found it.'),
        corrects_line_key: varchar('The line.'),
        corrects_period: varchar('Its period, yyyy-MM.'),
        ...payer,
        account_id: varchar('Account of the line.'),
        product: varchar('Its product.'),
        description: varchar('What the customer reads.'),
        service_start: timestamp('The time that the line is for.'),
        service_end: timestamp('First instant after it.'),
        amount_minor: hugeint('What is billed more, or below zero less, in minor units.'),
        ...currency,
    },
});

/** Filled from the log and the totals that backfills state beside their lines. */
export const correctionTotals = defineTable('rules.correction_totals', {
    comment: 'One row per backfill, corrected period, payer and currency: what is to be billed.',
    grain: ['kind', 'backfill_id', 'corrects_period', 'payer_id', 'currency'],
    columns: {
        kind: varchar('backfill or revert.'),
        backfill_id: varchar('Backfill.'),
        corrects_period: varchar('The closed period, yyyy-MM.'),
        ...payer,
        amount_minor: hugeint('The sum of its corrections, in minor units.'),
        ...currency,
    },
});
