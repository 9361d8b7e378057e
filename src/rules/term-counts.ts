import type { Contract, TermCount } from '../compile/contracts.ts';
import type { FileProblem } from '../errors/index.ts';
import { countsOverTerm } from '../schema/terms.ts';
import { forever, type Instant, parseInstant } from '../time/instant.ts';
import type { CompiledCard, CompiledRate, Place } from './card.ts';
import { Problems } from './problems.ts';

/** A card of a contract, while it is in force in it. */
interface Assigned {
    readonly card: CompiledCard;
    readonly from: Instant;
    readonly to: Instant;
}

/** The rates of a card whose tiers count over the term of a contract. */
export function overTerm({ rates }: CompiledCard): readonly CompiledRate[] {
    return rates.filter(({ terms }) => countsOverTerm(terms));
}

/**
 * What a contract counts over its term. Two rates of one product and meter would be two counts of the
 * same name, of which an opening could mean either: noted as a problem of the contract.
 */
export function termCounts(
    { contract, from, to }: Pick<Contract, 'contract' | 'from' | 'to'>,
    assigned: readonly Assigned[],
    at: Place,
    problems: Problems,
): readonly TermCount[] {
    const live = assigned.flatMap((own) =>
        overTerm(own.card).flatMap((rate) => {
            const start = latest(from, own.from, parseInstant(rate.effective_from));
            const end = earliest(to, own.to, endOf(rate));
            return start < end ? [{ rate, from: start, to: end }] : [];
        }),
    );
    const byCount = Map.groupBy(live, ({ rate: { product, meter } }) =>
        JSON.stringify([product, meter]),
    );
    return [...byCount]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .flatMap(([, spans]): readonly TermCount[] => {
            const [first] = spans;
            if (!first) return [];
            const { product, meter } = first.rate;
            const rates = new Map(spans.map(({ rate }) => [rate.rate_id, rate]));
            if (rates.size > 1) {
                const places = [...rates.values()].map(({ file, line }) => `${file}:${line}`);
                const shown = places.length > 4 ? [...places.slice(0, 3), '...'] : places;
                problems.add(
                    at,
                    'TERM_RATES',
                    `contract ${contract} counts ${product} of ${meter} over its term by ${rates.size} rates: ${shown.join(', ')}`,
                    {
                        remedy: 'One rate counts over the whole term: give the others a product of their own, or begin another contract where a price changes.',
                    },
                );
            }
            return [
                {
                    product,
                    meter,
                    from: earliest(...spans.map((of) => of.from)),
                    to: latest(...spans.map((of) => of.to)),
                },
            ];
        });
}

/** The card of the config prices who has no contract, so it has no term to count over. */
export function lintWithoutContract(card: CompiledCard): readonly FileProblem[] {
    const problems = new Problems();
    for (const { rate_id, file, line } of overTerm(card)) {
        problems.add(
            { file, line: Number.parseInt(`${line}`, 10) },
            'TERM_WITHOUT_CONTRACT',
            `${rate_id} counts over the term of a contract, and ${card.card} is the rate_card of tieout.yaml: it prices usage that has no contract`,
            { remedy: 'Move the rate to a card that contracts name, or count it by pool.' },
        );
    }
    return problems.list;
}

const endOf = ({ effective_to }: CompiledRate) =>
    effective_to === null ? forever : parseInstant(effective_to);
const latest = (...instants: readonly Instant[]) => inOrder(instants).at(-1) ?? 0n;
const earliest = (...instants: readonly Instant[]) => inOrder(instants)[0] ?? forever;
const inOrder = (instants: readonly Instant[]) =>
    [...instants].sort((one, other) => (one < other ? -1 : 1));
