import type { Delivered, Waybill } from '../deliver/deliver.ts';
import type { Target } from '../deliver/target.ts';
import { type DeliveryProblem, moneyText } from '../export/invoices.ts';
import { add, parseAmount } from '../money/amount.ts';
import { amountWithCode, counted } from '../report/figures.ts';
import { visible } from '../report/visible.ts';
import type { StandingRun } from '../run/items.ts';
import type { DeliveryTie } from '../schema/delivery.ts';
import type { Answer } from './command.ts';

/** What would be sent, and how far it is. */
export interface Prepared extends Pick<StandingRun, 'standing'> {
    readonly waybills: readonly Waybill[];
    readonly problems: readonly DeliveryProblem[];
    /** Payers whose lines stay here, and lines of each. */
    readonly heldBack: readonly { readonly payer_id: string; readonly line_count: number }[];
}

type Rows = readonly (readonly [string, string])[];

const totalsText = (parcels: readonly { readonly currency: string; readonly amount: string }[]) => {
    const sums = Map.groupBy(parcels, ({ currency }) => currency);
    return [...sums]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([currency, of]) => {
            const sum = of.map(({ amount }) => parseAmount(amount)).reduce(add);
            return amountWithCode(moneyText(sum, currency), currency);
        })
        .join(', ');
};

function aboutText(
    target: Target,
    { standing, waybills: all, problems, heldBack }: Prepared,
): Rows {
    const parcels = all.map(({ parcel }) => parcel);
    const lineCount = parcels.reduce((sum, { line_count }) => sum + line_count, 0);
    return [
        ['target', `${target.name}, ${target.address}`],
        ['run', standing.run_id],
        [
            'in all',
            `${counted(parcels.length, 'parcel')} with ${counted(lineCount, 'line')}: ${totalsText(parcels) || 'nothing'}`,
        ],
        ...heldBack.map(
            ({ payer_id, line_count }) =>
                ['held', `${visible(payer_id)}: ${counted(line_count, 'line')}`] as const,
        ),
        ...problems.map(
            ({ code, severity, invoice_key, message }) =>
                [severity, `${code} ${visible(invoice_key)}: ${visible(message)}`] as const,
        ),
    ];
}

/** What would go out; nothing did. */
export function dryAnswer(target: Target, made: Prepared): Answer {
    const { waybills: all, problems } = made;
    const verified = all.filter(({ last }) => last?.state === 'verified');
    const sending = all.filter(({ last }) => last?.state !== 'verified');
    const rows: Rows = [
        ...aboutText(target, made),
        ['there', `${counted(verified.length, 'parcel')}, read back before`],
        [
            'would send',
            sending.length === 0
                ? 'nothing'
                : `${counted(sending.length, 'parcel')}: ${totalsText(sending.map(({ parcel }) => parcel))}`,
        ],
        ['sent', 'nothing: this was a dry run, say --send'],
    ];
    return {
        exit: problems.some(({ severity }) => severity === 'refused') ? 1 : 0,
        text: textOf(rows),
        json: { ...jsonOf(target, made), is_sent: false, parcels: all },
    };
}

const textOf = (rows: Rows) =>
    `${rows.map(([name, text]) => `${name.padEnd(10)} ${text}`).join('\n')}\n`;

const jsonOf = ({ name, address }: Target, { standing, problems, heldBack }: Prepared) => ({
    target: name,
    address,
    period: standing.period,
    run_id: standing.run_id,
    held_back: heldBack,
    problems,
});

/** What went out, what the target has of it, and what to do about the rest. */
export function sentAnswer(
    target: Target,
    made: Prepared,
    delivered: readonly Delivered[],
): Answer {
    const open = delivered.filter((of) => of.state !== 'verified' || of.detail !== '');
    const ties = tiesOf(delivered);
    const untied = ties.filter(
        ({ ours, theirs }) =>
            ours.line_count !== theirs.line_count || ours.amount !== theirs.amount,
    );
    const isRefused = made.problems.some(({ severity }) => severity === 'refused');
    // Nobody said no: the next start goes on where this one is.
    const isOnItsWay = !isRefused && open.length > 0 && open.every(({ isPassing }) => isPassing);
    const isClean = open.length + untied.length === 0 && !isRefused;
    const exit = isClean ? 0 : isOnItsWay ? 75 : 1;
    const rows: Rows = [
        ...aboutText(target, made),
        ['verified', counted(delivered.length - open.length, 'parcel')],
        ...openText(open),
        [
            'tie-out',
            untied.length === 0
                ? `zero for ${counted(ties.length, 'payer and currency', 'payers and currencies')}`
                : `${isOnItsWay ? 'not known yet' : 'NOT ZERO'} for ${namesText(untied)}`,
        ],
        ...(exit === 0 ? [] : [['next', nextSteps[exit]] as const]),
    ];
    return {
        exit,
        text: textOf(rows),
        json: { ...jsonOf(target, made), is_sent: true, delivered, ties },
    };
}

const nextSteps = {
    1: 'see to what is listed (docs/deliveries.md has what each means), then start it again: what is there is not sent twice',
    75: 'start the same command again later: it goes on where it is, and sends nothing twice',
};

/** So many of a kind are listed one by one. */
const listed = 3;

/** What is not verified: many of one state and for one reason in one row. */
function openText(open: readonly Delivered[]): Rows {
    const alike = Map.groupBy(open, (of) => JSON.stringify([nameOf(of), of.detail]));
    return [...alike.values()].flatMap((of): Rows => {
        const keys = of.map(({ parcel }) => visible(parcel.parcel_key));
        const name = nameOf(of[0]!);
        const detail = visible(of[0]!.detail);
        if (of.length <= listed) return keys.map((key) => [name, `${key}: ${detail}`]);
        const span = `${counted(of.length, 'parcel')} from ${keys[0]} to ${keys.at(-1)}`;
        return [[name, `${span}: ${detail}`]];
    });
}

/** One that was verified before is so no more when it is there otherwise, or nobody could ask. */
const nameOf = ({ state, isPassing }: Delivered) =>
    state !== 'verified' ? state : isPassing ? 'unasked' : 'differs';

function namesText(untied: readonly DeliveryTie[]): string {
    const names = untied.map(({ payer_id, currency }) => `${visible(payer_id)} (${currency})`);
    const more = names.length - listed;
    return more > 0 ? `${names.slice(0, listed).join(', ')} and ${more} more` : names.join(', ');
}

/** What we sent and what the target says that it has, by payer and currency. */
function tiesOf(delivered: readonly Delivered[]): readonly DeliveryTie[] {
    const groups = Map.groupBy(delivered, ({ parcel }) =>
        JSON.stringify([parcel.payer_id, parcel.currency]),
    );
    return [...groups.values()].map((of) => {
        const { payer_id, currency } = of[0]!.parcel;
        return {
            payer_id,
            currency,
            ours: sumOf(
                of.map(({ parcel }) => parcel),
                currency,
            ),
            theirs: sumOf(
                of.flatMap(({ counted: there }) => there ?? []),
                currency,
            ),
        };
    });
}

function sumOf(
    of: readonly { readonly line_count: number; readonly amount: string }[],
    currency: string,
): DeliveryTie['ours'] {
    const amounts = of.map(({ amount }) => parseAmount(amount));
    return {
        line_count: of.reduce((sum, { line_count }) => sum + line_count, 0),
        amount: moneyText(amounts.reduce(add, parseAmount('0')), currency),
    };
}
