import type { FileProblem } from '../errors/index.ts';
import { isCurrency } from '../money/currency.ts';
import type { Asset } from '../schema/config.ts';
import { formatInstant, type Instant, parseInstant } from '../time/instant.ts';
import type { AccountPath } from './accounts.ts';
import type { Wrong } from './wrong.ts';

/** What holds between wallets, their assets, and the money that these are worth. */

type Assets = Readonly<Record<string, Asset>>;

/** First instant of all: money was always worth itself. */
const beginning = '0001-01-01T00:00:00Z';

/** From an instant on one unit of an asset is worth so much of a currency. */
interface AssetRate {
    readonly asset: string;
    readonly currency: string;
    readonly rate_from: string;
    readonly rate_to: string | null;
    readonly is_first: boolean;
    readonly rate: string;
}

/** Everything that is wrong with the rates of one asset; paths begin below it. */
export function checkAssetRates(code: string, { kind, rates = [] }: Asset, wrong: Wrong): void {
    if (kind === 'currency' && rates.length) {
        wrong(
            ['rates'],
            'ASSET_RATE',
            `${code} is a currency and has rates: money is worth itself`,
            'Leave `rates` out; only an asset of units has some.',
        );
        return;
    }
    const known = new Set<string>();
    rates.forEach(({ currency, from }, at) => {
        if (!isCurrency(currency)) {
            wrong(
                ['rates', at, 'currency'],
                'UNKNOWN_CURRENCY',
                `${code}: ${currency} is not an ISO 4217 currency`,
                'Write the three-letter code, e.g. USD.',
            );
        }
        const since = instantOf(from);
        if (since === null) {
            wrong(
                ['rates', at, 'from'],
                'BAD_INSTANT',
                `${code}: "${from}" is not an instant`,
                'Write it with its zone: 2026-01-01T00:00:00Z.',
            );
            return;
        }
        const key = `${currency} ${since}`;
        if (known.has(key)) {
            wrong(
                ['rates', at, 'from'],
                'ASSET_RATE_TWICE',
                `${code} has two rates in ${currency} from ${formatInstant(since)}`,
                'Leave one of them out, or correct its instant.',
            );
        }
        known.add(key);
    });
}

/** The worth of all assets, in the order of their grain. Their rates have been checked. */
export function assetRates(assets: Assets): readonly AssetRate[] {
    const inOrder = Object.entries(assets).sort(([one], [other]) => (one < other ? -1 : 1));
    return inOrder.flatMap(([asset, of]) =>
        of.kind === 'currency'
            ? { ...{ asset, currency: asset, rate: '1' }, ...spanOf([beginning], 0) }
            : ratesOf(asset, of),
    );
}

function ratesOf(asset: string, { rates = [] }: Asset): readonly AssetRate[] {
    const byCurrency = [...Map.groupBy(rates, ({ currency }) => currency)];
    return byCurrency
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .flatMap(([currency, of]) => {
            const dated = of.map(({ rate, from }) => ({ rate, from: parseInstant(from) }));
            dated.sort((one, other) => (one.from < other.from ? -1 : 1));
            const starts = dated.map(({ from }) => formatInstant(from));
            return dated.map(({ rate }, at) => ({
                ...{ asset, currency, rate },
                ...spanOf(starts, at),
            }));
        });
}

function spanOf(
    starts: readonly string[],
    at: number,
): Pick<AssetRate, 'rate_from' | 'rate_to' | 'is_first'> {
    return { rate_from: starts[at] ?? '', rate_to: starts[at + 1] ?? null, is_first: at === 0 };
}

/** What the wallets of accounts cannot be: in other money than the bill's, or worth nobody knows what. */
export function walletProblems(
    file: string,
    paths: readonly AccountPath[],
    assets: Assets,
    lineOf: (account_id: string) => number,
): readonly FileProblem[] {
    return [
        ...foreignWallets(file, paths, lineOf),
        ...unpricedWallets(file, paths, assets, lineOf),
    ];
}

/** Money in a wallet can only be compared with usage that is rated in the same money. */
function foreignWallets(
    file: string,
    paths: readonly AccountPath[],
    lineOf: (account_id: string) => number,
): readonly FileProblem[] {
    return paths
        .filter(
            ({ wallet_asset, currency }) => isCurrency(wallet_asset) && wallet_asset !== currency,
        )
        .map(({ account_id, wallet_asset, payer_id, currency }) => ({
            code: 'WALLET_CURRENCY',
            file,
            line: lineOf(account_id),
            message: `${account_id} has a wallet in ${wallet_asset}, and its payer ${payer_id} is billed in ${currency}`,
            remedy: 'Give the payer that currency, or the wallet an asset of units.',
        }));
}

/** What units paid for can only be taken off an invoice if they are worth money all the period. */
function unpricedWallets(
    file: string,
    paths: readonly AccountPath[],
    assets: Assets,
    lineOf: (account_id: string) => number,
): readonly FileProblem[] {
    return paths
        .filter((path) => path.is_prepaid && isUnpriced(path, assets[path.wallet_asset]))
        .map(({ wallet_asset, payer_id, currency, period_start }) => ({
            code: 'WALLET_RATE',
            file,
            line: lineOf(payer_id),
            message: `usage that ${payer_id} is billed for in ${currency} is paid from a prepaid wallet in ${wallet_asset}, and one ${wallet_asset} has no rate in ${currency} from ${period_start} on`,
            remedy: `Give the asset ${wallet_asset} a rate in ${currency} from then or earlier, or say \`funding: postpaid\` of the wallet when it is a quota and not money.`,
        }));
}

/** Whether a wallet in units is used in the period, and not worth anything known when that begins. */
function isUnpriced(path: AccountPath, asset: Asset | undefined): boolean {
    if (asset?.kind !== 'unit') return false;
    const [start, end] = [parseInstant(path.period_start), parseInstant(path.period_end)];
    if (parseInstant(path.valid_from) >= end || parseInstant(path.valid_to) <= start) return false;
    return !asset.rates?.some(
        ({ currency, from }) => currency === path.currency && parseInstant(from) <= start,
    );
}

function instantOf(text: string): Instant | null {
    try {
        return parseInstant(text);
    } catch {
        return null;
    }
}
