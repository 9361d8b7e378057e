import { describe, expect, test } from 'vitest';
import { loadContracts } from '../../../src/rules/contracts.ts';
import { type RefusalFacts, refusalsOf } from '../../../src/run/refusals.ts';
import type { PayerTotal } from '../../../src/schema/break.ts';
import type { LateUsage } from '../../../src/schema/contract.ts';
import { cardAt } from '../../support/months.ts';
import { loaded, reader } from '../rules/support.ts';

const files = { 'rules/card.yaml': cardAt('1.00') };

/** `account late_usage`: a contract of the account; with a hyphen it says nothing. */
function contractsOf(texts: readonly string[]): RefusalFacts['project']['contracts'] {
    const rows = texts.map((text) => {
        const [account = '', late = '-', to = ''] = text.split(' ');
        const more = `${late === '-' ? '' : `, late_usage: ${late}`}${to ? `, to: ${to}T00:00:00Z` : ''}`;
        return `  - { contract: of-${account}, account: ${account}, from: 2026-01-01T00:00:00Z${more}, cards: [{ card: card.yaml }] }`;
    });
    const text = `contracts:\n${rows.join('\n')}${rows.length ? '' : ' []'}\n`;
    const standard = { file: 'rules/card.yaml', card: loaded(files) };
    const read = loadContracts('rules/contracts.yaml', text, standard, reader(files));
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    return read.contracts;
}

/** Who pays for which accounts in October. */
const paths = ['north', 'north > dev', 'north > dev > ci', 'south'].map((path) => ({
    ...{ path, payer_id: path.split(' > ')[0] ?? '' },
    ...{ valid_from: '2026-01-01T00:00:00Z', valid_to: '9999-12-31T00:00:00Z' },
}));
const held = (...ids: readonly string[]) => ({
    payers: ids.map((payer_id) => ({ payer_id, recon_status: 'held' }) as PayerTotal),
});
const moved = { old: '1.00', new: '2.00', delta: '1.00', delta_minor: '100', payer_name: '' };

interface World {
    readonly contracts?: readonly string[];
    readonly standard?: LateUsage;
    readonly billed?: readonly string[];
    readonly candidate?: readonly string[];
    readonly opens?: readonly string[];
    /** `payer currency` of November. */
    readonly billing?: readonly string[];
    readonly payers?: readonly string[];
}

/** `north: held` of the payers north and south, and one of whom nothing is known any more. */
function refused(world: World): readonly string[] {
    const { contracts = [], standard = 'delta', payers = ['north', 'south', 'gone'] } = world;
    const billing = world.billing ?? ['north USD', 'south USD', 'gone USD'];
    const config = { late_usage: standard } as RefusalFacts['project']['config'];
    const facts: RefusalFacts = {
        project: { config, contracts: contractsOf(contracts) },
        billed: held(...(world.billed ?? [])),
        candidate: held(...(world.candidate ?? [])),
        payers: payers.map((payer_id) => ({ ...moved, payer_id, currency: 'USD' })),
        contracts: world.opens ?? [],
        billing: {
            period: '2026-11',
            paths: billing.map((text) => {
                const [payer_id = '', currency = ''] = text.split(' ');
                return { payer_id, currency };
            }),
        },
    };
    return refusalsOf(facts, paths).map(({ payer_id, why }) => `${payer_id}: ${why}`);
}

const cases: readonly (readonly [string, World, readonly string[]])[] = [
    ['nobody', {}, []],
    [
        'all, where the config restates',
        { standard: 'restate' },
        ['north: restate', 'south: restate', 'gone: restate'],
    ],
    ['one whose contract restates', { contracts: ['south restate'] }, ['south: restate']],
    ['one with a team whose contract restates', { contracts: ['dev restate'] }, ['north: restate']],
    [
        'not one whose contract says delta',
        { standard: 'restate', contracts: ['south delta'] },
        ['north: restate', 'gone: restate'],
    ],
    [
        'one whose contract is silent, as the config',
        { standard: 'restate', contracts: ['south -', 'north delta'] },
        ['south: restate', 'gone: restate'],
    ],
    [
        'not by a contract that the nearer one replaces',
        { contracts: ['north delta', 'dev delta'] },
        [],
    ],
    [
        'one whose contract restated for a part of the time',
        { contracts: ['south restate 2026-10-10'] },
        ['south: restate'],
    ],
    ['one that was held when the month was closed', { billed: ['south'] }, ['south: held']],
    ['one that would be held now', { candidate: ['north'] }, ['north: held']],
    [
        'one whose next month opens otherwise',
        { contracts: ['dev delta'], opens: ['of-dev'] },
        ['north: closings'],
    ],
    [
        'all, where the contract that opens otherwise is gone',
        { opens: ['lost'] },
        ['north: closings', 'south: closings', 'gone: closings'],
    ],
    ['one who pays for nobody any more', { billing: ['north USD', 'south USD'] }, ['gone: payer']],
    [
        'one who pays in another currency now',
        { billing: ['north EUR', 'south USD', 'gone USD'] },
        ['north: payer'],
    ],
    [
        'each once, for the first reason',
        { payers: ['south', 'south'], billed: ['south'], billing: [] },
        ['south: held'],
    ],
];

describe('who is not corrected', () => {
    test.each(cases)('%s', (_what, world, expected) => {
        expect(refused(world)).toEqual(expected);
    });
});
