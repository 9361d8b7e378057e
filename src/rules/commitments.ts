import type { Commitment } from '../compile/commitments.ts';
import { isEnded, type TimeSpan } from '../compile/windows.ts';
import type { CommitmentText } from '../schema/contract.ts';
import type { Place } from './card.ts';
import type { Problems } from './problems.ts';

/** Where something of a contract is written. */
export type PlaceOf = (path: readonly PropertyKey[]) => Place;

/** The contract that a commitment or grant is of. */
export interface Within extends TimeSpan {
    readonly contract: string;
}

/** Reads a commitment; null when anything of it cannot be meant. */
export function readCommitment(
    text: CommitmentText,
    within: Within,
    placeOf: PlaceOf,
    problems: Problems,
): Commitment | null {
    const before = problems.list.length;
    const wrong = (key: keyof CommitmentText, code: string, what: string, remedy: string) =>
        problems.add(placeOf([key]), code, `commitment ${text.commitment}: ${what}`, { remedy });
    lintSize(text, wrong);
    lintQuantity(text, wrong);
    lintKind(text, wrong);
    lintWindow(text, within, wrong);
    lintOverage(text, wrong);
    const { commitment, amount, quantity, kind, true_up, rollover } = text;
    const size = amount ?? quantity;
    if (size === undefined || problems.list.length > before) return null;
    return {
        ...{ commitment, kind, size },
        measure: amount === undefined ? 'quantity' : 'amount',
        meter: text.meter ?? null,
        fee: text.fee ?? null,
        shortfall_price: text.shortfall_price ?? null,
        overage_factor: text.overage_factor ?? null,
        overage_unit_price: text.overage_unit_price ?? null,
        every: text.every,
        true_up: true_up ?? (kind === 'prepaid' ? 'none' : 'window'),
        is_prorated: text.prorate,
        products: text.products,
        rollover: rollover ?? null,
        product: text.product,
        description: text.description ?? `Commitment ${commitment} of contract ${within.contract}`,
        line: placeOf([]).line,
    };
}

type Wrong = (key: keyof CommitmentText, code: string, what: string, remedy: string) => void;

function lintSize({ amount, quantity }: CommitmentText, wrong: Wrong): void {
    if ((amount === undefined) !== (quantity === undefined)) return;
    const has = amount === undefined ? 'neither amount nor quantity' : 'both amount and quantity';
    wrong(
        'commitment',
        'COMMITMENT_SIZE',
        `it has ${has}`,
        'Promise money by amount, or units by quantity and meter, with a shortfall_price or a fee.',
    );
}

/** Keys that only one of the two measures has. */
function lintQuantity(text: CommitmentText, wrong: Wrong): void {
    const { amount, quantity, meter, fee, shortfall_price, overage_unit_price } = text;
    const ofQuantity = { meter, fee, shortfall_price, overage_unit_price };
    if (quantity === undefined) {
        const [key] = Object.entries(ofQuantity).find(([, value]) => value !== undefined) ?? [];
        if (amount === undefined || key === undefined) return;
        wrong(
            key as keyof typeof ofQuantity,
            'COMMITMENT_MEASURE',
            `${key} is of a quantity, and this is an amount`,
            'Take it out, or promise a quantity.',
        );
        return;
    }
    if (meter === undefined) {
        const remedy = 'Name the meter whose units it promises.';
        wrong('quantity', 'COMMITMENT_MEASURE', 'a quantity needs a meter', remedy);
    }
    lintPrices(text, wrong);
}

/** What pays for a quantity: a fee in advance, or a price of what is missing. */
function lintPrices({ kind, fee, shortfall_price, true_up }: CommitmentText, wrong: Wrong): void {
    const isPrepaid = kind === 'prepaid';
    if ((fee === undefined) === isPrepaid) {
        wrong(
            isPrepaid ? 'quantity' : 'fee',
            'COMMITMENT_MEASURE',
            isPrepaid ? 'a prepaid quantity needs a fee' : 'a fee is of a prepaid quantity',
            isPrepaid
                ? 'Write what the units of a window cost, billed when it begins.'
                : 'Take it out, or make it `kind: prepaid`.',
        );
    }
    const isTruedUp = !isPrepaid && true_up !== 'none';
    if ((shortfall_price === undefined) !== isTruedUp) return;
    wrong(
        isTruedUp ? 'quantity' : 'shortfall_price',
        'COMMITMENT_MEASURE',
        isTruedUp
            ? 'a quantity needs a shortfall_price'
            : 'nothing is trued up, so nothing costs the shortfall_price',
        isTruedUp
            ? 'Write what each missing unit costs, or `true_up: none`.'
            : 'Take it out, or let a window true up.',
    );
}

function lintKind(
    { kind, true_up, rollover, overage_factor, overage_unit_price }: CommitmentText,
    wrong: Wrong,
): void {
    if (kind === 'prepaid') {
        if (true_up !== undefined && true_up !== 'none') {
            wrong(
                'true_up',
                'COMMITMENT_KIND',
                'what is prepaid lacks nothing, so nothing is trued up',
                'Take true_up out, or make it postpaid.',
            );
        }
        return;
    }
    if (rollover !== undefined) {
        wrong(
            'rollover',
            'COMMITMENT_KIND',
            'only what is prepaid has a balance that could roll over',
            'Take rollover out, or make it `kind: prepaid`.',
        );
    }
    const hasOverage = overage_factor !== undefined || overage_unit_price !== undefined;
    if (true_up === 'none' && !hasOverage) {
        wrong(
            'true_up',
            'COMMITMENT_KIND',
            'it trues up nothing and has no overage: it would do nothing',
            'Let it true up, give it an overage_factor, or take it out.',
        );
    }
}

function lintWindow({ every, true_up }: CommitmentText, within: Within, wrong: Wrong): void {
    if (every !== 'term') return;
    if (!isEnded(within)) {
        wrong(
            'commitment',
            'COMMITMENT_WINDOW',
            `its window is the term of contract ${within.contract}, which has no end`,
            'Give the contract a `to`, or write `every: year`.',
        );
    }
    if (true_up === 'cumulative') {
        wrong(
            'true_up',
            'COMMITMENT_WINDOW',
            'a term is one window, and nothing adds up',
            'Write `every: month`, `quarter` or `year`, or `true_up: window`.',
        );
    }
}

function lintOverage({ overage_factor, overage_unit_price }: CommitmentText, wrong: Wrong): void {
    if (overage_factor === undefined || overage_unit_price === undefined) return;
    wrong(
        'overage_unit_price',
        'COMMITMENT_OVERAGE',
        'overage has a factor or a unit price, not both',
        'Keep the one that the contract says.',
    );
}
