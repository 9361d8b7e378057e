import { countedUsageViewSql } from '../../src/compile/counted.ts';
import { disputedPartsSql } from '../../src/compile/disputed-parts.ts';
import { countParts, eventValuesViewSql } from '../../src/compile/meters.ts';
import { eventShape } from '../../src/compile/shape.ts';
import type { Asset, Config } from '../../src/schema/config.ts';
import { defineStage } from '../../src/stage/define.ts';
import { accountPaths, assetRates, assets } from '../10-ingest/tables.ts';
import {
    debitEntries,
    debitRepeats,
    debitRows,
    sharedEventIds,
    usageRepeats,
} from '../20-mediate/tables.ts';
import { compiledEvents, meteredUsage } from '../30-meter/tables.ts';
import { bookCards, rateChoices, ratedUsage, rates, unratedUsage } from '../40-rate/tables.ts';
import { unpricedFees } from '../45-price/tables.ts';
import { charges, payers } from '../50-roll-up/tables.ts';
import * as causes from './cause-tables.ts';
import * as ladder from './ladder-tables.ts';
import * as logs from './log-tables.ts';
import * as tables from './tables.ts';
import * as usage from './usage-tables.ts';
import * as wallets from './wallet-tables.ts';

/** Ties metered usage out against the debits that were authorized for it. */
export function reconcile(config: Config, knownAssets: Readonly<Record<string, Asset>>) {
    const shape = eventShape(config);
    const disputedEvents = causes.disputedEvents(shape, Object.keys(config.derived));
    return defineStage({
        name: '70-reconcile',
        folder: import.meta.dirname,
        reads: [
            wallets.carriedMovements,
            wallets.carriedBalances,
            wallets.carriedOddEntries,
            logs.carriedSequences,
            tables.carriedOutcomes,
            tables.carriedSides,
            accountPaths,
            assets,
            assetRates,
            debitEntries,
            debitRepeats,
            debitRows,
            sharedEventIds,
            usageRepeats,
            compiledEvents(shape, Object.keys(config.derived)),
            rateChoices,
            ratedUsage,
            unpricedFees,
            unratedUsage,
            charges,
            payers,
            causes.carriedVersions,
            causes.carriedStatedPrices,
            ladder.offRules,
            ladder.finalInputs,
            ladder.acceptRules,
            ladder.suggestRules,
            meteredUsage,
            rates,
            bookCards,
        ],
        compiled: [
            {
                table: usage.eventValues(shape),
                sql: eventValuesViewSql(config, shape, knownAssets),
                parts: countParts(config, shape),
            },
            {
                table: usage.countedUsage,
                sql: countedUsageViewSql(config, shape, knownAssets),
            },
            {
                table: causes.disputedParts,
                sql: disputedPartsSql(config, shape),
                after: disputedEvents,
            },
        ],
        writes: [
            ladder.walletAssets,
            tables.dayReversals,
            tables.entries,
            wallets.walletMovements,
            logs.logTotals,
            logs.loggedAccounts,
            tables.kin,
            tables.sharedHolds,
            tables.wholeCaptures,
            tables.busyIds,
            tables.histories,
            tables.positions,
            tables.plainOutcomes,
            tables.lifeOutcomes,
            tables.groupOutcomes,
            tables.entryOutcomes,
            tables.outcomes,
            logs.sequenceSpans,
            logs.sequenceGaps,
            wallets.statedEntries,
            wallets.looseBalances,
            wallets.oddEntries,
            wallets.walletBalances,
            wallets.discontinuities,
            wallets.unconvertedAccounts,
            wallets.formBreaks,
            ladder.acceptedDifferences,
            tables.foundBreaks,
            tables.breaks,
            tables.breakLegs,
            tables.matches,
            tables.sides,
            tables.tieOuts,
            tables.walletPayments,
            ladder.suggestions,
            causes.disputes,
            disputedEvents,
            causes.priceVersions,
            causes.statedPrices,
            causes.breakCauses,
            causes.differenceCauses,
            tables.holds,
        ],
        conserves: [],
    });
}

/**
 * Holds alone, where usage and debits were compared by another run and prices have changed since. The
 * audits are all run again, over what that run found.
 */
export const hold = defineStage({
    name: '70-reconcile',
    folder: import.meta.dirname,
    reads: [
        accountPaths,
        debitEntries,
        unpricedFees,
        unratedUsage,
        payers,
        tables.outcomes,
        tables.breaks,
        tables.breakLegs,
        tables.sides,
        tables.tieOuts,
        tables.walletPayments,
        causes.disputes,
        causes.breakCauses,
        causes.differenceCauses,
    ],
    writes: [tables.holds],
    conserves: [],
});
