import {
    accountPaths,
    accountSpans,
    assetRates,
    assets,
} from '../../pipelines/10-ingest/tables.ts';
import { channels } from '../../pipelines/35-sell/tables.ts';
import {
    bookCards,
    currencyRates,
    missingConversions,
    rates,
} from '../../pipelines/40-rate/tables.ts';
import * as pricing from '../../pipelines/45-price/tables.ts';
import * as ladder from '../../pipelines/70-reconcile/ladder-tables.ts';
import * as billing from '../../pipelines/72-bill/tables.ts';
import * as invoicing from '../../pipelines/80-invoice/tables.ts';
import type { AccountTree } from '../compile/accounts.ts';
import type { Book } from '../compile/contracts.ts';
import type { Conversions } from '../compile/conversions.ts';
import { acceptRules, offRules } from '../compile/ladder.ts';
import type { Opening } from '../compile/openings.ts';
import { finalInputs } from '../compile/presets.ts';
import type { Promises } from '../compile/promises.ts';
import { assetRates as ratesOfAssets } from '../compile/wallets.ts';
import { isAdditiveMeter } from '../compile/whole-meters.ts';
import type { Engine } from '../duck/engine.ts';
import { createTableSql, quoteTable } from '../duck/sql.ts';
import type { RowOf, Table } from '../duck/table.ts';
import { currencyExponent } from '../money/currency.ts';
import { rateUnits } from '../quote/rate-units.ts';
import type { CompiledRate } from '../rules/card.ts';
import { isByEvent, readTerms } from '../schema/terms.ts';
import {
    controlStages,
    controlTotals,
    runBasis,
    runBoundaries,
    runHome,
    runParameters,
} from '../stage/control.ts';
import { formatInstant } from '../time/instant.ts';
import { parsePeriod } from '../time/period.ts';
import { basisOf, boundaryRows } from './basis.ts';
import { carried } from './carried.ts';
import { macrosText } from './code.ts';
import type { BilledCorrections } from './corrections.ts';
import type { RunFolder } from './folders.ts';
import { pricesOf } from './prices.ts';
import { type CompiledPeriod, type Project, ratesOf, summedMeters } from './project.ts';

/** What a run is asked for. */
export interface RunOptions {
    readonly pipeline: 'nightly' | 'reconcile';
    /** yyyy-MM. */
    readonly period: string;
    /** ISO instant: ages are counted to here, and objects of later days are not read. */
    readonly as_of: string;
    /** Objects that were counted and can no longer be read count no more. */
    readonly accept_gone?: true;
    /** Given, objects that the store got after it are not read, whatever day is in their names. */
    readonly arrived_by?: string;
}

/** The macros that every select may use. */
export async function loadMacros(engine: Engine): Promise<void> {
    await engine.run(macrosText());
}

/** Creates the relations in which the runner keeps its books, unless an earlier attempt did. */
export async function createControl(engine: Engine): Promise<void> {
    for (const table of [controlTotals, controlStages]) {
        const [schema = '', name = ''] = table.name.split('.');
        const found = await engine.rows(
            'select 1 from information_schema.tables where table_schema = $schema and table_name = $name',
            { schema, name },
        );
        if (found.length === 0) await engine.runAll(createTableSql(table));
    }
}

/** Replaces a relation by rows that TypeScript holds: master data, rules, parameters. */
export async function replaceTable<T extends Table>(
    engine: Engine,
    table: T,
    rows: readonly RowOf<T>[],
): Promise<void> {
    const [schema, create] = createTableSql(table);
    await engine.runAll([schema, `drop table if exists ${quoteTable(table.name)}`, create]);
    await engine.insert(table, rows);
}

/**
 * Which cards price together and in what, under which contract where that counts, and from where it
 * counts.
 */
export async function fillBooks(
    engine: Engine,
    books: readonly Book[],
    currencyOf: (card: string, book: Book) => string,
    openings: readonly Pick<Opening, 'contract' | 'product' | 'meter' | 'quantity'>[] = [],
): Promise<void> {
    const rows = books.flatMap((book) =>
        book.cards.map((card) => ({
            ...{ book_id: book.book_id, card, currency: currencyOf(card, book) },
        })),
    );
    await replaceTable(engine, bookCards, rows);
    const owned = books.flatMap(({ book_id, contract }) =>
        contract === undefined ? [] : [{ book_id, contract_id: contract }],
    );
    await replaceTable(engine, pricing.bookContracts, owned);
    const before = openings.map(({ contract, product, meter, quantity }) => ({
        ...{ contract_id: contract, product, meter, quantity },
    }));
    await replaceTable(engine, pricing.openings, before);
}

/** What lines are rounded to, and which meters cannot be cut at an instant. */
export async function fillBilling(
    engine: Engine,
    { config }: Project,
    paths: AccountTree['paths'],
): Promise<void> {
    await replaceTable(engine, billing.currencies, currencyRows(paths));
    const whole = config.meters.filter((meter) => !isAdditiveMeter(meter));
    await replaceTable(
        engine,
        billing.wholeMeters,
        whole.map(({ meter }) => ({ meter })),
    );
}

/** What contracts promise and give; nothing, where none is said. */
export async function fillPromises(engine: Engine, promises: Promises | null): Promise<void> {
    await replaceTable(engine, billing.commitments, promises?.commitments ?? []);
    await replaceTable(engine, billing.grants, promises?.grants ?? []);
    await replaceTable(engine, billing.holderAccounts, promises?.accounts ?? []);
    await replaceTable(engine, billing.holderProducts, promises?.products ?? []);
    await replaceTable(engine, billing.drawOrder, promises?.order ?? []);
}

/** What a period bills of closed ones; nothing, where none is said. */
export async function fillCorrections(engine: Engine, of: BilledCorrections | null): Promise<void> {
    await replaceTable(engine, invoicing.corrections, of?.lines ?? []);
    await replaceTable(engine, invoicing.correctionTotals, of?.totals ?? []);
}

/** Rates, and the terms of those that have some in whole numbers. */
export async function fillRates(
    engine: Engine,
    of: readonly CompiledRate[],
    isSummed: (meter: string) => boolean,
): Promise<void> {
    const units = rateUnits(of, isSummed);
    await replaceTable(engine, rates, of);
    await replaceTable(engine, missingConversions, []);
    await replaceTable(engine, pricing.terms, units.terms);
    await replaceTable(engine, pricing.rateCharges, units.charges);
    await replaceTable(engine, pricing.rateTiers, units.tiers);
    await replaceTable(engine, pricing.rateDiscounts, units.discounts);
    // A meter has one quantity: steps of several dimensions are for quotes.
    await replaceTable(engine, pricing.stepBounds, []);
    await replaceTable(engine, pricing.dimensionUsages, []);
}

/** The rates and books of a run, with what was converted for payers of other currencies. */
export async function fillPrices(
    engine: Engine,
    project: Project,
    { conversions }: AccountTree,
): Promise<void> {
    const summed = summedMeters(project);
    const prices = pricesOf(project, conversions);
    await fillRates(engine, prices.rates, (meter) => summed.has(meter));
    await fillBooks(engine, prices.books, prices.currencyOf, project.openings.rows);
    await fillConversions(engine, conversions);
}

async function fillConversions(engine: Engine, { rates, missing }: Conversions): Promise<void> {
    const used = rates.map(({ from, to, on, rate, source }) => ({
        ...{ from_currency: from, to_currency: to, rated_on: on, rate, source },
    }));
    await replaceTable(engine, currencyRates, used);
    const lacking = missing.map(({ from, to, evidence }) => ({
        ...{ from_currency: from, to_currency: to, evidence },
    }));
    await replaceTable(engine, missingConversions, lacking);
}

/**
 * Whether every rate of a project can be computed exactly.
 * @throws RunError RULES_INVALID
 */
export function requireUnits(project: Project): void {
    const summed = summedMeters(project);
    rateUnits(ratesOf(project), (meter) => summed.has(meter));
}

/** Meters that a rate prices event by event, sorted. */
export function metersByEvent(project: Project): readonly string[] {
    const summed = summedMeters(project);
    const meters = ratesOf(project).flatMap(({ terms, meter }) =>
        terms !== null && summed.has(meter) && isByEvent(readTerms(terms)) ? [meter] : [],
    );
    return [...new Set(meters)].sort();
}

/** Fills everything a stage reads that is not usage or debits. */
export async function prepare(
    engine: Engine,
    {
        project,
        tree,
        promises,
        corrections,
        options,
        run: { runId },
    }: CompiledPeriod & {
        readonly project: Project;
        readonly corrections: BilledCorrections;
        readonly options: RunOptions;
        readonly run: RunFolder;
    },
): Promise<void> {
    const { config } = project;
    await loadMacros(engine);
    await createControl(engine);
    // Until `carry` knows better, a run looks at all rows.
    for (const table of carried) await replaceTable(engine, table, []);
    await fillPrices(engine, project, tree);
    await fillPromises(engine, promises);
    await fillCorrections(engine, corrections);
    await replaceTable(engine, assets, assetRows(project));
    await fillLadder(engine, project);
    await fillBilling(engine, project, tree.paths);
    await replaceTable(engine, assetRates, ratesOfAssets(project.assets));
    await replaceTable(engine, accountSpans, tree.spans);
    await replaceTable(engine, accountPaths, tree.paths);
    await replaceTable(engine, channels, tree.channels);
    await replaceTable(engine, runBasis, basisOf(project));
    await replaceTable(engine, runBoundaries, boundaryRows(project, promises));
    const { start, end } = parsePeriod(options.period, 'UTC');
    await replaceTable(engine, runParameters, [
        {
            run_id: runId,
            period: options.period,
            period_start: formatInstant(start),
            period_end: formatInstant(end),
            as_of: options.as_of,
            open_hold_hours: BigInt(config.open_hold_hours),
            suspense_percent: config.limits.suspense_percent,
            hold_absolute: config.hold.absolute,
            hold_percent: config.hold.percent,
        },
    ]);
    await replaceTable(engine, runHome, [{ folder: project.state }]);
}

/** Which rules of the ladder are off, what is suggested, and what is accepted by rule. */
async function fillLadder(engine: Engine, { config, assets }: Project): Promise<void> {
    const { suggest } = config.reconcile;
    await replaceTable(engine, ladder.offRules, offRules(config, Object.keys(assets)));
    const finals = finalInputs(config.debits).map((input) => ({ input }));
    await replaceTable(engine, ladder.finalInputs, finals);
    await replaceTable(engine, ladder.acceptRules, acceptRules(config));
    await replaceTable(
        engine,
        ladder.suggestRules,
        suggest
            ? [
                  {
                      window_minutes: BigInt(suggest.window_minutes),
                      is_tolerant: suggest.amount === 'tolerance',
                  },
              ]
            : [],
    );
}

/** Assets with their tolerance. Without one, half a unit of the wallet's last digit is rounding. */
function assetRows(project: Project): readonly RowOf<typeof assets>[] {
    return Object.entries(project.assets)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([asset, { kind, precision, counts }]) => {
            const tolerance = project.config.tolerances[asset];
            return {
                asset,
                kind,
                precision: BigInt(precision),
                counts: counts ?? null,
                tolerance: tolerance?.absolute ?? halfUnit(precision),
                tolerance_percent: tolerance?.percent ?? '0',
                tolerance_cap: tolerance?.cap ?? null,
                tolerance_total: tolerance?.total ?? null,
            };
        });
}

function halfUnit(precision: number): string {
    return precision === 0 ? '0' : `0.${'0'.repeat(precision)}5`;
}

/** The currencies that are billed in, with their minor units. */
export function currencyRows(
    paths: AccountTree['paths'],
): readonly RowOf<typeof billing.currencies>[] {
    const codes = [...new Set(paths.map(({ currency }) => currency))].sort();
    return codes.map((currency) => ({
        currency,
        exponent: BigInt(currencyExponent(currency) ?? 0),
    }));
}
