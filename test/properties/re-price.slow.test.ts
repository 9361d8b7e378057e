import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openProject } from '../../src/run/project.ts';
import { rePrice } from '../../src/run/re-price.ts';
import {
    holdsFor,
    rateCards,
    runsOf,
    withoutKnownDefects,
    worlds,
} from '../support/arbitraries.ts';
import { asOf, type Card, period, projectFiles, projectOf, type World } from '../support/world.ts';

/*
 * A month priced anew from its partials is the month that is computed from its objects with the same
 * rules, to the byte, wherever reconciliation has no say: the two share nothing but the stages from
 * rating on. Cards change at instants of their own, so that days are cut finer, coarser and elsewhere.
 */

/** No debit log: nothing is compared, so nothing was compared at other prices. */
const unaudited = ({ card, ...world }: World, currency = card.currency) =>
    fc.record({
        world: fc.constant(withoutKnownDefects({ ...world, card, debits: [], wallets: [] })),
        card: rateCards(currency),
    });

/** What a reconciliation at other prices says differently, and what says which run it is. */
const ofItsOwn = new Set([
    'tie_outs.parquet',
    'difference_causes.csv',
    'items.json',
    'report.html',
]);
const linesOf = (outputs: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(outputs).filter(([name]) => !ofItsOwn.has(name)));

async function agrees({ world, card }: { world: World; card: Card }): Promise<void> {
    const project = projectOf(world);
    const options = { period, as_of: asOf };
    try {
        await project.run(options);
        project.write('card.yaml', projectFiles({ ...world, card })['card.yaml'] ?? '');
        const opened = openProject(`${project.folder}/tieout.yaml`);
        const partials = await rePrice(opened, project.effects, { period });
        const whole = await project.run(options);
        expect(linesOf(partials.certificate.outputs)).toEqual(linesOf(whole.certificate.outputs));
        expect(partials.certificate.payers).toEqual(whole.certificate.payers);
    } finally {
        project.remove();
    }
}

describe('a month priced anew from partials is the one computed from objects', () => {
    test('of random worlds and cards', { timeout: 3_600_000 }, () =>
        holdsFor(
            worlds({ maxEvents: 20 }).chain((world) => unaudited(world)),
            { runs: runsOf(8, 3) },
            agrees,
        ),
    );
});
