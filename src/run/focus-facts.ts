import type { Engine } from '../duck/engine.ts';
import type {
    Counted,
    FocusFacts,
    GrantBasis,
    PeriodFacts,
    PromisedCommitment,
} from '../export/focus-facts.ts';
import { type Paid, splitBy, unitsOf } from '../export/focus-paid.ts';
import { compareLineItems } from '../export/order.ts';
import { parseAmount } from '../money/amount.ts';
import type { FocusConfig } from '../schema/focus.ts';
import { forever, formatInstant } from '../time/instant.ts';
import { readLines } from './outputs.ts';
import type { Project } from './project.ts';

/** What the FOCUS files are made of, out of the tables of a nightly run, without the held payers. */
export async function readFocusFacts(
    engine: Engine,
    project: Project,
    config: FocusConfig,
    { held, period }: { readonly held: ReadonlySet<string>; readonly period: PeriodFacts },
): Promise<FocusFacts> {
    const isFree = (of: { readonly payer_id: string }) => !held.has(of.payer_id);
    const lines = (await readLines(engine)).filter(isFree);
    const paid = [...(await paidByWallets(engine)), ...(await paidByGrants(engine))];
    return {
        lines: lines.toSorted(compareLineItems),
        paid: paid.filter(isFree),
        counted: await countedOf(engine),
        grants: (await grantsOf(engine, project)).filter(isFree),
        commitments: (await commitmentsOf(engine, project)).filter(isFree),
        spans: await spansOf(engine, held),
        dynamicRates: await dynamicRatesOf(engine),
        period,
        config,
    };
}

/** What wallets paid of each line; the asset of a settlement is shared by what it paid, in money. */
async function paidByWallets(engine: Engine): Promise<readonly Paid[]> {
    const rows = await engine.rows(
        `select parts.payer_id, parts.account_id, parts.product, parts.asset, parts.line_key,
            parts.amount_exact, parts.amount_minor, settlements.asset_amount
        from billed.line_settlements as parts
        inner join billed.settlements as settlements
            on parts.payer_id = settlements.payer_id
            and parts.account_id = settlements.account_id
            and parts.product = settlements.product
            and parts.asset = settlements.asset
        order by parts.payer_id, parts.account_id, parts.product, parts.asset, parts.line_key`,
    );
    const groups = Map.groupBy(rows, ({ payer_id, account_id, product, asset }) =>
        JSON.stringify([payer_id, account_id, product, asset]),
    );
    const paid = [...groups.values()].flatMap((of) => {
        const weights = of.map(({ amount_exact }) => parseAmount(String(amount_exact)).units);
        const shares = splitBy(unitsOf(String(of[0]?.asset_amount)), weights);
        return of.map((row, at) => ({
            ...(row as unknown as Paid),
            grant_id: null,
            asset_units: shares[at] ?? 0n,
        }));
    });
    // A payment without a line is what its settlement has more than lines.
    return paid.filter(({ line_key }) => line_key !== null);
}

/** What grants paid of each line. */
async function paidByGrants(engine: Engine): Promise<readonly Paid[]> {
    const rows = await engine.rows(
        `select payer_id, '' as account_id, product, line_key, grant_id, asset,
            cast(sum(drawn) as decimal(38, 12)) as drawn,
            cast(sum(amount_minor) as hugeint) as amount_minor
        from invoice.draw_downs
        group by payer_id, product, line_key, grant_id, asset
        order by payer_id, product, line_key, grant_id, asset`,
    );
    return rows.map(({ drawn, ...row }) => ({
        ...(row as unknown as Paid),
        asset_units: unitsOf(String(drawn)),
    }));
}

/** What of each line counts towards which commitment. */
async function countedOf(engine: Engine): Promise<readonly Counted[]> {
    const rows = await engine.rows(
        `select parts.line_key, commitments.contract_id, counted.commitment_id, counted.measure,
            cast(sum(parts.amount_minor) as hugeint) as amount_minor,
            cast(sum(parts.quantity) as decimal(38, 12)) as quantity, lines.unit
        from billed.counted_parts as counted
        inner join billed.parts as parts
            on counted.payer_id = parts.payer_id
            and counted.charge_no = parts.charge_no
        inner join billed.lines as lines on parts.line_key = lines.line_key
        inner join rules.commitments as commitments
            on counted.payer_id = commitments.payer_id
            and counted.commitment_id = commitments.commitment_id
        group by all
        order by parts.line_key, counted.commitment_id, counted.measure`,
    );
    return rows as unknown as readonly Counted[];
}

async function grantsOf(engine: Engine, project: Project): Promise<readonly GrantBasis[]> {
    const rows = await engine.rows(
        `select grants.payer_id, grants.grant_id, grants.cost_basis, grants.contract_id,
            grants.opening + grants.granted as size, balances.expired - balances.rolled_over as lost,
            grants.asset, grants.currency, grants.account_id, grants.product, grants.description,
            greatest(grants.starts_at, payers.period_start) as starts_at,
            least(coalesce(grants.expires_at, payers.period_end), payers.period_end) as ended_at,
            payers.payer_name, payers.period_start, payers.period_end, holds.recon_status,
            coalesce(names.account_name, grants.account_id) as account_name
        from rules.grants as grants
        inner join invoice.balances as balances
            on grants.payer_id = balances.payer_id
            and grants.grant_id = balances.grant_id
        inner join rolled.payers as payers on grants.payer_id = payers.payer_id
        inner join recon.holds as holds on grants.payer_id = holds.payer_id
        left join (
            select account_id, arg_max(account_name, valid_from) as account_name
            from accounts.paths
            group by account_id
        ) as names on grants.account_id = names.account_id
        order by grants.payer_id, grants.grant_id`,
    );
    return rows.map((row) => {
        const contract = String(row.contract_id);
        const written = writtenGrant(project, contract, String(row.grant_id));
        return { ...(row as unknown as GrantBasis), ...written };
    });
}

/**
 * What was paid for a grant and how much it held as a whole, as its contract says: its opening is only
 * what is left of it. Of a prorated window both are smaller by the same fraction.
 */
function writtenGrant(
    { contracts }: Project,
    contract_id: string,
    grant_id: string,
): Partial<Pick<GrantBasis, 'cost_basis' | 'size'>> {
    const contract = contracts.contracts.find((of) => of.contract === contract_id);
    // contract/grant@date~rollover
    const [name = ''] = grant_id.slice(contract_id.length + 1).split(/[@~]/);
    const grant = contract?.grants.find((of) => of.grant === name);
    if (grant) return { size: grant.amount };
    const commitment = contract?.commitments.find((of) => of.commitment === name);
    if (!commitment) return {};
    return { size: commitment.size, cost_basis: commitment.fee ?? commitment.size };
}

async function commitmentsOf(
    engine: Engine,
    { contracts, config }: Project,
): Promise<readonly PromisedCommitment[]> {
    const rows = await engine.rows(
        `select commitments.payer_id, commitments.commitment_id, commitments.contract_id,
            commitments.account_id, commitments.kind, commitments.measure, commitments.meter,
            commitments.currency, commitments.window_start, commitments.window_end,
            statements.committed, statements.counted, statements.shortfall, commitments.description,
            payers.period_end, payers.time_zone,
            coalesce((
                select list(products.product order by products.product)
                from rules.holder_products as products
                where products.payer_id = commitments.payer_id
                    and products.holder_id = commitments.commitment_id
            ), []) as products,
            coalesce((
                select list(accounts.account_id order by accounts.account_id)
                from rules.holder_accounts as accounts
                where accounts.payer_id = commitments.payer_id
                    and accounts.holder_id = commitments.commitment_id
                    and commitments.account_id <> commitments.payer_id
            ), []) as accounts
        from rules.commitments as commitments
        inner join invoice.commitments as statements
            on commitments.payer_id = statements.payer_id
            and commitments.commitment_id = statements.commitment_id
        inner join rolled.payers as payers on commitments.payer_id = payers.payer_id
        order by commitments.payer_id, commitments.commitment_id`,
    );
    return rows.map((row) => {
        const own = row as unknown as PromisedCommitment;
        const contract = contracts.contracts.find((of) => of.contract === own.contract_id);
        // Of a contract without an end, the end of its window is the last that is known.
        const isOpen = !contract || contract.to >= forever;
        return {
            ...own,
            unit: config.meters.find(({ meter }) => meter === row.meter)?.unit ?? null,
            contract_start: contract ? formatInstant(contract.from) : own.window_start,
            contract_end: isOpen ? own.window_end : formatInstant(contract.to),
        };
    });
}

/** The spans of time that the payers are billed for, each once. */
async function spansOf(engine: Engine, held: ReadonlySet<string>): Promise<FocusFacts['spans']> {
    const rows = await engine.rows(
        `select payer_id, period_start, period_end
        from rolled.payers
        order by period_start, period_end, payer_id`,
    );
    const free = rows.filter(({ payer_id }) => !held.has(String(payer_id)));
    const spans = free.map(({ period_start, period_end }) => {
        return { period_start: String(period_start), period_end: String(period_end) };
    });
    return [...new Map(spans.map((of) => [JSON.stringify(of), of])).values()];
}

async function dynamicRatesOf(engine: Engine): Promise<ReadonlySet<string>> {
    const rows = await engine.rows(
        "select rate_id from rules.terms where model = 'dynamic' group by rate_id order by rate_id",
    );
    return new Set(rows.map(({ rate_id }) => String(rate_id)));
}
