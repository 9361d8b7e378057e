import { compare, parseAmount } from '../money/amount.ts';
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

/** Where each one begins is where the one before it ends: so there is no gap between bounds that rise. */
function requireBounds(
    what: 'tiers' | 'steps',
    written: readonly WrittenTier[],
    at: At,
    problems: Problems,
): void {
    const one = what.slice(0, -1);
    const last = written.at(-1);
    if (!last) {
        problems.add(at([what]), 'TIERS_EMPTY', `there are no ${what}`, {
            remedy: `Write at least one ${one}, without up_to.`,
        });
        return;
    }
    if (last.up_to !== null && last.up_to !== undefined) {
        problems.add(
            at([what, written.length - 1]),
            'TIERS_BOUNDED',
            `the last ${one} ends at ${last.up_to}, and nothing prices what is above it`,
            { remedy: `Leave up_to out of the last ${one}, or add one without it.` },
        );
    }
    let floor = '0';
    written.slice(0, -1).forEach(({ up_to }, index) => {
        const place = at([what, index]);
        if (up_to === null || up_to === undefined) {
            problems.add(place, 'TIERS_ORDER', `${one} ${index + 1} is open, and is not the last`, {
                remedy: 'Give it an up_to, or move it to the end.',
            });
        } else if (compare(parseAmount(up_to), parseAmount(floor)) <= 0) {
            problems.add(
                place,
                'TIERS_ORDER',
                `${one} ${index + 1} ends at ${up_to}, which is not above ${floor}, where it begins`,
                {
                    remedy: `Write the ${what} in the order of their bounds; up_to counts from zero.`,
                },
            );
        } else {
            floor = up_to;
        }
    });
}
