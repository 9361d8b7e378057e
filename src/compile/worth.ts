import type { FileProblem } from '../errors/index.ts';
import { formatAmount, parseAmount } from '../money/amount.ts';
import { currencyExponent, isCurrency } from '../money/currency.ts';
import type { Asset } from '../schema/config.ts';
import { formatInstant, type Instant, parseInstant } from '../time/instant.ts';
import type { Payer } from './commitments.ts';
import type { Contract } from './contracts.ts';
import type { Balance } from './grants.ts';

/** What a balance holds, and what one of it is worth to its payer. */
export interface Worth {
    readonly asset: string;
    readonly precision: bigint;
    /** Money of one of it; null for units of a meter, which pay what they cost in their line. */
    readonly rate: string | null;
}

/**
 * What a balance holds and is worth: money is worth itself, a unit what its rate in force says at the
 * begin of the period, or of the balance where that is later. Never a guess.
 */
export function worthOf(
    { id, asset: written, meter, amount, from, of }: Balance,
    {
        file,
        contract: { contract },
        payer: { payer_id, currency, period },
        assets,
    }: {
        readonly file: string;
        readonly contract: Contract;
        readonly payer: Payer;
        readonly assets: Readonly<Record<string, Asset>>;
    },
): Worth | { readonly problem: FileProblem } {
    if (meter !== null) return { asset: meter, precision: 12n, rate: null };
    const asset = written ?? currency;
    const wrong = (code: string, message: string, remedy: string) => ({
        problem: { code, file, line: of.line, message, remedy },
    });
    if (isCurrency(asset) && asset !== currency) {
        return wrong(
            'GRANT_CURRENCY',
            `grant ${id} of contract ${contract} is in ${asset}, and its payer ${payer_id} is billed in ${currency}`,
            `Write the amount in ${currency}: money of one currency pays nothing in another.`,
        );
    }
    const precision = currencyExponent(asset) ?? assets[asset]?.precision ?? 0;
    if (isFiner(amount ?? '0', precision)) {
        return wrong(
            'GRANT_PRECISION',
            `grant ${id} of contract ${contract} is of ${amount} ${asset}, which has ${precision} decimals`,
            'Round it: what is smaller than its last decimal could never be drawn.',
        );
    }
    const at = from > period.from ? from : period.from;
    const rate = isCurrency(asset) ? '1' : rateAt(assets[asset], currency, at);
    if (rate !== undefined) return { asset, precision: BigInt(precision), rate };
    return wrong(
        'GRANT_RATE',
        `grant ${id} of contract ${contract} is in ${asset}, and no rate says what that is worth in ${currency} at ${formatInstant(at)}`,
        `Give ${asset} a rate in ${currency} from then or earlier, under \`assets\`.`,
    );
}

/** Whether an amount has more decimals than there are of its asset, zeros at the end apart. */
export function isFiner(amount: string, precision: number | bigint): boolean {
    return parseAmount(formatAmount(parseAmount(amount))).scale > precision;
}

/** The last rate in a currency that has begun at an instant. */
function rateAt(asset: Asset | undefined, currency: string, at: Instant): string | undefined {
    return (asset?.rates ?? [])
        .filter((of) => of.currency === currency)
        .map(({ rate, from }) => ({ rate, from: parseInstant(from) }))
        .filter(({ from }) => from <= at)
        .sort((one, other) => (one.from < other.from ? -1 : 1))
        .at(-1)?.rate;
}
