import type { Asset, Config, DebitInput } from '../schema/config.ts';
import { didYouMean } from '../schema/suggest.ts';
import { debitFields, debitReading, usageFields, usageReading } from './presets.ts';
import type { Wrong } from './wrong.ts';

/** Fields that are texts: only of them something can stand for something else. */
const isText = (field: string) =>
    !/_at$|^(amount|quantity|sequence|money_amount|balance_before|balance_after)$/.test(field);

/** Whether what the config says of its inputs is about fields that there are, and enough to read them. */
export function checkInputs(
    config: Config,
    assets: Readonly<Record<string, Asset>>,
    wrong: Wrong,
): void {
    for (const [role, fields] of [
        ['usage', usageFields],
        ['debits', debitFields],
    ] as const) {
        config[role].forEach((input, at) => {
            for (const key of ['columns', 'values'] as const) {
                checkFields([role, at, key], Object.keys(input[key]), fields, wrong);
            }
            for (const field of Object.keys(input.values).filter((of) => !isText(of))) {
                wrong(
                    [role, at, 'values', field],
                    'VALUES_OF_NUMBERS',
                    `${field} is no text: nothing can stand for another`,
                    'Name a field that is text, like asset or entry_type.',
                );
            }
        });
    }
    checkSources(config, wrong);
    config.debits.forEach((input, at) => {
        checkMinorUnits(input, ['debits', at], assets, wrong);
        checkAsset(input, ['debits', at], wrong);
        checkWalletCodes(input, ['debits', at], wrong);
    });
}

function checkFields(
    path: readonly (string | number)[],
    named: readonly string[],
    fields: readonly string[],
    wrong: Wrong,
): void {
    for (const field of named.filter((of) => !fields.includes(of))) {
        const message = `${field} is not a field of tieout`;
        wrong([...path, field], 'UNKNOWN_FIELD', message, didYouMean(field, fields));
    }
}

/** Two inputs with one source would take each other's events for their own. */
function checkSources({ usage }: Config, wrong: Wrong): void {
    const sources = usage.map((input) => usageReading(input).constants.source);
    usage.forEach(({ preset, constants }, at) => {
        const source = sources[at];
        // Whoever writes a source down means it.
        if (source === undefined || constants.source !== undefined) return;
        if (sources.indexOf(source) === at) return;
        wrong(
            ['usage', at, 'preset'],
            'SOURCE_TWICE',
            `two inputs of ${preset} have the source ${source}: an id in both would be one event`,
            'Give each `constants: { source: ... }`: the same one only if they hold the same events.',
        );
    });
}

function checkMinorUnits(
    { minor_units: decimals = {} }: DebitInput,
    path: readonly (string | number)[],
    assets: Readonly<Record<string, Asset>>,
    wrong: Wrong,
): void {
    for (const asset of Object.keys(decimals).filter((of) => !assets[of])) {
        const message = `${asset} is not in assets`;
        const remedy = didYouMean(asset, Object.keys(assets));
        wrong([...path, 'minor_units', asset], 'UNKNOWN_ASSET', message, remedy);
    }
}

/** A shape without an asset leaves it to the config. */
function checkAsset(input: DebitInput, path: readonly (string | number)[], wrong: Wrong): void {
    if (input.preset === 'none') return;
    const { fields, constants } = debitReading(input);
    if ('asset' in fields || 'asset' in constants) return;
    wrong(
        [...path, 'preset'],
        'ASSET_MISSING',
        `${input.preset} does not say what is debited`,
        'Write `constants: { asset: EUR }`, or `columns: { asset: PATH }` where each line says it.',
    );
}

function checkWalletCodes(
    { preset, wallet_codes: codes, minor_units: decimals }: DebitInput,
    path: readonly (string | number)[],
    wrong: Wrong,
): void {
    if (preset !== 'tigerbeetle') {
        if (codes.length === 0) return;
        const message = `${preset} has no codes of accounts`;
        wrong([...path, 'wallet_codes'], 'WALLET_CODES', message, 'Take the key out.');
        return;
    }
    if (codes.length === 0) {
        wrong(
            [...path, 'preset'],
            'WALLET_CODES',
            'nothing says which accounts of TigerBeetle are wallets',
            'Write `wallet_codes: ["1"]` with the codes that they have.',
        );
    }
    if (decimals === undefined) {
        wrong(
            [...path, 'preset'],
            'MINOR_UNITS',
            'amounts of TigerBeetle are whole numbers, and nothing says of what',
            'Write `minor_units: { USD: 2 }`, and `values: { asset: { "700": USD } }` for its ledgers.',
        );
    }
}
