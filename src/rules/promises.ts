import type { Commitment, Holder } from '../compile/commitments.ts';
import type { Contract, Contracts } from '../compile/contracts.ts';
import type { Grant } from '../compile/grants.ts';
import type { FileProblem } from '../errors/index.ts';
import { isCurrency } from '../money/currency.ts';
import type { Asset } from '../schema/config.ts';
import type { ContractFile } from '../schema/contract.ts';
import { didYouMean } from '../schema/suggest.ts';
import { type CompiledCard, sorted } from './card.ts';
import { type PlaceOf, readCommitment, type Within } from './commitments.ts';
import { readGrant } from './grants.ts';
import type { KnownMeters } from './lint.ts';
import { Problems } from './problems.ts';

/** Reads the commitments and grants of a contract. Those with a problem are left out. */
export function readPromises(
    { seller, commitments, grants }: ContractFile,
    within: Within,
    placeOf: PlaceOf,
    problems: Problems,
): Pick<Contract, 'commitments' | 'grants'> {
    if (seller !== undefined && commitments.length + grants.length > 0) {
        problems.add(
            placeOf([commitments.length > 0 ? 'commitments' : 'grants']),
            'PROMISE_SELLER',
            `contract ${within.contract} is with ${seller}, and commitments and grants are between who pays and the operator`,
            { remedy: 'Take them out: what a seller promises its buyer is not computed here.' },
        );
    }
    const placeIn =
        (list: string, index: number): PlaceOf =>
        (path) =>
            placeOf([list, index, ...path]);
    const read = {
        commitments: commitments.flatMap(
            (of, at) => readCommitment(of, within, placeIn('commitments', at), problems) ?? [],
        ),
        grants: grants.flatMap(
            (of, at) => readGrant(of, within, placeIn('grants', at), problems) ?? [],
        ),
    };
    const ids = [
        ...commitments.map((of, at) => ({ id: of.commitment, at: placeIn('commitments', at)([]) })),
        ...grants.map((of, at) => ({ id: of.grant, at: placeIn('grants', at)([]) })),
    ];
    for (const [id, [first, ...again]] of Map.groupBy(ids, (of) => of.id)) {
        for (const { at } of again) {
            problems.add(
                at,
                'PROMISE_TWICE',
                `contract ${within.contract} has ${id} at line ${first?.at.line} too`,
                { remedy: 'Give each commitment and each grant of a contract an id of its own.' },
            );
        }
    }
    return read;
}

/** What the rest of the project knows. */
interface Known extends KnownMeters {
    readonly assets: Readonly<Record<string, Asset>>;
}

/** Products, meters and assets of commitments and grants that there are none of. */
export function lintPromises(
    { file, contracts }: Contracts,
    cards: readonly CompiledCard[],
    known: Known,
): readonly FileProblem[] {
    const problems = new Problems();
    const products = sorted(
        new Set(cards.flatMap(({ charges }) => charges.map(({ product }) => product))),
    );
    for (const { commitments, grants } of contracts) {
        for (const of of [...commitments, ...grants]) lintProducts(file, of, products, problems);
        for (const of of commitments) lintMeter(file, of, known, problems);
        for (const of of grants) lintAsset(file, of, known, problems);
    }
    return problems.list;
}

function lintProducts(
    file: string,
    { products, line }: Holder,
    known: readonly string[],
    problems: Problems,
): void {
    for (const product of products.filter((of) => !known.includes(of))) {
        problems.add(
            { file, line },
            'UNKNOWN_PRODUCT',
            `no card has a product called "${product}"`,
            { remedy: didYouMean(product, known) },
        );
    }
}

function lintMeter(
    file: string,
    { meter, line }: Commitment,
    { meters }: Known,
    problems: Problems,
): void {
    if (meter === null || meter in meters) return;
    const remedy = didYouMean(meter, sorted(Object.keys(meters)));
    problems.add({ file, line }, 'UNKNOWN_METER', `no meter that is rated is called "${meter}"`, {
        remedy,
    });
}

function lintAsset(
    file: string,
    { asset, line }: Grant,
    { assets }: Known,
    problems: Problems,
): void {
    if (asset === null || isCurrency(asset) || asset in assets) return;
    const remedy = `${didYouMean(asset, sorted(Object.keys(assets)))} A currency is named by its code of ISO 4217.`;
    problems.add({ file, line }, 'UNKNOWN_ASSET', `no asset is called "${asset}"`, { remedy });
}
