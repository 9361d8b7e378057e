import type { FileProblem } from '../errors/index.ts';
import { isCurrency } from '../money/currency.ts';
import { type Asset, assetFileSchema, type Config, configSchema } from '../schema/config.ts';
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
    const assets = loadAssets(config, readText, wrong);
    checkNames(config, wrong);
    checkEvents(config, wrong);
    checkWallets(config, assets, wrong);
    checkMoneyWallets(config, assets, wrong);
    return problems.length ? { problems } : { config, assets };
}

function loadAssets(
    config: Config,
    readText: (path: string) => string,
    wrong: Wrong,
): Readonly<Record<string, Asset>> {
    let assets: Readonly<Record<string, Asset>> = {};
    let wrongIn = (code: string): Wrong => {
        return (path, ...of) => wrong(['assets', code, ...path], ...of);
    };
    if (typeof config.assets === 'string') {
        const parsed = parseYaml(
            config.assets,
            readText(config.assets),
            assetFileSchema,
            'ASSET_INVALID',
        );
        if ('problems' in parsed) {
            for (const problem of parsed.problems) {
                wrong(
                    ['assets'],
                    problem.code,
                    `${problem.file}:${problem.line}: ${problem.message}`,
                );
            }
            return {};
        }
        const { value, lineOf } = parsed;
        // A problem is told at the line of the config that names the file, with its own place.
        wrongIn = (asset) => {
            const at = value.findIndex((of) => of.asset === asset);
            const line = (path: readonly (string | number)[]) => lineOf([at, ...path]);
            return (path, problem, message, remedy) =>
                wrong(['assets'], problem, `${config.assets}:${line(path)}: ${message}`, remedy);
        };
        // In a file `counts` may be prose for people; only a name that the config defines counts.
        assets = Object.fromEntries(
            value.map(({ asset, kind, precision, counts, rates }) => [
                asset,
                {
                    ...{ kind, precision },
                    ...(counts && counts in config.counts ? { counts } : {}),
                    ...(rates ? { rates } : {}),
                },
            ]),
        );
    } else {
        assets = config.assets;
    }
    for (const [code, asset] of Object.entries(assets)) {
        if (asset.kind === 'currency' && !isCurrency(code)) {
            wrong(['assets', code], 'UNKNOWN_CURRENCY', `${code} is not an ISO 4217 currency`);
        }
        if (asset.counts && !(asset.counts in config.counts)) {
            wrong(['assets', code, 'counts'], 'UNKNOWN_COUNT', `${asset.counts} is not in counts`);
        }
        checkAssetRates(code, asset, wrongIn(code));
    }
    return withCounts(config, assets);
}

/** `asset_counts` of the config joins assets from a file to the counts that the config defines. */
function withCounts(
    config: Config,
    assets: Readonly<Record<string, Asset>>,
): Readonly<Record<string, Asset>> {
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
        wrong(['usage'], 'DUPLICATE_INPUT', `two inputs are called ${name}`);
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
                    `${field} is not one of ${usageFields.join(', ')}`,
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
                    `${field} is not one of ${debitFields.join(', ')}`,
                );
            }
        }
    });
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
                `${asset} is not one of ${Object.keys(assets).join(', ')}`,
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
    for (const code of [...Object.keys(config.tolerances), ...Object.keys(config.asset_counts)]) {
        if (!assets[code]) wrong(['tolerances'], 'UNKNOWN_ASSET', `${code} is not an asset`);
    }
    for (const [code, name] of Object.entries(config.asset_counts)) {
        if (!(name in config.counts)) {
            wrong(['asset_counts', code], 'UNKNOWN_COUNT', `${name} is not in counts`);
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
