import { posix } from 'node:path';
import type { BookSpan, Contract, Contracts } from '../compile/contracts.ts';
import { parseYaml } from '../compile/yaml.ts';
import { sha256 } from '../duck/sql.ts';
import type { FileProblem } from '../errors/index.ts';
import { type ContractFile, contractsSchema } from '../schema/contract.ts';
import { didYouMean } from '../schema/suggest.ts';
import { forever, formatInstant, type Instant } from '../time/instant.ts';
import { type CompiledCard, type Place, sorted } from './card.ts';
import { loadCard } from './load.ts';
import { inFileOrder, Problems } from './problems.ts';
import { readPromises } from './promises.ts';
import { readInstant } from './rate.ts';
import { overTerm, termCounts } from './term-counts.ts';

/** Contracts with the cards they name, the card of the config first. */
export interface LoadedContracts {
    readonly contracts: Contracts;
    readonly cards: readonly CompiledCard[];
}

/** A card as it is named in a contract. */
interface Assignment {
    readonly named: string;
    readonly from: Instant;
    readonly to: Instant;
    readonly at: Place;
}

/** A contract of which the spans are read and the cards are not. */
interface Written extends Omit<Contract, 'books' | 'cards' | 'counts'> {
    readonly at: Place;
    readonly assignments: readonly Assignment[];
}

/**
 * Reads the contracts file and every card it names. All problems at once, those of the cards among
 * them. Whether accounts exist, and what they pay in, is for `compileAccounts`.
 * @param standard the card of the config, which prices whoever has no contract.
 */
export function loadContracts(
    file: string,
    text: string,
    standard: { readonly file: string; readonly card: CompiledCard },
    readText: (path: string) => string,
): LoadedContracts | { readonly problems: readonly FileProblem[] } {
    const parsed = parseYaml(file, text, contractsSchema, 'CONTRACTS_INVALID');
    if ('problems' in parsed) return parsed;
    const problems = new Problems();
    const written = parsed.value.contracts.flatMap((contract, index) => {
        const placeOf = (path: readonly PropertyKey[]) => ({
            file,
            line: parsed.lineOf(['contracts', index, ...path]),
        });
        return readContract(contract, placeOf, problems) ?? [];
    });
    lintIds(written, problems);
    for (const own of Map.groupBy(written, ({ account }) => account).values()) {
        lintOverlaps(own, problems);
    }
    const cards = readCards(file, written, standard, readText, problems);
    const contracts = written.map((of) => withBooks(of, cards.byName, problems));
    if (problems.list.length) return { problems: inFileOrder(problems.list) };
    const { card } = standard.card;
    return {
        contracts: {
            ...{ file, standard: { book_id: bookId([card]), cards: [card] }, contracts },
            drawOrder: parsed.value.draw_down_order,
        },
        cards: cards.all,
    };
}

function readContract(
    text: ContractFile,
    placeOf: (path: readonly PropertyKey[]) => Place,
    problems: Problems,
): Written | null {
    const { contract, account, seller, from, to, cards } = text;
    const at = placeOf([]);
    const span = readSpan({ from, to }, placeOf, problems);
    if (!span) return null;
    const assignments = cards.flatMap((card, index) => {
        const place = (path: readonly PropertyKey[]) => placeOf(['cards', index, ...path]);
        const read = readSpan(card, place, problems, span);
        if (!read) return [];
        if (read.from < span.from || read.to > span.to) {
            problems.add(
                place([]),
                'CONTRACT_CARD_SPAN',
                `card ${card.card} is from ${spanText(read)}, and contract ${contract} from ${spanText(span)}`,
                { remedy: 'A card is in force within its contract: leave out what is the same.' },
            );
        }
        return [{ named: card.card, ...read, at: place([]) }];
    });
    return {
        ...{ contract, account, seller: seller ?? null, ...span, line: at.line, at, assignments },
        lateUsage: lateUsageOf(text, placeOf, problems),
        ...readPromises(text, { contract, ...span }, placeOf, problems),
    };
}

/** A sale is between its seller and buyer: only what the operator bills is ever corrected. */
function lateUsageOf(
    { contract, seller, late_usage }: ContractFile,
    placeOf: (path: readonly PropertyKey[]) => Place,
    problems: Problems,
): Contract['lateUsage'] {
    if (seller !== undefined && late_usage !== undefined) {
        problems.add(
            placeOf(['late_usage']),
            'LATE_USAGE_SELLER',
            `contract ${contract} is with ${seller}, and late_usage is between who pays and the operator`,
            { remedy: 'Take it out: what a seller bills its buyer later is not computed here.' },
        );
    }
    return late_usage ?? null;
}

/** A half-open span; what it leaves out is that of `within`, or open. */
function readSpan(
    { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
    placeOf: (path: readonly PropertyKey[]) => Place,
    problems: Problems,
    within: { readonly from: Instant; readonly to: Instant } = { from: 0n, to: forever },
): { readonly from: Instant; readonly to: Instant } | null {
    const start =
        from === undefined ? within.from : readInstant('from', from, placeOf(['from']), problems);
    const end = to === undefined ? within.to : readInstant('to', to, placeOf(['to']), problems);
    if (start === null || end === null) return null;
    if (start < end) return { from: start, to: end };
    problems.add(
        placeOf(['from']),
        'EMPTY_SPAN',
        `${spanText({ from: start, to: end })} is empty`,
        {
            remedy: 'The end is the first instant after it: it must be later than from.',
        },
    );
    return null;
}

const spanText = ({ from, to }: { readonly from: Instant; readonly to: Instant }) =>
    `${formatInstant(from)} ${to === forever ? 'on' : `to ${formatInstant(to)}`}`;

function lintIds(written: readonly Written[], problems: Problems): void {
    for (const [id, same] of Map.groupBy(written, ({ contract }) => contract)) {
        for (const { at } of same.slice(1)) {
            problems.add(
                at,
                'CONTRACT_TWICE',
                `${id} is also the contract of line ${same[0]?.line}`,
                {
                    remedy: 'Give each contract an id of its own.',
                },
            );
        }
    }
}

/** One account has one contract at a time. */
function lintOverlaps(own: readonly Written[], problems: Problems): void {
    const inOrder = [...own].sort((one, other) => (one.from < other.from ? -1 : 1));
    let longest: Written | undefined;
    for (const of of inOrder) {
        if (longest && of.from < longest.to) {
            problems.add(
                of.at,
                'CONTRACT_OVERLAP',
                `${of.account} has two contracts from ${formatInstant(of.from)}: ${longest.contract} and ${of.contract}`,
                { remedy: `End the one of line ${longest.line}, or join their cards in one.` },
            );
        }
        if (!longest || of.to > longest.to) longest = of;
    }
}

interface Cards {
    readonly all: readonly CompiledCard[];
    /** As contracts name them. */
    readonly byName: ReadonlyMap<string, CompiledCard>;
}

/** A name that can only be that of a file. */
const isFile = (named: string) => /\.ya?ml$|\//.test(named);

/** Reads every card that a contract names by its file, once, and finds those named by their name. */
function readCards(
    file: string,
    written: readonly Written[],
    standard: { readonly file: string; readonly card: CompiledCard },
    readText: (path: string) => string,
    problems: Problems,
): Cards {
    const read = new Map<string, CompiledCard | null>([
        [posix.normalize(standard.file), standard.card],
    ]);
    const byName = new Map<string, CompiledCard>();
    const assignments = written.flatMap((of) => of.assignments);
    for (const { named, at } of assignments.filter((of) => isFile(of.named))) {
        const path = posix.isAbsolute(named)
            ? posix.normalize(named)
            : posix.join(posix.dirname(file), named);
        const known = read.get(path);
        const card = known === undefined ? readCard(path, at, readText, problems) : known;
        if (known === undefined && card) lintName(card, path, read, at, problems);
        read.set(path, card);
        if (card) byName.set(named, card);
    }
    const all = [...read.values()].flatMap((card) => card ?? []);
    for (const card of all) byName.set(card.card, card);
    for (const { named, at } of assignments.filter((of) => !isFile(of.named))) {
        if (byName.has(named)) continue;
        problems.add(at, 'UNKNOWN_CARD', `no card is called "${named}"`, {
            remedy: `${didYouMean(named, sorted(all.map(({ card }) => card)))} A card that nothing else names is named by its file.`,
        });
    }
    return { all, byName };
}

function readCard(
    path: string,
    at: Place,
    readText: (path: string) => string,
    problems: Problems,
): CompiledCard | null {
    try {
        readText(path);
    } catch {
        problems.add(at, 'FILE_NOT_FOUND', `${path} cannot be read`, {
            remedy: 'A card is named relative to the folder of the contracts.',
        });
        return null;
    }
    const load = loadCard(path, readText);
    if ('card' in load) return load.card;
    problems.list.push(...load.problems);
    return null;
}

/** Rates are known by the name of their card. */
function lintName(
    card: CompiledCard,
    path: string,
    read: ReadonlyMap<string, CompiledCard | null>,
    at: Place,
    problems: Problems,
): void {
    const other = [...read].find(([, known]) => known?.card === card.card);
    if (!other) return;
    problems.add(at, 'CARD_NAME_TWICE', `${path} and ${other[0]} are both called ${card.card}`, {
        remedy: 'Give one of them another name: rates are known by the name of their card.',
    });
}

/** The contract with its books. An assignment whose card could not be read is left out. */
function withBooks(
    { at, assignments, ...contract }: Written,
    byName: ReadonlyMap<string, CompiledCard>,
    problems: Problems,
): Contract {
    const found = assignments.flatMap((of) => {
        const card = byName.get(of.named);
        return card ? [{ ...of, card }] : [];
    });
    if (found.length === assignments.length) lintGap(contract, assignments, at, problems);
    const starts = [contract.from, ...found.flatMap(({ from, to }) => [from, to])]
        .filter((start) => start >= contract.from && start < contract.to)
        .sort((one, other) => (one < other ? -1 : 1));
    const instants = [...new Set(starts)];
    const books = instants.map((start, index): BookSpan => {
        const inForce = found.filter(({ from, to }) => from <= start && start < to);
        const cards = sorted(new Set(inForce.map(({ card }) => card.card)));
        const isOverTerm = inForce.some(({ card }) => overTerm(card).length > 0);
        const owner = isOverTerm ? contract.contract : null;
        return {
            book_id: bookId(cards, owner),
            ...(owner === null ? {} : { contract: owner }),
            cards,
            from: start,
            to: instants[index + 1] ?? contract.to,
        };
    });
    const cards = found.map(({ card: { card, currency }, at: { line } }) => ({
        card,
        currency,
        line,
    }));
    return { ...contract, books, cards, counts: termCounts(contract, found, at, problems) };
}

/** A time without any card would price nothing. */
function lintGap(
    { contract, from, to }: Omit<Contract, 'books' | 'cards' | 'counts'>,
    assignments: readonly Assignment[],
    at: Place,
    problems: Problems,
): void {
    let reached = from;
    for (const card of [...assignments].sort((one, other) => (one.from < other.from ? -1 : 1))) {
        if (card.from > reached) break;
        if (card.to > reached) reached = card.to;
    }
    if (reached >= to) return;
    problems.add(
        at,
        'CONTRACT_GAP',
        `contract ${contract} has no card at ${formatInstant(reached)}`,
        {
            remedy: 'Let its cards meet, or end the contract: nothing would price the usage.',
        },
    );
}

/** More than this is hashed: a book is a column of every row of usage. */
const idLength = 100;

/**
 * A book is known by its cards: the same cards are the same book, under whatever contract. But where
 * one of them counts over a term, usage has to be told apart by contract.
 */
export function bookId(cards: readonly string[], contract: string | null = null): string {
    const joined = sorted(cards).join('+') + (contract === null ? '' : `@${contract}`);
    if (joined.length <= idLength) return joined;
    return `book-${sha256(joined).slice(0, 24)}`;
}
