import { z } from 'zod';
import { strict } from './strict.ts';
import { choice, positive, text, unsigned } from './written.ts';

/**
 * Contracts, as a person writes them. Here only the shape is checked: cards, spans, commitments and
 * grants are read by src/rules/contracts.ts, accounts with the account tree.
 */

const contractCard = strict({
    card: text('card').describe(
        'File of a rate card, relative to the folder of this file; or the name of the card of ' +
            'tieout.yaml, or of one that another line here names by its file.',
    ),
    from: text('from').optional().describe('First instant of the card here: of the contract.'),
    to: text('to').optional().describe('First instant after it; left out, the contract ends it.'),
});

/** The id of a commitment or grant: the characters that join ids to longer ones are not in it. */
function holderId(what: string) {
    return text(what).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, {
        error: ({ input }) =>
            `${what} "${String(input)}" may hold letters, digits, ".", "_" and "-", and begins with one of the first two`,
    });
}

/** A whole number of months. */
const months = z
    .int({ error: 'months is a whole number without quotes, like 3' })
    .min(1, 'months must be above zero')
    .max(1200, 'months is at most 1200');

/** A share of something, above zero and at most all of it. */
const fraction = positive('fraction').regex(/^0*(0\.\d+|1(\.0+)?)$/, {
    error: ({ input }) => `fraction is "${String(input)}": it must be above 0 and at most 1`,
});

const rollover = strict({
    fraction: fraction.describe('The share of what is left that goes on: "0.5", or "1" for all.'),
    months: months.describe('For so many months after the end.'),
}).optional();

const products = z
    .array(text('product'))
    .refine((list) => new Set(list).size === list.length, 'products names one of them twice')
    .default([])
    .describe('Products that it is for; none means all.');

const commitment = strict({
    commitment: holderId('commitment').describe('Its id, which no other of the contract has.'),
    amount: positive('amount').optional().describe('Money that is promised in each window.'),
    quantity: positive('quantity').optional().describe('Units of `meter` instead of money.'),
    meter: text('meter').optional().describe('The meter whose units count, of a quantity.'),
    fee: positive('fee')
        .optional()
        .describe('Of a prepaid quantity: what each window costs, billed when it begins.'),
    shortfall_price: positive('shortfall_price')
        .optional()
        .describe('Of a quantity: what each unit that is missing costs.'),
    every: choice('every', ['month', 'quarter', 'year', 'term'])
        .default('term')
        .describe(
            'The window in which it counts: whole months of the payer from the begin of the ' +
                'contract, or all of the contract.',
        ),
    kind: choice('kind', ['postpaid', 'prepaid'])
        .default('postpaid')
        .describe(
            'postpaid: what is missing is billed when a window ends; prepaid: the amount, or the fee ' +
                'of a quantity, is billed when it begins, and usage draws on it.',
        ),
    true_up: choice('true_up', ['window', 'cumulative', 'none'])
        .optional()
        .describe(
            'Of what a window lacks, of what all up to it lack, or of nothing: left out, window. ' +
                'A prepaid one has none.',
        ),
    products,
    overage_factor: positive('overage_factor')
        .optional()
        .describe('What lies above costs its own price times this.'),
    overage_unit_price: positive('overage_unit_price')
        .optional()
        .describe('Of a quantity: what lies above costs this per unit instead.'),
    prorate: z
        .boolean({ error: 'prorate is true or false' })
        .default(true)
        .describe('Whether a window that the contract cuts is promised by its civil days.'),
    rollover: rollover.describe('Of a prepaid one: what happens to the rest of a window.'),
    product: text('product').default('commitment').describe('The product that its lines name.'),
    description: text('description').optional().describe('What its lines say.'),
});

const grant = strict({
    grant: holderId('grant').describe('Its id, which no other of the contract has.'),
    amount: positive('amount').describe('What it gives, in its asset.'),
    asset: text('asset')
        .optional()
        .describe('What it holds: the currency of the payer, or a unit of `assets` with rates.'),
    every: choice('every', ['once', 'month', 'quarter', 'year'])
        .default('once')
        .describe('Once, or anew in each window, as of commitments.'),
    from: text('from')
        .optional()
        .describe('Given once: the first instant whose usage it pays; left out, of the contract.'),
    to: text('to')
        .optional()
        .describe('Given once: the first instant after it; left out, the contract ends it.'),
    months: months
        .optional()
        .describe('Given anew: months that each lasts from its own on, instead of its window.'),
    priority: z
        .union([text('priority').regex(/^-?\d{1,15}$/, 'priority is a whole number'), z.int()])
        .default('0')
        .transform(String)
        .describe('Lower draws first.'),
    cost_basis: unsigned('cost_basis').default('0').describe('What was paid for it.'),
    products,
    rollover: rollover.describe('What happens to what is left of it.'),
    product: text('product').default('credit').describe('The product that its lines name.'),
    description: text('description').optional().describe('What its lines say.'),
});

/** What becomes of usage that is found after its period was closed. */
export const lateUsages = ['delta', 'restate'] as const;
export type LateUsage = (typeof lateUsages)[number];

const contract = strict({
    contract: text('contract').describe('Its id.'),
    account: text('account').describe('It holds for this account and all below it.'),
    seller: text('seller')
        .optional()
        .describe('An account above that sells the usage on; left out, the operator sells.'),
    from: text('from').describe('First instant, with its zone: 2026-01-01T00:00:00Z.'),
    to: text('to').optional().describe('First instant after it; left out while it is open.'),
    late_usage: choice('late_usage', lateUsages)
        .optional()
        .describe(
            'What is found after a period was closed: delta bills the difference in the open one, ' +
                'restate asks to reopen it. Left out, as tieout.yaml says.',
        ),
    cards: z
        .array(contractCard)
        .min(1, 'a contract needs at least one card')
        .describe('The cards that price its usage, and no others.'),
    commitments: z
        .array(commitment)
        .default([])
        .describe('What who pays for the account promised to use.'),
    grants: z.array(grant).default([]).describe('What is given to who pays for the account.'),
});

/** What may decide which grant draws first, in the order that holds where none is written. */
export const drawTerms = [
    'priority',
    'rollover',
    'cost_basis',
    'scope',
    'expires_at',
    'starts_at',
] as const;

export type DrawTerm = (typeof drawTerms)[number];

/** The file that `contracts` of tieout.yaml names. Unknown keys are errors. */
export const contractsSchema = strict({
    draw_down_order: z
        .array(choice('draw_down_order', drawTerms))
        .min(1, 'draw_down_order names at least one term')
        .refine((list) => new Set(list).size === list.length, 'draw_down_order has a term twice')
        .default([...drawTerms])
        .describe('What decides which grant draws first; the id does, after the last of them.'),
    contracts: z
        .array(contract)
        .describe('Where no contract is in force, the rate card of tieout.yaml applies.'),
});

export type ContractFile = z.output<typeof contractsSchema>['contracts'][number];
export type CommitmentText = ContractFile['commitments'][number];
export type GrantText = ContractFile['grants'][number];
