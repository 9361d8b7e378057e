import type { FileProblem } from '../errors/index.ts';
import { isCurrency } from '../money/currency.ts';
import { type Asset, assetFileSchema, type Config, configSchema } from '../schema/config.ts';
import { didYouMean } from '../schema/suggest.ts';
import { checkMeters, checkMoneyWallets } from './check-meters.ts';
import { checkDerived } from './derived.ts';
import { compileExpression } from './expression.ts';
import { meterAttributes } from './meters.ts';
import { debitFields, usageFields } from './presets.ts';
import { eventShape, shapeNames } from './shape.ts';
import { checkAssetRates } from './wallets.ts';
import { attempt, type Wrong } from './wrong.ts';
import { parseYaml } from './yaml.ts';

const reserved = new Set<string>([
    ...usageFields,
    ...debitFields,
    ...['object_no', 'line_no', 'raw_text', 'suspense', 'content', 'input', 'fields', 'event_on'],
    ...['segment_at', 'payer_id', 'currency', 'wallet_asset', 'wallet_shape', 'is_in_period'],
    ...['is_prepaid', 'book_id', 'channel_id', 'token_class', 'measure', 'stored', 'file'],
]);

/** tieout.yaml and the assets it names, checked as a whole. */
export interface LoadedConfig {
    readonly config: Config;
    readonly assets: Readonly<Record<string, Asset>>;
}

type Load = LoadedConfig | { readonly problems: readonly FileProblem[] };

/**
 * Reads tieout.yaml and everything in it that refers to something else in it. All problems at once.
 * @param readText gives the text of a file named beside the config.
 */
export function loadConfig(file: string, readText: (path: string) => string): Load {
    const parsed = parseYaml(file, readText(file), configSchema, 'CONFIG_INVALID');
    if ('problems' in parsed) return parsed;
    const config = parsed.value;
    const problems: FileProblem[] = [];
    const wrong = (
        path: readonly (string | number)[],
        code: string,
        message: string,
        remedy?: string,
    ) =>
        problems.push({
            code,
            file,
            line: parsed.lineOf(path),
            path: path.join('.'),
            message,
            ...(remedy ? { remedy } : {}),
        });
    const assets = loadAssets(config, readText, wrong, problems);
    checkNames(config, wrong);
    checkState(config, wrong);
    checkEvents(config, wrong);
    // Of a file that could not be read nothing follows.
    if (problems.length === 0 || Object.keys(assets).length > 0) {
        checkWallets(config, assets, wrong);
        checkMoneyWallets(config, assets, wrong);
    }
    return problems.length ? { problems } : { config, assets };
}

type Assets = Readonly<Record<string, Asset>>;

function loadAssets(
    config: Config,
    readText: (path: string) => string,
    wrong: Wrong,
    problems: FileProblem[],
): Assets {
    if (typeof config.assets === 'string') {
        const assets = readAssets(config.assets, config, readText(config.assets), problems);
        return withCounts(config, assets);
    }
    for (const [code, asset] of Object.entries(config.assets)) {
        if (isNoCurrency(code, asset)) wrong(['assets', code], ...unknownCurrency(code));
        if (asset.counts && !(asset.counts in config.counts)) {
            wrong(
                ['assets', code, 'counts'],
                'UNKNOWN_COUNT',
                `${asset.counts} is not in counts`,
                didYouMean(asset.counts, Object.keys(config.counts)),
            );
        }
        checkAssetRates(code, asset, (path, ...of) => wrong(['assets', code, ...path], ...of));
    }
    return withCounts(config, config.assets);
}

/** The assets of a file. There `counts` may be prose: only a name that the config defines counts. */
function readAssets(file: string, config: Config, text: string, problems: FileProblem[]): Assets {
    const parsed = parseYaml(file, text, assetFileSchema, 'ASSET_INVALID');
    if ('problems' in parsed) {
        problems.push(...parsed.problems);
        return {};
    }
    const codes = parsed.value.map(({ asset }) => asset);
    parsed.value.forEach(({ asset: code, ...asset }, at) => {
        const place = { file, line: parsed.lineOf([at, 'asset']), path: `${at}.asset` };
        if (isNoCurrency(code, asset)) {
            const [problem, message, remedy] = unknownCurrency(code);
            problems.push({ ...place, code: problem, message, remedy });
        }
        checkAssetRates(code, asset, (path, problem, message, remedy) => {
            const line = parsed.lineOf([at, ...path]);
            const of = { file, line, path: [at, ...path].join('.') };
            problems.push({ ...of, code: problem, message, ...(remedy ? { remedy } : {}) });
        });
        if (codes.indexOf(code) < at) {
            const message = `${code} is there twice`;
            const remedy = 'Keep the one that is right.';
            problems.push({ ...place, code: 'DUPLICATE_ASSET', message, remedy });
        }
    });
    return Object.fromEntries(
        parsed.value.map(({ asset, kind, precision, counts, rates }) => [
            asset,
            {
                ...{ kind, precision },
                ...(counts && counts in config.counts ? { counts } : {}),
                ...(rates ? { rates } : {}),
            },
        ]),
    );
}

const isNoCurrency = (code: string, { kind }: Pick<Asset, 'kind'>) =>
    kind === 'currency' && !isCurrency(code);

const unknownCurrency = (code: string) =>
    [
        'UNKNOWN_CURRENCY',
        `${code} is not an ISO 4217 currency`,
        'Write the three-letter code, e.g. USD; what is no money is of kind unit.',
    ] as const;

/** `asset_counts` of the config joins assets from a file to the counts that the config defines. */
function withCounts(config: Config, assets: Assets): Assets {
    return Object.fromEntries(
        Object.entries(assets).map(([code, asset]) => {
            const counts = config.asset_counts[code] ?? asset.counts;
            return [code, { ...asset, ...(counts ? { counts } : {}) }];
        }),
    );
}

function checkNames(config: Config, wrong: Wrong): void {
    const inputs = [...config.usage, ...config.debits].map(({ name }) => name);
    for (const name of inputs.filter((of, index) => inputs.indexOf(of) !== index)) {
        wrong(
            ['usage'],
            'DUPLICATE_INPUT',
            `two inputs are called ${name}`,
            'Give each input of usage and debits a name of its own.',
        );
    }
    config.usage.forEach((input, at) => {
        for (const name of [...Object.keys(input.attributes), ...Object.keys(input.quantities)]) {
            if (reserved.has(name)) {
                wrong(
                    ['usage', at],
                    'RESERVED_NAME',
                    `${name} is a column of tieout itself`,
                    'Rename it.',
                );
            }
        }
        for (const field of Object.keys(input.columns)) {
            if (!usageFields.some((known) => known === field)) {
                wrong(
                    ['usage', at, 'columns', field],
                    'UNKNOWN_FIELD',
                    `${field} is not a field of tieout`,
                    didYouMean(field, usageFields),
                );
            }
        }
    });
    config.debits.forEach((input, at) => {
        for (const field of Object.keys(input.columns)) {
            if (!debitFields.some((known) => known === field)) {
                wrong(
                    ['debits', at, 'columns', field],
                    'UNKNOWN_FIELD',
                    `${field} is not a field of tieout`,
                    didYouMean(field, debitFields),
                );
            }
        }
    });
}

/** An input that lists the state would meter what earlier runs wrote. */
function checkState({ state, store, usage, debits }: Config, wrong: Wrong): void {
    if (typeof state === 'string' || !('bucket' in store)) return;
    if (state.bucket !== store.bucket || state.endpoint !== store.endpoint) return;
    const start = state.prefix.replace(/^\/+|\/+$/g, '');
    const overlaps = (prefix: string) =>
        start === '' || prefix.startsWith(`${start}/`) || `${start}/`.startsWith(prefix);
    for (const { name, prefix } of [...usage, ...debits].filter((of) => overlaps(of.prefix))) {
        wrong(
            ['state', 'prefix'],
            'STATE_IN_INPUT',
            `the state is in the bucket of the inputs, and ${name} reads ${prefix === '' ? 'all of it' : prefix}`,
            'Give the state a bucket of its own, or a prefix under which no input is.',
        );
    }
}

function checkEvents(config: Config, wrong: Wrong): void {
    const shape = eventShape(config);
    const base = shapeNames(shape);
    const columns = shapeNames(shape, Object.keys(config.derived));
    for (const [name, of] of Object.entries(config.derived)) {
        const path = ['derived', name];
        if (reserved.has(name) || base.has(name)) {
            wrong(path, 'RESERVED_NAME', `${name} is taken`, 'Rename it.');
        }
        checkDerived(of, base, path, wrong);
    }
    checkMeters(config, columns, wrong);
    for (const [name, text] of Object.entries(config.counts)) {
        attempt(wrong, ['counts', name], () => compileExpression(text, columns));
    }
}

function checkWallets(config: Config, assets: Readonly<Record<string, Asset>>, wrong: Wrong): void {
    config.wallets.forEach(({ asset }, at) => {
        const of = assets[asset];
        if (!of) {
            wrong(
                ['wallets', at, 'asset'],
                'UNKNOWN_ASSET',
                `${asset} is not in assets`,
                didYouMean(asset, Object.keys(assets)),
            );
        } else if (of.kind === 'unit' && !of.counts) {
            wrong(
                ['wallets', at, 'asset'],
                'ASSET_COUNTS_NOTHING',
                `${asset} is a unit and nothing says what it counts`,
                'Name one of counts in asset_counts.',
            );
        }
    });
    for (const key of ['tolerances', 'asset_counts'] as const) {
        for (const code of Object.keys(config[key]).filter((of) => !assets[of])) {
            const remedy = didYouMean(code, Object.keys(assets));
            wrong([key, code], 'UNKNOWN_ASSET', `${code} is not in assets`, remedy);
        }
    }
    config.reconcile.rules.forEach(({ assets: named = [] }, at) => {
        for (const [index, code] of named.entries()) {
            if (assets[code]) continue;
            const remedy = didYouMean(code, Object.keys(assets));
            const path = ['reconcile', 'rules', at, 'assets', index];
            wrong(path, 'UNKNOWN_ASSET', `${code} is not in assets`, remedy);
        }
    });
    for (const [code, name] of Object.entries(config.asset_counts)) {
        if (!(name in config.counts)) {
            wrong(
                ['asset_counts', code],
                'UNKNOWN_COUNT',
                `${name} is not in counts`,
                didYouMean(name, Object.keys(config.counts)),
            );
        }
    }
}

/** Meter to the attributes a rate may name. */
export function knownMeters(config: Config): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(
        config.meters
            .filter(({ rated }) => rated)
            .map((meter) => [meter.meter, meterAttributes(meter)]),
    );
}
