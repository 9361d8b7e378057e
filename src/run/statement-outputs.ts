import type { Engine, Row } from '../duck/engine.ts';
import type { BalanceStatement, CommitmentStatement, Statements } from '../schema/statement.ts';
import { trimmed } from './decimals.ts';
import { relationCsv } from './relation-csv.ts';
import { hasSales } from './sale-outputs.ts';

/**
 * The files of what payers promised and what paid for their usage, by name: the ledger and balances
 * of grants, commitments, wallets, and what the next period opens with. Each has its header even where
 * there are no rows.
 */
export async function statementFiles(engine: Engine): Promise<Readonly<Record<string, string>>> {
    return {
        'draw_downs.csv': await drawDownsCsv(engine),
        'balances.csv': await balancesCsv(engine),
        'commitments.csv': await commitmentsCsv(engine),
        'settlements.csv': await settlementsCsv(engine),
        'closings.csv': await closingsCsv(engine),
    };
}

/** What each part of a line takes of each grant, in the order in which they draw. */
async function drawDownsCsv(engine: Engine): Promise<string> {
    const decimals = ['drawn', 'balance', 'amount'];
    return relationCsv(
        engine,
        'select * from invoice.draw_downs order by payer_id, grant_id, charge_no',
        [
            ...['payer_id', 'grant_id', 'line_key', 'account_id', 'product', 'asset'],
            ...decimals,
            'currency',
        ],
        decimals,
    );
}

/** What a report shows of them: commitments and balances with what their contract calls them. */
export async function readStatements(engine: Engine): Promise<Statements> {
    const commitments = await engine.rows(
        `select statements.*, commitments.description, commitments.meter
        from invoice.commitments as statements
        inner join rules.commitments as commitments using (payer_id, commitment_id)
        order by statements.payer_id, statements.commitment_id`,
    );
    const balances = await engine.rows(
        `select balances.*, grants.description
        from invoice.balances as balances
        inner join rules.grants as grants using (payer_id, grant_id)
        order by balances.payer_id, balances.grant_id`,
    );
    return {
        commitments: commitments.map((row) => sized<CommitmentStatement>(row, ofCommitment)),
        balances: balances.map((row) => sized<BalanceStatement>(row, ofBalance)),
    };
}

/** A row with its sizes as text without the zeros that the scale of their columns adds. */
function sized<T>(row: Row, sizes: readonly string[]): T {
    return {
        ...row,
        ...Object.fromEntries(sizes.map((size) => [size, trimmed(row[size])])),
    } as T;
}

const ofBalance = ['opening', 'granted', 'drawn', 'expired', 'rolled_over', 'closing'];
const ofCommitment = [
    ...['committed', 'counted_before', 'counted', 'shortfall', 'true_up', 'overage'],
];

async function balancesCsv(engine: Engine): Promise<string> {
    return relationCsv(
        engine,
        'select * from invoice.balances order by payer_id, grant_id',
        ['payer_id', 'grant_id', 'asset', ...ofBalance, 'currency', 'rate'],
        [...ofBalance, 'rate'],
    );
}

async function commitmentsCsv(engine: Engine): Promise<string> {
    return relationCsv(
        engine,
        'select * from invoice.commitments order by payer_id, commitment_id',
        [
            ...['payer_id', 'commitment_id', 'kind', 'measure', 'window_start', 'window_end'],
            ...ofCommitment,
            'currency',
        ],
        ofCommitment,
    );
}

/** What wallets paid, rounded once for each row; without a rate where it changed in the period. */
async function settlementsCsv(engine: Engine): Promise<string> {
    const decimals = ['asset_amount', 'rate', 'amount'];
    return relationCsv(
        engine,
        `select settlements.*,
            minor_amount(settlements.amount_minor, currencies.exponent) as amount
        from billed.settlements as settlements
        inner join rules.currencies as currencies on settlements.currency = currencies.currency
        order by settlements.payer_id, settlements.account_id, settlements.product,
            settlements.asset`,
        ['payer_id', 'account_id', 'product', 'asset', ...decimals, 'currency'],
        decimals,
    );
}

/**
 * What the next period opens with, as its openings file. The term of a contract counts either what
 * the operator bills or what a seller sells: of the other there is nothing but the opening, which is
 * never the larger.
 */
async function closingsCsv(engine: Engine): Promise<string> {
    const sold = (await hasSales(engine)) ? 'union all select * from sold.closings' : '';
    return relationCsv(
        engine,
        `select contract, product, meter, commitment, "grant", period, max(quantity) as quantity
        from (select * from invoice.closings ${sold})
        group by contract, product, meter, commitment, "grant", period
        order by contract, product, meter, commitment, "grant"`,
        ['contract', 'product', 'meter', 'commitment', 'grant', 'period', 'quantity'],
        ['quantity'],
    );
}
