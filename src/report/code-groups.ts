/** What kinds of breaks there are, for a reader of many: the order of charts and of their legends. */
export const codeGroups = [
    'one side missing',
    'amounts differ',
    'life of a hold',
    'repeated',
    'timing',
    'other place',
    'the log itself',
    'no price',
    'other',
] as const;
export type CodeGroup = (typeof codeGroups)[number];

const groupOf: readonly (readonly [RegExp, CodeGroup])[] = [
    [/^(METERED_(NOT|ON)_|DEBITED_NOT_)/, 'one side missing'],
    [/^(AMOUNT_|UNIT_|CONVERSION_)/, 'amounts differ'],
    [/^(OPEN_HOLD|OVER_CAPTURE|UNDER_CAPTURE|LIFECYCLE_|ORPHAN_|SPLIT_)/, 'life of a hold'],
    [/^DUP_/, 'repeated'],
    [/^TIMING_/, 'timing'],
    [/^(ACCOUNT_|HIERARCHY_|ASSET_)/, 'other place'],
    [/^(SEQUENCE_|BALANCE_|OVERDRAFT|ROLL_FORWARD|WALLET_)/, 'the log itself'],
    [/^UNRATED/, 'no price'],
];

/** The group of a code; one that is not listed is of the last. */
export function codeGroup(code: string): CodeGroup {
    return groupOf.find(([pattern]) => pattern.test(code))?.[1] ?? 'other';
}
