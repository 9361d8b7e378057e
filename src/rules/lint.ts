import { allBooks, type Contracts } from '../compile/contracts.ts';
import type { FileProblem } from '../errors/index.ts';
import { isCurrency } from '../money/currency.ts';
import { didYouMean } from '../schema/suggest.ts';
import { chargesAccounts, readTerms } from '../schema/terms.ts';
import { formatInstant } from '../time/instant.ts';
import { type CompiledCard, type CompiledCharge, describePattern } from './card.ts';
import { inFileOrder, Problems } from './problems.ts';
import { groupBy, placeOf, type Span, spansOf, textOf } from './spans.ts';
import { lintTies } from './ties.ts';

/** What the config knows: each meter with the attributes that a rate may name. */
export interface KnownMeters {
    readonly meters: Readonly<Record<string, readonly string[]>>;
}

/**
 * What is wrong with a card that can be read: names that do not exist, prices that cannot be meant,
 * and rates among which the matching law finds two, or none. Any problem stops the run.
 */
export function lintCard(
    card: CompiledCard,
    { known }: { readonly known: KnownMeters },
): readonly FileProblem[] {
    const problems = new Problems();
    if (!isCurrency(card.currency)) {
        const upper = card.currency.toUpperCase();
        problems.add(card.currencyAt, 'UNKNOWN_CURRENCY', `${card.currency} is not a currency`, {
            remedy: isCurrency(upper)
                ? `Did you mean "${upper}"?`
                : 'Use a code of ISO 4217: "USD".',
        });
    }
    for (const charge of card.charges) lintNames(charge, known, problems);
    const spans = spansOf(card.rates);
    for (const span of spans) lintRate(span, problems);
    const live = spans.filter(({ from, to }) => from < to);
    for (const ofPattern of byPattern(live)) lintGaps(ofPattern, problems);
    lintLaw(live, problems);
    return inFileOrder(problems.list);
}

const byPattern = (spans: readonly Span[]) =>
    groupBy(spans, ({ rate }) => JSON.stringify([rate.meter, rate.match_key])).values();

/** Rates that hold together: wherever the matching law would find two. */
function lintLaw(live: readonly Span[], problems: Problems): void {
    for (const ofPattern of byPattern(live)) {
        const byPriority = groupBy(ofPattern, ({ rate }) => `${rate.priority}`);
        for (const rivals of byPriority.values()) lintOverlaps(rivals, problems);
        lintRivals(ofPattern, problems);
    }
    lintTies(live, problems);
}

/**
 * What is wrong between the cards of a book, while it is in force: rates of two cards among which
 * the matching law finds two. Each card by itself is for `lintCard`, and has to be right.
 */
export function lintBooks(
    contracts: Contracts,
    cards: readonly CompiledCard[],
): readonly FileProblem[] {
    const rates = new Map(cards.map((card) => [card.card, card.rates]));
    const found = new Map<string, FileProblem>();
    for (const book of allBooks(contracts).filter((of) => of.cards.length > 1)) {
        const spans = spansOf(book.cards.flatMap((card) => rates.get(card) ?? []));
        const inForce = contracts.contracts
            .flatMap(({ books }) => books)
            .filter(({ book_id }) => book_id === book.book_id);
        for (const { from, to } of inForce) {
            const problems = new Problems();
            // Of two rates that meet within the book, both are in force in it: none is told of that
            // only overlap outside of it.
            const live = spans.filter((of) => of.from < of.to && of.from < to && of.to > from);
            lintLaw(live, problems);
            for (const problem of problems.list) {
                found.set(`${problem.file}:${problem.line}: ${problem.message}`, problem);
            }
        }
    }
    return inFileOrder([...found.values()]);
}

/** Once for a charge: a wrong name in a matrix of 10,000 rows is one mistake. */
function lintNames(charge: CompiledCharge, known: KnownMeters, problems: Problems): void {
    const { meter, meterAt } = charge;
    const attributes = Object.hasOwn(known.meters, meter) ? known.meters[meter] : undefined;
    if (!attributes) {
        problems.add(meterAt, 'UNKNOWN_METER', `no meter is called "${meter}"`, {
            remedy: didYouMean(meter, Object.keys(known.meters)),
        });
        return;
    }
    for (const [name, at] of Object.entries(charge.attributes)) {
        if (attributes.includes(name)) continue;
        problems.add(at, 'UNKNOWN_ATTRIBUTE', `meter ${meter} has no attribute "${name}"`, {
            remedy: didYouMean(name, attributes),
        });
    }
}

function lintRate(span: Span, problems: Problems): void {
    const { rate, from, to } = span;
    if (rate.unit_price.startsWith('-')) {
        problems.add(
            placeOf(span),
            'NEGATIVE_PRICE',
            `the price of one unit is ${rate.unit_price}`,
            {
                remedy: 'A rate never pays the customer: use a credit for that.',
            },
        );
    }
    if (from >= to) {
        const times = `it begins at ${rate.effective_from} and ends at ${rate.effective_to}`;
        problems.add(placeOf(span), 'EMPTY_SPAN', `this rate never holds: ${times}`, {
            remedy: 'The end is the first instant after it: it must be later than from.',
        });
    }
}

/** Rates of one pattern and priority, in the order of time: no two may hold at once. */
function lintOverlaps(spans: readonly Span[], problems: Problems): void {
    let longest: Span | undefined;
    for (const span of spans) {
        if (longest && span.from < longest.to) reportOverlap(longest, span, problems);
        if (!longest || span.to > longest.to) longest = span;
    }
}

function reportOverlap(first: Span, second: Span, problems: Problems): void {
    const what = describePattern(second.pattern);
    const isSame =
        first.from === second.from &&
        first.to === second.to &&
        first.rate.unit_price === second.rate.unit_price &&
        first.rate.terms === second.rate.terms;
    if (isSame) {
        problems.add(
            placeOf(second),
            'DUPLICATE_RATE',
            `this rate is also at ${textOf(first)}: ${what}`,
            {
                remedy: 'Keep one of them.',
            },
        );
        return;
    }
    const other = textOf(first);
    const prices = `${priceOf(second)} here and ${priceOf(first)} at ${other}`;
    const from = second.rate.effective_from;
    problems.add(
        placeOf(second),
        'RATE_OVERLAP',
        `two rates hold at once from ${from} for ${what}: ${prices}`,
        { remedy: remedyOf(first, second) },
    );
}

/** Between a fee and what usage costs no priority decides: see lintRivals. */
function remedyOf(first: Span, second: Span): string {
    const keep =
        first.from < second.from
            ? `End the one at ${textOf(first)} with ${second.rate.effective_from}`
            : 'Keep one of them';
    return isFee(first) === isFee(second)
        ? `${keep}, or give one a higher priority.`
        : `${keep}, or give the fee a meter of its own, over the same events.`;
}

function isFee({ rate }: Span): boolean {
    return rate.terms !== null && chargesAccounts(readTerms(rate.terms));
}

/** A price for people; of terms their model. */
function priceOf({ rate }: Span): string {
    return rate.terms === null ? rate.unit_price : `${rate.model} terms`;
}

/**
 * A rate that is charged to accounts, used or not, is found by no usage: nothing would choose
 * between it and another of the same time with another priority.
 */
function lintRivals(spans: readonly Span[], problems: Problems): void {
    const fees = spans.filter(isFee);
    for (const fee of fees) {
        const rival = spans.find(
            ({ rate, from, to }) =>
                rate.priority !== fee.rate.priority && from < fee.to && to > fee.from,
        );
        if (!rival) continue;
        problems.add(
            placeOf(fee),
            'FEE_RIVAL',
            `this ${fee.rate.model} rate is charged to accounts, and ${textOf(rival)} is for all ` +
                'usage of the same meter at the same time',
            { remedy: 'End one where the other begins, or give the fee a meter of its own.' },
        );
    }
}

/** Rates of one pattern of any priority, in the order of time: no hole between two of them. */
function lintGaps(spans: readonly Span[], problems: Problems): void {
    let last: Span | undefined;
    for (const span of spans) {
        if (last && span.from > last.to) {
            const hole = `${formatInstant(last.to)} to ${span.rate.effective_from}`;
            problems.add(
                placeOf(span),
                'RATE_GAP',
                `no rate holds from ${hole} for ${describePattern(span.pattern)}: ` +
                    `the one before, at ${textOf(last)}, has ended and this one has not begun`,
                { remedy: 'Let them meet, or add a rate for the time between.' },
            );
        }
        if (!last || span.to > last.to) last = span;
    }
}
