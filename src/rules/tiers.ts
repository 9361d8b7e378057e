import { boundProblems } from '../schema/bounds.ts';
import type { Place } from './card.ts';
import type { Problems } from './problems.ts';

type At = (path: readonly PropertyKey[]) => Place;
type WrittenTier = Readonly<Record<string, string | null | undefined>>;

/** Tiers in order: each above the one before it, only the last one open, each with a price. */
export function requireTiers(tiers: readonly WrittenTier[], at: At, problems: Problems): void {
    requireBounds('tiers', tiers, at, problems);
    tiers.forEach((tier, index) => {
        const { unit_price, flat_fee, package_size, package_price, percent } = tier;
        if (percent !== undefined) return;
        const isPackaged = package_size !== undefined || package_price !== undefined;
        if (
            isPackaged &&
            (unit_price !== undefined || package_size === undefined || package_price === undefined)
        ) {
            problems.add(
                at(['tiers', index]),
                'TIER_PRICE',
                `tier ${index + 1} mixes a unit_price with packages, or has half of a package`,
                { remedy: 'Write a unit_price, or a package_size with its package_price.' },
            );
        } else if (!isPackaged && unit_price === undefined && flat_fee === undefined) {
            problems.add(at(['tiers', index]), 'TIER_PRICE', `tier ${index + 1} has no price`, {
                remedy: 'Write unit_price, flat_fee or both; "0" is a price.',
            });
        }
    });
}

/** Steps in order, as tiers. */
export function requireSteps(steps: readonly WrittenTier[], at: At, problems: Problems): void {
    requireBounds('steps', steps, at, problems);
}

function requireBounds(
    what: 'tiers' | 'steps',
    written: readonly WrittenTier[],
    at: At,
    problems: Problems,
): void {
    for (const { index, code, message, remedy } of boundProblems(
        what,
        written.map(({ up_to }) => up_to),
    )) {
        problems.add(at(written.length === 0 ? [what] : [what, index]), code, message, { remedy });
    }
}
