/**
 * The oracle of 72-bill to 80-invoice: part after part, grant after grant, no SQL, nothing of src/.
 * Money is in tenths of a cent until a line is rounded, then in cents; quantities are whole units.
 *
 * DECISIONS
 * | spans | the period, cut wherever a commitment or grant begins or ends in it |
 * | parts | the rounded line by quantity, largest remainder; equals by time |
 * | order | span, product, line key |
 * | counts towards | account, product and span in it; deepest account, fewest products, id |
 * | overage | what the running sum is above, x factor, each part rounded half away |
 * | payments | over parts of account and product at their price above zero, in 10^-24, largest remainder |
 * | settlement | line less what remains of it, rounded half away; without a line rounded by itself |
 * | paid parts | the settlement, at most the line, by what was paid for them in 10^-12; beyond a part, in order |
 * | grants | charge by charge: priority, fresh last, cost last, fewest products, fewest accounts, expiry, id |
 * | asset | drawn over rate, rounded half away at its precision; all with the last cent |
 * | prepaid units | after wallets, before grants: what went on, then the window; of what no wallet paid, in proportion |
 * | units count | as money does, among themselves; outside of any window the first that went on pays |
 */
export interface Holder {
    readonly id: string;
    readonly accounts: readonly string[];
    readonly products: readonly string[];
    /** Days of October: 1 is its begin, 32 its end. */
    readonly from: number;
    readonly to: number;
}

export interface Commitment extends Holder {
    readonly committed: bigint;
    readonly before: bigint;
    /** In hundredths. */
    readonly factor: bigint | null;
    readonly isDue: boolean;
}

export interface Grant extends Holder {
    /** In 10^-precision of its asset. */
    readonly size: bigint;
    readonly precision: number;
    /** In 10^-5. */
    readonly rate: bigint;
    readonly priority: bigint;
    readonly isRollover: boolean;
    readonly isPaid: boolean;
}

/** Units that are paid in advance: of a window, and of what went on to the month. */
export interface Prepaid extends Holder {
    readonly window: bigint;
    readonly carried: bigint | null;
}

export interface Line {
    readonly key: string;
    readonly account: string;
    readonly product: string;
    /** In tenths of a cent for one unit. */
    readonly price: bigint;
    /** By first day of a third of the month. */
    readonly used: ReadonlyMap<number, bigint>;
}

export interface World {
    readonly lines: readonly Line[];
    readonly commitments: readonly Commitment[];
    readonly grants: readonly Grant[];
    readonly units: readonly Prepaid[];
    /** Tenths of a cent by account and product. */
    readonly payments: readonly {
        readonly account: string;
        readonly product: string;
        readonly amount: bigint;
    }[];
}

const abs = (of: bigint) => (of < 0n ? -of : of);
const total = (of: readonly bigint[]) => of.reduce((sum, one) => sum + one, 0n);
const least = (a: bigint, b: bigint) => (a < b ? a : b);

/** Half away from zero. */
function divided(of: bigint, by: bigint): bigint {
    const whole = (abs(of) * 2n + by) / (by * 2n);
    return of < 0n ? -whole : whole;
}

function spread(amount: bigint, weights: readonly bigint[]): readonly bigint[] {
    const whole = total(weights);
    const shares = weights.map((weight, at) => ({
        at,
        part: (abs(amount) * weight) / whole,
        rest: (abs(amount) * weight) % whole,
    }));
    const left = abs(amount) - total(shares.map(({ part }) => part));
    const first = [...shares].sort((a, b) =>
        a.rest === b.rest ? a.at - b.at : a.rest > b.rest ? -1 : 1,
    );
    const lucky = new Set(first.slice(0, Number.parseInt(`${left}`, 10)).map(({ at }) => at));
    return shares.map(
        ({ at, part }) => (part + (lucky.has(at) ? 1n : 0n)) * (amount < 0n ? -1n : 1n),
    );
}

interface Part {
    readonly line: Line;
    readonly from: number;
    readonly to: number;
    readonly size: bigint;
    readonly quantity: bigint;
    /** What it used at its price, in tenths of a cent. */
    readonly price: bigint;
    paid: bigint;
    charged: bigint;
}

function partsOf({ lines, commitments, grants, units }: World): readonly Part[] {
    const edges = [...commitments, ...grants, ...units].flatMap(({ from, to }) => [from, to]);
    const starts = [...new Set([1, ...edges.filter((day) => day > 1 && day < 32)])].sort(
        (a, b) => a - b,
    );
    return lines
        .flatMap((line) => {
            const size = divided(total([...line.used.values()]) * line.price, 10n);
            const cut = starts
                .map((from, at) => ({ from, to: starts[at + 1] ?? 32 }))
                .map((span) => ({
                    ...span,
                    quantity: total(
                        [...line.used]
                            .filter(([day]) => day >= span.from && day < span.to)
                            .map(([, of]) => of),
                    ),
                }))
                .filter(({ quantity }) => quantity > 0n);
            const spans = cut.length ? cut : [{ from: 1, to: 32, quantity: 1n }];
            const sizes = spread(
                size,
                spans.map(({ quantity }) => quantity),
            );
            return spans.map(({ from, to, quantity }, at): Part => {
                const used = line.used.size ? quantity : 0n;
                const size = sizes[at] ?? 0n;
                const price = used * line.price;
                return { line, from, to, size, quantity: used, price, paid: 0n, charged: 0n };
            });
        })
        .sort(
            (a, b) =>
                a.from - b.from ||
                a.to - b.to ||
                byText(a.line.product, b.line.product) ||
                byText(a.line.key, b.line.key),
        );
}

/** Tenths of a cent in units of the 24th decimal of money; a cent is ten of them. */
const tenth = 10n ** 21n;

/** Pays parts of an account and product; the sum of what their lines settle, in cents. */
function settle(parts: readonly Part[], amount: bigint): bigint {
    const paid = spread(
        amount * tenth,
        parts.map(({ price }) => price),
    );
    const lines = [...new Set(parts.map(({ line }) => line))];
    const settlements = lines.map((line) => {
        const own = parts.flatMap((part, at) =>
            part.line === line ? [{ part, paid: paid[at] ?? 0n }] : [],
        );
        const exact = total([...line.used.values()]) * line.price * tenth;
        const remains = exact - total(own.map((of) => of.paid));
        const size = divided(exact, tenth * 10n);
        const settled = size - divided(remains, tenth * 10n);
        payParts(own, least(settled, size));
        return settled;
    });
    return total(settlements);
}

function payParts(own: readonly { part: Part; paid: bigint }[], settled: bigint): void {
    const shares = spread(
        settled,
        own.map(({ paid }) => divided(paid, 10n ** 12n)),
    );
    own.forEach(({ part }, at) => {
        part.paid = least(part.size, shares[at] ?? 0n);
    });
    let beyond = settled - total(own.map(({ part }) => part.paid));
    for (const { part } of own) {
        const more = least(beyond, part.size - part.paid);
        part.paid += more;
        beyond -= more;
    }
}

const byText = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);

const holds = (of: Holder, { line, from, to }: Part) =>
    of.accounts.includes(line.account) &&
    (of.products.length === 0 || of.products.includes(line.product)) &&
    of.from <= from &&
    to <= of.to;

const width = ({ products }: Holder) => products.length || 99;

const byPlace = (a: Holder, b: Holder) =>
    a.accounts.length - b.accounts.length || width(a) - width(b) || byText(a.id, b.id);

/** In 10^-12. */
const unit = 10n ** 12n;

/** What each part draws of prepaid units, and pays with them: balance, units, cents. */
function drawUnits(
    { units }: World,
    parts: readonly Part[],
): readonly (readonly [Part, string, bigint, bigint])[] {
    const left = new Map<string, bigint>(
        units.flatMap(({ id, window, carried }) => [
            [`${id}@w`, window * unit] as const,
            [`${id}@r`, (carried ?? 0n) * unit] as const,
        ]),
    );
    return parts.flatMap((part) => {
        if (part.size < 0n || part.quantity === 0n) return [];
        const [own] = units.filter((of) => holds(of, part)).sort(byPlace);
        const [gone] = units
            .filter((of) => of.carried !== null && holds({ ...of, from: 1, to: 32 }, part))
            .sort((a, b) => byText(a.id, b.id));
        const balances = own ? [`${own.id}@r`, `${own.id}@w`] : gone ? [`${gone.id}@r`] : [];
        const unpaid = part.size - part.paid;
        const whole = part.quantity * unit;
        const asked = whole - (part.size > 0n ? (whole * part.paid) / part.size : 0n);
        let sum = 0n;
        return balances.flatMap((id) => {
            const drawn = least(asked - sum, left.get(id) ?? 0n);
            if (drawn <= 0n) return [];
            const cents = divided(unpaid * (sum + drawn), asked) - divided(unpaid * sum, asked);
            sum += drawn;
            left.set(id, (left.get(id) ?? 0n) - drawn);
            part.paid += cents;
            return [[part, id, drawn, cents] as const];
        });
    });
}

/**
 * What the lines that are not usage come to: type, product, what they are of; in cents. What is
 * drawn of prepaid units, by balance, in 10^-12.
 */
export function otherLines(world: World): {
    readonly lines: ReadonlyMap<string, bigint>;
    readonly units: ReadonlyMap<string, bigint>;
} {
    const lines = new Map<string, bigint>();
    const add = (type: string, product: string, of: string, amount: bigint) => {
        const key = [type, product, of].join(' | ');
        lines.set(key, (lines.get(key) ?? 0n) + amount);
    };
    const parts = partsOf(world);
    for (const { account, product, amount } of world.payments) {
        const own = parts.filter(
            ({ line, price }) => line.account === account && line.product === product && price > 0n,
        );
        const settled = own.length ? settle(own, amount) : divided(amount, 10n);
        add('wallet_settlement', product, account, -settled);
    }
    const units = new Map<string, bigint>();
    for (const [part, id, drawn, cents] of drawUnits(world, parts)) {
        add('commitment_consumed', part.line.product, id, -cents);
        units.set(id, (units.get(id) ?? 0n) + drawn);
    }
    const counted = new Map(world.commitments.map(({ id, before }) => [id, before]));
    for (const part of parts) {
        const [of] = world.commitments.filter((one) => holds(one, part)).sort(byPlace);
        part.charged = part.size;
        if (!of) continue;
        const above = (sum: bigint) => (sum > of.committed ? sum - of.committed : 0n);
        const before = counted.get(of.id) ?? 0n;
        const over = above(before + part.size) - above(before);
        counted.set(of.id, before + part.size);
        part.charged = divided((part.size - over) * 100n + over * (of.factor ?? 100n), 100n);
        add('overage', part.line.product, of.id, part.charged - part.size);
    }
    for (const { id, committed, isDue } of world.commitments) {
        const lacking = committed - (counted.get(id) ?? 0n);
        if (isDue && lacking > 0n) add('true_up', 'p', id, lacking);
    }
    for (const [part, id, drawn] of drawsOf(world, parts)) {
        add('balance_consumed', part.line.product, id, -drawn);
    }
    const isSaid = (key: string) => /^(wallet|commitment_consumed)/.test(key);
    return { lines: new Map([...lines].filter(([key, of]) => of !== 0n || isSaid(key))), units };
}

const flag = (of: boolean) => (of ? 1n : 0n);

function drawsOf(
    { grants }: World,
    parts: readonly Part[],
): readonly (readonly [Part, string, bigint])[] {
    const key = (of: Grant) => [
        ...[of.priority, flag(!of.isRollover), flag(of.isPaid), BigInt(width(of))],
        ...[BigInt(of.accounts.length), BigInt(of.to), BigInt(of.from)],
    ];
    const ordered = [...grants].sort((a, b) => {
        const [one, other] = [key(a), key(b)];
        const at = one.findIndex((value, index) => value !== other[index]);
        if (at < 0) return byText(a.id, b.id);
        return (one[at] ?? 0n) < (other[at] ?? 0n) ? -1 : 1;
    });
    const left = new Map(ordered.map((of) => [of.id, worth(of)]));
    const draws: (readonly [Part, string, bigint])[] = [];
    for (const part of parts) {
        let unpaid = part.charged - part.paid;
        for (const grant of ordered.filter((of) => holds(of, part))) {
            const drawn = least(unpaid, left.get(grant.id) ?? 0n);
            if (drawn <= 0n) continue;
            unpaid -= drawn;
            left.set(grant.id, (left.get(grant.id) ?? 0n) - drawn);
            draws.push([part, grant.id, drawn]);
        }
    }
    return draws;
}

/** Whole cents. */
const worth = ({ size, rate, precision }: Grant) =>
    (size * rate * 100n) / (10n ** BigInt(precision) * 100_000n);

/** What each grant gave of its asset, in 10^-precision, for so many cents. */
export function assetDrawn(grant: Grant, cents: bigint): bigint {
    if (cents === 0n) return 0n;
    if (cents === worth(grant)) return grant.size;
    return least(grant.size, divided(cents * 1000n * 10n ** BigInt(grant.precision), grant.rate));
}
