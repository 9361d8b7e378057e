import type { Config } from '../schema/config.ts';
import { optionalRules } from '../schema/ladder.ts';

/** Rules of the ladder that are off, by asset, sorted: of several entries the last decides. */
export function offRules(
    { reconcile }: Pick<Config, 'reconcile'>,
    assets: readonly string[],
): readonly { readonly asset: string; readonly rule: string }[] {
    return [...assets].sort().flatMap((asset) =>
        optionalRules
            .filter((rule) => {
                const said = reconcile.rules.findLast(
                    (of) => of.rule === rule && (of.assets?.includes(asset) ?? true),
                );
                return said?.enabled === false;
            })
            .map((rule) => ({ asset, rule })),
    );
}

/** Rules that accept small breaks, once for each code that they name. */
export function acceptRules({ reconcile }: Pick<Config, 'reconcile'>) {
    return reconcile.accept.flatMap(({ rule, codes, currency, up_to, total, per }, index) =>
        [...new Set(codes)].sort().map((code) => ({
            ...{ rule_no: BigInt(index + 1), rule, code, currency: currency ?? null },
            ...{ up_to, total, is_by_payer: per === 'payer' },
        })),
    );
}
