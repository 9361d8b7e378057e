import { parseAmount } from '../../src/money/amount.ts';

/*
 * The job that every peer does over the same usage and debits, and what it comes to. It is what a
 * night does at the least; a night does the rest of its work besides.
 *
 * 1. Read both sides. Keep each event (source, id) and each debit entry (entry_id) once.
 * 2. Find the three prices of each event by its model and band (more than 200,000 input tokens is
 *    long) among those of `prices`, and price it exactly: no binary fractions.
 * 3. Sum events by account, model, band and day: metered usage; and that by account.
 * 4. Join events and debits on the event id, both ways. They agree when the price of the event,
 *    rounded half away from zero to the six digits of the wallet, is what was debited.
 * 5. Say by account (all debits are in dollars) what was rated and debited, what agrees, and what has
 *    no other side.
 */

/** What the job says of one account; amounts in ten-millionths of a dollar, of which prices are whole ones. */
export interface AnswerRow {
    readonly account: string;
    readonly rated: bigint;
    readonly debited: bigint;
    readonly difference: bigint;
    readonly events?: bigint;
    /** Rows of metered usage. */
    readonly metered?: bigint;
    readonly fresh?: bigint;
    readonly cached?: bigint;
    readonly output?: bigint;
    readonly entries?: bigint;
    readonly agreed?: bigint;
    readonly undebited?: bigint;
    readonly undebited_amount?: bigint;
    readonly unused?: bigint;
    readonly unused_amount?: bigint;
}

export type Answer = readonly AnswerRow[];

/** A price of each model and band for a million tokens: what `benchProject` has in its card. */
export const prices = [
    'aurora-large',
    'aurora-small',
    'lumen-1',
    'lumen-2',
    'prism',
    'prism-mini',
].flatMap((model) => [
    { model, is_long: false, input: '3', cached: '0.3', output: '15' },
    { model, is_long: true, input: '6', cached: '0.6', output: '30' },
]);

/** The prices as rows of a VALUES list, whose last three columns are cast to a type. */
export const priceValues = (type: string): string =>
    prices
        .map(({ model, is_long, input, cached, output }) => {
            const amounts = [input, cached, output].map((price) => `cast(${price} as ${type})`);
            return `('${model}', ${is_long}, ${amounts.join(', ')})`;
        })
        .join(', ');

/** An amount of millionths of a dollar, or of dollars, in ten-millionths. */
const scales = { dollars: 7, millionths: 1 } as const;

/** Amount as text in ten-millionths of a dollar. @throws RangeError where that would lose a digit */
export function tenMillionths(text: string, of: keyof typeof scales): bigint {
    const { units, scale } = parseAmount(text);
    const missing = scales[of] - scale;
    if (missing >= 0) return units * 10n ** BigInt(missing);
    const factor = 10n ** BigInt(-missing);
    if (units % factor !== 0n) throw new RangeError(`${text} ${of} are no whole ten-millionths`);
    return units / factor;
}

/** One row as SQL gives it: numbers as text, null for the sum of nothing; rated in millionths, debits in dollars. */
export type SqlRow = Readonly<
    Record<Exclude<keyof AnswerRow, 'difference'>, string | bigint | number | null>
>;

/** The answer out of the rows of a select. */
export function answerOf(rows: readonly SqlRow[]): Answer {
    return rows
        .map((row) => {
            const whole = (of: keyof SqlRow) => BigInt(row[of] ?? 0);
            const amount = (of: keyof SqlRow, scale: keyof typeof scales) =>
                tenMillionths(`${row[of] ?? 0}`, scale);
            const [rated, debited] = [amount('rated', 'millionths'), amount('debited', 'dollars')];
            return {
                ...{ account: String(row.account), rated, debited, difference: rated - debited },
                ...{ events: whole('events'), metered: whole('metered'), fresh: whole('fresh') },
                ...{ cached: whole('cached'), output: whole('output'), entries: whole('entries') },
                ...{ agreed: whole('agreed'), undebited: whole('undebited') },
                undebited_amount: amount('undebited_amount', 'millionths'),
                unused: whole('unused'),
                unused_amount: amount('unused_amount', 'dollars'),
            };
        })
        .sort((one, other) => (one.account < other.account ? -1 : 1));
}

/** Where two answers say something else of an account, of all that both say; at most five places. */
export function differences(one: Answer, other: Answer): readonly string[] {
    const others = new Map(other.map((row) => [row.account, row]));
    const accounts = new Set([...one, ...other].map(({ account }) => account));
    const ones = new Map(one.map((row) => [row.account, row]));
    const found: string[] = [];
    for (const account of accounts) {
        const [here, there] = [ones.get(account), others.get(account)];
        if (!here || !there) {
            found.push(`${account} is in one answer only`);
            continue;
        }
        for (const name of Object.keys(here) as (keyof AnswerRow)[]) {
            if (!(name in there) || here[name] === there[name]) continue;
            found.push(`${account}: ${name} is ${there[name]} instead of ${here[name]}`);
        }
    }
    return found.slice(0, 5);
}

const isWhole = /^-?\d+n$/;

/** JSON that keeps whole numbers of any size; `parseAnswer` reads it. */
export const answerText = (value: unknown): string =>
    JSON.stringify(value, (_key, of) => (typeof of === 'bigint' ? `${of}n` : of));

/** The other way round of `answerText`. */
export const parseAnswer = (text: string): unknown =>
    JSON.parse(text, (_key, of) =>
        typeof of === 'string' && isWhole.test(of) ? BigInt(of.slice(0, -1)) : of,
    );
