import {
    bigint,
    date,
    defineTable,
    exactAmount,
    nullable,
    quantity,
    timestamp,
    varchar,
    varcharList,
} from '../../src/duck/table.ts';

/** Filled from the compiled rate card. */
export const rates = defineTable('rules.rates', {
    comment: 'One row per rate: a pattern of attributes, a span of time, a price.',
    grain: ['rate_id'],
    columns: {
        rate_id: varchar('Identity of the rate.'),
        card: varchar('Rate card.'),
        card_version: varchar('Its version.'),
        product: varchar('Product the line will name.'),
        description: varchar('What the line will say.'),
        meter: varchar('Meter it prices.'),
        mask: varcharList('Names of the attributes that are not wildcards, sorted.'),
        match_key: varchar('Canonical JSON of those attributes with their values.'),
        specificity: bigint('How many there are.'),
        priority: bigint('Higher wins among equals.'),
        effective_from: timestamp('First instant.'),
        effective_to: nullable(timestamp('First instant after it; null while open.')),
        unit_price: quantity('Price of one unit, or what it is expected to cost: the list price.'),
        model: varchar('Charge model.'),
        terms: nullable(varchar('JSON of model and modifiers; null for a bare per_unit.')),
        currency: varchar('ISO 4217.'),
        unit: varchar('Unit.'),
        file: varchar('Where it is written.'),
        line: bigint('Line there.'),
    },
});

/** Filled from the contracts and the config. */
export const bookCards = defineTable('rules.book_cards', {
    comment: 'One row per book and card of it: the cards that price together, and in what.',
    grain: ['book_id', 'card'],
    columns: {
        book_id: varchar('The book.'),
        card: varchar('Rate card.'),
        currency: varchar('ISO 4217: of the card, or the one that it is converted to.'),
    },
});

/** Filled from the file of currency rates: what rates were converted by. No stage reads it. */
export const currencyRates = defineTable('rules.currency_rates', {
    comment: 'One row per pair of currencies that prices are converted between: its one rate.',
    grain: ['from_currency', 'to_currency'],
    columns: {
        from_currency: varchar('Of the card.'),
        to_currency: varchar('Of the payer.'),
        rated_on: date('Civil date that it was stated for.'),
        rate: quantity('Money of to_currency for one of from_currency.'),
        source: varchar('Who stated it.'),
    },
});

/** Filled from the same: what could not be converted. */
export const missingConversions = defineTable('rules.missing_conversions', {
    comment: 'One row per pair of currencies that has no rate for the period.',
    grain: ['from_currency', 'to_currency'],
    columns: {
        from_currency: varchar('Of the card.'),
        to_currency: varchar('Of the payer.'),
        evidence: varchar('Why there is none: the pair, the date, what the file has.'),
    },
});

const choiceColumns = {
    meter: varchar('Meter.'),
    book_id: varchar('Book that the usage is priced by.'),
    attributes: varchar('Attributes as metered.'),
    segment_at: timestamp('Segment.'),
    rate_id: varchar('The one rate that matches.'),
    product: varchar('Product.'),
    unit_price: quantity('Price of one unit.'),
    currency: varchar('ISO 4217.'),
};

export const rateCandidates = defineTable('rated.rate_candidates', {
    comment: 'One row per metered combination and rate that matches it, best first.',
    grain: ['meter', 'book_id', 'attributes', 'segment_at', 'rate_id'],
    columns: {
        ...choiceColumns,
        specificity: bigint('Attributes that are not wildcards.'),
        priority: bigint('Priority.'),
        effective_from: timestamp('Since when.'),
        choice_no: bigint('1 for the one that prices.'),
    },
});

export const rateChoices = defineTable('rated.rate_choices', {
    comment: 'One row per metered combination that has a rate.',
    grain: ['meter', 'book_id', 'attributes', 'segment_at'],
    columns: choiceColumns,
});

const meteredKey = {
    meter: varchar('Meter.'),
    account_id: varchar('Account that used.'),
    payer_id: varchar('Account that pays.'),
    pool_id: varchar('Account whose pool of tiers it counts in.'),
    wallet_asset: varchar('Asset its wallet is debited in.'),
    book_id: varchar('Cards that price it.'),
    channel_id: varchar('Who sells it on to whom.'),
    attributes: varchar('Attributes.'),
    unit: varchar('Unit.'),
    segment_at: timestamp('Segment.'),
    event_on: date('UTC day.'),
    quantity: quantity('Quantity.'),
    event_count: bigint('Events behind it.'),
};
const grain = [
    ...['meter', 'account_id', 'payer_id', 'pool_id', 'wallet_asset', 'book_id'],
    ...['channel_id', 'attributes', 'segment_at', 'event_on'],
];

export const ratedUsage = defineTable('rated.usage', {
    comment: 'One row per metered usage row, priced by exactly one rate.',
    grain,
    totals: { quantity: 'quantity', amount: 'amount' },
    columns: {
        ...meteredKey,
        rate_id: varchar('Rate that matched.'),
        product: varchar('Product.'),
        unit_price: quantity('Price of one unit.'),
        amount: exactAmount('quantity x unit_price, unrounded.'),
        currency: varchar('ISO 4217.'),
    },
});

export const unratedUsage = defineTable('suspense.unrated_usage', {
    comment: 'One row per metered usage row that no rate matches: never priced at zero.',
    grain,
    totals: { quantity: 'quantity' },
    columns: {
        ...meteredKey,
        code: varchar(
            'UNRATED; RATE_CURRENCY or CONVERSION_MISSING when a card is in another one.',
        ),
        evidence: nullable(varchar('Of a conversion, why it is missing.')),
    },
});
