import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type AccountTree, compileAccounts } from '../compile/accounts.ts';
import { knownMeters, type LoadedConfig, loadConfig } from '../compile/config.ts';
import { type Contracts, noContracts } from '../compile/contracts.ts';
import type { CurrencyRates } from '../compile/conversions.ts';
import { noOpenings, type Openings, termProblems } from '../compile/openings.ts';
import { isSummedMeter } from '../compile/priced-events.ts';
import { compilePromises, type Promises } from '../compile/promises.ts';
import { sha256 } from '../duck/sql.ts';
import { type FileProblem, RunError } from '../errors/index.ts';
import type { CompiledCard, CompiledRate } from '../rules/card.ts';
import { loadContracts } from '../rules/contracts.ts';
import { loadCurrencyRates } from '../rules/currency-rates.ts';
import { type KnownMeters, lintBooks, lintCard } from '../rules/lint.ts';
import { loadCard } from '../rules/load.ts';
import { loadOpenings } from '../rules/openings.ts';
import { inFileOrder } from '../rules/problems.ts';
import { lintPromises } from '../rules/promises.ts';
import { lintWithoutContract } from '../rules/term-counts.ts';
import { stateFolder } from '../state/state.ts';
import { parseInstant } from '../time/instant.ts';

/** A config with everything beside it, read and checked. */
export interface Project extends LoadedConfig {
    /** Folder of tieout.yaml, absolute. */
    readonly folder: string;
    readonly file: string;
    /** Folder of the state, absolute: the state itself, or the working copy of a bucket. */
    readonly state: string;
    /** The card of the config: of usage without a contract. */
    readonly card: CompiledCard;
    /** That card and those that contracts name. */
    readonly cards: readonly CompiledCard[];
    readonly contracts: Contracts;
    /** Of all periods, as the file of the config says; `openPeriod` finds those of one. */
    readonly openings: Openings;
    /** Null where the config names none. */
    readonly currencyRates: CurrencyRates | null;
    /** File to sha256 of everything that a person wrote and a run depends on. */
    readonly rules: Readonly<Record<string, string>>;
    /** The same files with what they say, for whoever wants to do it all again. */
    readonly texts: ReadonlyMap<string, string>;
    readonly readText: (path: string) => string;
}

/** The nearest tieout.yaml from `from` upwards. @throws RunError CONFIG_NOT_FOUND */
export function findConfig(from: string): string {
    for (let folder = resolve(from); ; folder = dirname(folder)) {
        const file = join(folder, 'tieout.yaml');
        if (existsSync(file)) return file;
        if (dirname(folder) === folder)
            throw new RunError('CONFIG_NOT_FOUND', { searched: resolve(from), isNamed: false });
    }
}

/** The text of a file by its absolute path; null where none is. */
export type ReadFile = (path: string) => string | null;

const fromDisk: ReadFile = (path) => (isFile(path) ? readFileSync(path, 'utf8') : null);

/**
 * Reads a project.
 * @param read left out, from the files as they are now.
 * @throws RunError CONFIG_NOT_FOUND, CONFIG_INVALID, RULES_INVALID with every problem of the files.
 */
export function openProject(file: string, read: ReadFile = fromDisk): Project {
    const absolute = resolve(file);
    const folder = dirname(absolute);
    const name = relative(folder, absolute);
    const rules: Record<string, string> = {};
    const texts = new Map<string, string>();
    if (read(absolute) === null) {
        throw new RunError('CONFIG_NOT_FOUND', { searched: absolute, isNamed: true });
    }
    const readText = (path: string): string => {
        const from = resolve(folder, path);
        const text = read(from);
        if (text === null) {
            const problem = missingFile(path, name, texts.get(name) ?? '');
            throw new RunError('CONFIG_INVALID', { problems: [problem] });
        }
        rules[relative(folder, from)] = sha256(text);
        texts.set(relative(folder, from), text);
        return text;
    };
    const missing = missingFiles(
        name,
        readText(name),
        (path) => read(resolve(folder, path)) !== null,
    );
    const loaded = missing.length ? { problems: missing } : loadConfig(name, readText);
    if ('problems' in loaded) throw new RunError('CONFIG_INVALID', { problems: loaded.problems });
    requireMemory(loaded.config.engine.memory, name, texts.get(name) ?? '');
    return {
        ...loaded,
        ...readRules(loaded, readText),
        currencyRates: readCurrencyRates(loaded, readText),
        folder,
        file: absolute,
        state: stateFolder(loaded.config.state, folder),
        rules,
        texts,
        readText,
    };
}

/**
 * The card of the config, contracts and their cards, checked one by one and together.
 * @throws RunError RULES_INVALID, CONTRACTS_INVALID
 */
function readRules(
    { config, assets }: LoadedConfig,
    readText: (path: string) => string,
): Pick<Project, 'card' | 'cards' | 'contracts' | 'openings'> {
    const known = { meters: knownMeters(config), assets };
    const read = loadCard(config.rate_card, readText);
    if ('problems' in read) throw new RunError('RULES_INVALID', { problems: read.problems });
    const { card } = read;
    if (config.contracts === undefined) {
        const problems = [...lintCard(card, { known }), ...lintWithoutContract(card)];
        if (problems.length) throw new RunError('RULES_INVALID', { problems });
        const contracts = noContracts(card.card);
        return {
            card,
            cards: [card],
            contracts,
            openings: readOpenings(config, contracts, readText),
        };
    }
    const standard = { file: config.rate_card, card };
    const text = readText(config.contracts);
    const agreed = loadContracts(config.contracts, text, standard, readText);
    const problems =
        'problems' in agreed
            ? [...lintCard(card, { known }), ...lintWithoutContract(card), ...agreed.problems]
            : [...lintAll(agreed, known), ...lintWithoutContract(card)];
    if (problems.length) throw new RunError('CONTRACTS_INVALID', { problems });
    if ('problems' in agreed) throw new Error('contracts without problems are read');
    return { card, ...agreed, openings: readOpenings(config, agreed.contracts, readText) };
}

/** The word that `openings` of tieout.yaml has in the place of a file. */
export const previous = 'previous';

/** @throws RunError CONTRACTS_INVALID */
function readOpenings(
    { openings }: LoadedConfig['config'],
    contracts: Contracts,
    readText: (path: string) => string,
): Openings {
    if (openings === undefined || openings === previous) return noOpenings;
    const read = loadOpenings(openings, readText(openings), contracts);
    if ('problems' in read) throw new RunError('CONTRACTS_INVALID', { problems: read.problems });
    return read.openings;
}

/** @throws RunError CONFIG_INVALID */
function readCurrencyRates(
    { config: { currency_rates, currency_rates_max_age_days } }: LoadedConfig,
    readText: (path: string) => string,
): CurrencyRates | null {
    if (currency_rates === undefined) return null;
    const text = readText(currency_rates);
    const read = loadCurrencyRates(currency_rates, text, currency_rates_max_age_days);
    if ('problems' in read) throw new RunError('CONFIG_INVALID', { problems: read.problems });
    return read.rates;
}

/** Every card, and if all are right by themselves, every book of them. */
function lintAll(
    { cards, contracts }: Pick<Project, 'cards' | 'contracts'>,
    known: KnownMeters & Pick<LoadedConfig, 'assets'>,
): readonly FileProblem[] {
    const problems = [
        ...cards.flatMap((card) => lintCard(card, { known })),
        ...lintPromises(contracts, cards, known),
    ];
    return problems.length ? problems : lintBooks(contracts, cards);
}

/** What a project is in a period. */
export interface CompiledPeriod {
    readonly tree: AccountTree;
    readonly promises: Promises;
}

/**
 * The accounts of a project for a period, with what its contracts say of them and promise them.
 * @param project opened for the period.
 * @param text of the accounts file.
 * @throws RunError ACCOUNTS_INVALID, CONTRACTS_INVALID when only the contracts are wrong
 */
export function compilePeriod(
    project: Project,
    text: string,
    { period, as_of }: { readonly period: string; readonly as_of: string },
): CompiledPeriod {
    const { config, contracts, openings, assets, cards, currencyRates } = project;
    const currencies = new Map(cards.map(({ card, currency }) => [card, currency]));
    const exchange = { rates: currencyRates, currencies };
    const compiled = compileAccounts(
        config.accounts,
        text,
        { config, assets },
        period,
        contracts,
        exchange,
    );
    if ('problems' in compiled) {
        const { problems } = compiled;
        if (problems.every(({ file }) => file === contracts.file)) {
            throw new RunError('CONTRACTS_INVALID', { problems });
        }
        throw new RunError('ACCOUNTS_INVALID', { problems });
    }
    const { tree, termPayers } = compiled;
    const promised = compilePromises({
        ...{ contracts, openings, assets, paths: tree.paths },
        asOf: parseInstant(as_of),
    });
    const problems = [...termProblems(contracts, openings, termPayers), ...promised.problems];
    if (problems.length) {
        throw new RunError('CONTRACTS_INVALID', { problems: inFileOrder(problems) });
    }
    return { tree, promises: promised.promises };
}

/** Meters that add up events. */
export function summedMeters({ config }: Pick<Project, 'config'>): ReadonlySet<string> {
    return new Set(config.meters.filter(isSummedMeter).map(({ meter }) => meter));
}

/** The rates of all cards in use, as they are written. */
export function ratesOf({ cards }: Pick<Project, 'cards'>): readonly CompiledRate[] {
    return cards.flatMap(({ rates }) => rates);
}

function isFile(path: string): boolean {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The line of a config that says so; the first one when it is said in another way. */
function lineSaying(text: string, pattern: RegExp): number {
    return text.split('\n').findIndex((line) => pattern.test(line)) + 1 || 1;
}

function missingFile(path: string, file: string, text: string): FileProblem {
    return {
        code: 'FILE_NOT_FOUND',
        file,
        line: text.split('\n').findIndex((line) => line.includes(path)) + 1 || 1,
        message: `${path} is named here and is not a file`,
        remedy: `Paths are relative to the folder of ${file}.`,
    };
}

/** All the files that the config names and that are not there, before the first is read. */
function missingFiles(
    file: string,
    text: string,
    isThere: (path: string) => boolean,
): readonly FileProblem[] {
    const named = [
        ...text.matchAll(
            /^(?:rate_card|contracts|openings|currency_rates|accounts|assets): *(["']?)([^#\n{}]+?)\1 *$/gm,
        ),
    ];
    return named
        .map((match) => match[2] ?? '')
        .filter((path) => !path.startsWith('object:') && path !== previous)
        .filter((path) => !isThere(path))
        .map((path) => missingFile(path, file, text));
}

/** The engine says no more than `Failed to set config`. */
function requireMemory(memory: string, file: string, text: string): void {
    if (/^\d+(\.\d+)? ?[KMGT]i?B$/i.test(memory)) return;
    const problem: FileProblem = {
        code: 'CONFIG_INVALID',
        file,
        line: lineSaying(text, /\bmemory:/),
        path: 'engine.memory',
        message: `${memory} is not an amount of memory`,
        remedy: 'Write it like 6GB or 512MB.',
    };
    throw new RunError('CONFIG_INVALID', { problems: [problem] });
}
