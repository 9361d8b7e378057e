import { z } from 'zod';
import { strict } from './strict.ts';
import { text } from './written.ts';

/**
 * Contracts, as a person writes them. Here only the shape is checked: cards, spans and overlaps are
 * read by src/rules/contracts.ts, accounts with the account tree.
 */

const contractCard = strict({
    card: text('card').describe(
        'File of a rate card, relative to the folder of this file; or the name of the card of ' +
            'tieout.yaml, or of one that another line here names by its file.',
    ),
    from: text('from').optional().describe('First instant of the card here: of the contract.'),
    to: text('to').optional().describe('First instant after it; left out, the contract ends it.'),
});

const contract = strict({
    contract: text('contract').describe('Its id.'),
    account: text('account').describe('It holds for this account and all below it.'),
    seller: text('seller')
        .optional()
        .describe('An account above that sells the usage on; left out, the operator sells.'),
    from: text('from').describe('First instant, with its zone: 2026-01-01T00:00:00Z.'),
    to: text('to').optional().describe('First instant after it; left out while it is open.'),
    cards: z
        .array(contractCard)
        .min(1, 'a contract needs at least one card')
        .describe('The cards that price its usage, and no others.'),
});

/** The file that `contracts` of tieout.yaml names. Unknown keys are errors. */
export const contractsSchema = strict({
    contracts: z
        .array(contract)
        .describe('Where no contract is in force, the rate card of tieout.yaml applies.'),
});

export type ContractFile = z.output<typeof contractsSchema>['contracts'][number];
