import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bill } from '../../pipelines/72-bill/stage.ts';
import { drawDown } from '../../pipelines/76-draw-down/stage.ts';
import { invoice } from '../../pipelines/80-invoice/stage.ts';
import { billed, cleared } from '../stages/72-bill.world.ts';
import { holdsFor, runsOf } from '../support/arbitraries.ts';
import { decimalText, fraction } from '../support/exact.ts';
import { runTogether } from '../support/table.ts';
import {
    assetDrawn,
    type Commitment,
    type Grant,
    type Holder,
    type Line,
    otherLines,
    type Prepaid,
    type World,
} from './slow-biller.ts';

const days = [1, 11, 21] as const;
const whole = (min: number, max: number) => fc.bigInt({ min: BigInt(min), max: BigInt(max) });
const holder = fc.record({
    accounts: fc.constantFrom(['org', 'a', 'b'], ['org', 'a', 'b'], ['a'], ['b']),
    products: fc.constantFrom([], [], ['llm'], ['gpu'], ['llm', 'gpu']),
    span: fc.constantFrom([1, 32], [1, 32], [1, 40], [11, 32], [1, 11], [11, 21], [21, 60]),
});
type Held = typeof holder extends fc.Arbitrary<infer T> ? T : never;
const held = (id: string, { span: [from = 1, to = 32], ...of }: Held): Holder => {
    return { ...of, id, from, to };
};

const lines = fc
    .array(
        fc.record({
            account: fc.constantFrom('a', 'b'),
            product: fc.constantFrom('llm', 'gpu'),
            price: whole(-20, 400),
            used: fc.tuple(whole(0, 9), whole(0, 40), whole(0, 200)),
        }),
        { maxLength: 6 },
    )
    .map((all) =>
        all.map(({ used, ...line }, at): Line => {
            const kept = days.map((day, index) => [day, used[index] ?? 0n] as const);
            return { ...line, key: `${at}`, used: new Map(kept.filter(([, of]) => of > 0n)) };
        }),
    );
const commitments = fc
    .array(
        fc.tuple(
            holder,
            fc.record({
                committed: whole(0, 30_000),
                before: whole(0, 9_000),
                factor: fc.constantFrom(null, 100n, 125n, 150n, 33n),
                isDue: fc.boolean(),
            }),
        ),
        { maxLength: 3 },
    )
    .map((all) => all.map(([of, rest], at): Commitment => ({ ...held(`c/${at}`, of), ...rest })));
const grants = fc
    .array(
        fc.tuple(
            holder,
            fc.record({
                size: whole(0, 20_000),
                precision: fc.constantFrom(0, 1, 2, 4),
                rate: fc.constantFrom(100_000n, 70_000n, 33_333n, 200n, 1_500_000n),
                priority: whole(0, 1),
                isRollover: fc.boolean(),
                isPaid: fc.boolean(),
            }),
        ),
        { maxLength: 4 },
    )
    .map((all) => all.map(([of, rest], at): Grant => ({ ...held(`g/${at}`, of), ...rest })));
const units = fc
    .array(
        fc.record({
            of: holder,
            window: whole(0, 300),
            carried: fc.option(whole(0, 60)),
        }),
        { maxLength: 3 },
    )
    .map((all) =>
        all.map(({ of, ...rest }, at): Prepaid => ({ ...held(`c/u${at}`, of), ...rest })),
    );
const payments = fc.uniqueArray(
    fc.record({
        account: fc.constantFrom('a', 'b'),
        product: fc.constantFrom('llm', 'gpu'),
        amount: fc.option(whole(1, 90_000), { freq: 2 }),
    }),
    { maxLength: 3, selector: ({ account, product }) => account + product },
);
/** A payment without an amount is of all that there is. */
const worlds = fc.record({ lines, commitments, grants, units, payments }).map(
    (world): World => ({
        ...world,
        payments: world.payments
            .map((of) => ({ ...of, amount: of.amount ?? amountOf(world.lines, of) }))
            .filter(({ amount }) => amount > 0n),
    }),
);
const amountOf = (all: readonly Line[], of: Pick<Line, 'account' | 'product'>) =>
    all
        .filter(({ account, product }) => account === of.account && product === of.product)
        .flatMap(({ used, price }) => [...used.values()].map((quantity) => quantity * price))
        .filter((amount) => amount > 0n)
        .reduce((sum, amount) => sum + amount, 0n);

const decimal = (units: bigint, scale: number) =>
    decimalText(fraction(units, 10n ** BigInt(scale)));
const day = (of: number) =>
    of <= 31 ? `2026-10-${`${of}`.padStart(2, '0')}` : of === 32 ? '2026-11-01' : '2027-01-01';
const table = (head: string, rows: readonly (readonly unknown[])[]) =>
    `given ${head}\n${rows.map((row) => row.join(' | ')).join('\n')}`;

function textOf({ lines: all, ...world }: World): string {
    const balances = world.units.flatMap((of) => [
        { ...of, id: `${of.id}@w`, of: of.id, size: of.window, isCarried: false },
        ...(of.carried === null
            ? []
            : [{ ...of, id: `${of.id}@r`, of: of.id, size: of.carried, isCarried: true }]),
    ]);
    const held = [...world.commitments, ...world.grants, ...world.units, ...balances];
    const name = ({ key }: Line) => `{"n":"${key}"}`;
    return [
        table(
            'rolled.charges account_id | product | rate_id | attributes | quantity | unit_price | amount',
            all.map((line) => {
                const quantity = [...line.used.values()].reduce((sum, of) => sum + of, 0n);
                const rate = line.product === 'llm' ? 'r' : 's';
                const [price, amount] = [line.price, quantity * line.price].map((of) =>
                    decimal(of, 3),
                );
                return [line.account, line.product, rate, name(line), quantity, price, amount];
            }),
        ),
        table(
            'rated.usage account_id | product | rate_id | attributes | segment_at | event_on | quantity',
            all.flatMap((line) =>
                [...line.used].map(([from, of]) => {
                    const rate = line.product === 'llm' ? 'r' : 's';
                    const at = from === 1 ? '2026-01-01' : day(from);
                    return [line.account, line.product, rate, name(line), at, day(from), of];
                }),
            ),
        ),
        table(
            'rules.commitments commitment_id | depth | committed | counted_before | overage_factor | is_due | window_start | window_end | kind | measure | meter',
            [
                ...world.commitments.map((of) => [
                    ...[of.id, of.accounts.length > 1 ? 0 : 1, decimal(of.committed, 2)],
                    ...[decimal(of.before, 2), of.factor === null ? '_' : decimal(of.factor, 2)],
                    ...[of.isDue, day(of.from), day(of.to), 'postpaid', 'amount', '_'],
                ]),
                ...world.units.map((of) => [
                    ...[of.id, of.accounts.length > 1 ? 0 : 1, of.window, 0, '_', false],
                    ...[day(of.from), day(of.to), 'prepaid', 'quantity', 'tokens'],
                ]),
            ],
        ),
        table(
            'rules.grants grant_id | asset | precision | granted | rate | priority | is_rollover | cost_basis | starts_at | expires_at | commitment_id | meter',
            [
                ...world.grants.map((of) => [
                    ...[of.id, 'TOK', of.precision, decimal(of.size, of.precision)],
                    ...[decimal(of.rate, 5), of.priority, of.isRollover, of.isPaid ? 1 : 0],
                    ...[day(of.from), day(of.to), '_', '_'],
                ]),
                ...balances.map(({ id, of, size, isCarried, from, to }) => [
                    ...[id, 'tokens', 12, size, '_', 0, isCarried, 1],
                    ...(isCarried ? [day(1), day(40)] : [day(from), day(to)]),
                    ...[of, 'tokens'],
                ]),
            ],
        ),
        table(
            'rules.holder_accounts holder_id | account_id',
            held.flatMap(({ id, accounts }) => accounts.map((of) => [id, of])),
        ),
        table(
            'rules.holder_products holder_id | product',
            held.flatMap(({ id, products }) => products.map((of) => [id, of])),
        ),
        table(
            'recon.wallet_payments account_id | product | asset_amount | amount',
            world.payments.map(({ account, product, amount }) => {
                return [account, product, decimal(amount, 3), decimal(amount, 3)];
            }),
        ),
    ].join('\n');
}

test('the stages bill what a person would, part by part', { timeout: 600_000 }, () =>
    holdsFor(worlds, { runs: runsOf(20, 10) }, agrees),
);

async function agrees(world: World): Promise<void> {
    const text = billed(`${cleared}\n${textOf(world)}`);
    await runTogether([bill, drawDown, invoice], text, async (engine) => {
        const keys = await engine.rows(
            `select line_key, attributes ->> '$.n' as name from billed.lines`,
        );
        const keyOf = new Map(keys.map((row) => [row.name, String(row.line_key)]));
        const known = world.lines.map((of) => ({ ...of, key: keyOf.get(of.key) ?? '' }));
        const { lines: expected, units } = otherLines({ ...world, lines: known });
        const rows = await engine.rows(`
                    select line_type || ' | ' || product || ' | ' || case line_type
                            when 'wallet_settlement' then account_id else source_id
                        end as name, amount_minor
                    from invoice.other_lines`);
        const actual = rows.map((of) => [String(of.name), of.amount_minor] as const);
        expect(new Map(actual.sort())).toEqual(new Map([...expected].sort()));
        const balances = await engine.rows('select * from invoice.balances');
        const ofUnits = balances.filter(({ rate }) => rate === null);
        expect(
            new Map(ofUnits.map((of) => [of.grant_id, decimalText(parse(String(of.drawn)))])),
        ).toEqual(
            new Map(
                ofUnits.map((of) => [
                    of.grant_id,
                    decimal(units.get(String(of.grant_id)) ?? 0n, 12),
                ]),
            ),
        );
        for (const grant of world.grants) {
            const cents = [...expected]
                .filter(([name]) => name.endsWith(` | ${grant.id}`))
                .reduce((sum, [, of]) => sum - of, 0n);
            const row = balances.find((of) => of.grant_id === grant.id);
            const drawn = decimal(assetDrawn(grant, cents), grant.precision);
            expect(decimalText(parse(String(row?.drawn))), grant.id).toBe(drawn);
        }
    });
}

const parse = (text: string) => fraction(BigInt(text.replace('.', '')), 10n ** 12n);
