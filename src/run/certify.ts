import type { Engine, Row } from '../duck/engine.ts';
import type { BreakTotal, PayerTotal, TieOut } from '../schema/break.ts';
import type { Certificate, Conversion, CorrectionTotal, History } from '../schema/certificate.ts';
import { readCauses } from './cause-outputs.ts';
import { version } from './code.ts';
import { money, trimmed, trimmedOrNull } from './decimals.ts';
import type { RunOptions } from './prepare.ts';
import type { Project } from './project.ts';
import { readMargins } from './sale-outputs.ts';
import { walletMovements } from './wallet-outputs.ts';

const whole = (value: unknown) => Number.parseInt(String(value), 10);

/** What of a certificate is known before its files are written. */
export type Evidence = Omit<Certificate, 'run_fingerprint' | 'run_digest' | 'outputs'>;

/** What a run that is re-priced takes over from the one that it is made from. */
export interface Repriced {
    readonly from: NonNullable<Certificate['repriced_from']>;
    readonly completeness: string;
}

/** Gathers the evidence of a run from its relations. */
export async function certify(
    engine: Engine,
    project: Project,
    options: RunOptions,
    runId: string,
    history: History,
    repriced?: Repriced,
): Promise<Evidence> {
    const hasLines = options.pipeline === 'nightly';
    const payers = await payerTotals(engine, hasLines);
    const breaks = await breakTotals(engine);
    const isHeld = payers.some(({ recon_status }) => recon_status === 'held');
    const { strays } = await engine.one(
        "select count(*) as strays from recon.breaks where payer_id is null and accepted_by = ''",
    );
    const margins = await readMargins(engine);
    const moved = await walletMovements(engine);
    const conversions = await readConversions(engine);
    const corrections = hasLines ? await readCorrections(engine) : [];
    return {
        run_id: runId,
        ...options,
        tieout_version: version,
        engine_version: engine.version,
        inputs: await inputs(engine),
        rules: Object.fromEntries(Object.entries(project.rules).sort()),
        history,
        stages: await stages(engine),
        totals: await totals(engine),
        suspense: await suspense(engine),
        tie_outs: await tieOuts(engine),
        breaks,
        causes: await readCauses(engine),
        payers,
        completeness: repriced?.completeness ?? (await completeness(engine)),
        ...(repriced ? { repriced_from: repriced.from } : {}),
        ...(moved.length ? { wallet_movements: moved } : {}),
        ...(margins ? { margins } : {}),
        ...(conversions.length ? { conversions } : {}),
        ...(corrections.length ? { corrections } : {}),
        result: isHeld || strays !== 0n ? 'held' : 'clean',
    };
}

async function inputs(engine: Engine): Promise<Certificate['inputs']> {
    const rows = await engine.rows(`
        select objects.input, objects.key, objects.size, objects.etag, objects.sha256,
            object_lines.line_count, object_lines.record_count, object_lines.duplicate_count,
            object_lines.conflict_count, object_lines.suspended_count
        from raw.objects as objects
        inner join mediated.object_lines as object_lines
            on objects.object_no = object_lines.object_no
        order by objects.object_no`);
    return rows.map((row) => ({
        input: String(row.input),
        key: String(row.key),
        size: whole(row.size),
        etag: String(row.etag),
        sha256: String(row.sha256),
        lines: String(row.line_count),
        events: String(row.record_count),
        duplicates: String(row.duplicate_count),
        conflicts: String(row.conflict_count),
        suspended: String(row.suspended_count),
    }));
}

async function stages(engine: Engine): Promise<Certificate['stages']> {
    const rows = await engine.rows('select * from control.stages order by position');
    return rows.map((row) => ({
        stage: String(row.stage),
        sql_sha256: JSON.parse(String(row.sql_sha256)),
        audits: JSON.parse(String(row.audits)),
    }));
}

async function totals(engine: Engine): Promise<Certificate['totals']> {
    const rows = await engine.rows(
        'select * from control.totals order by stage, relation, side, slice',
    );
    return rows.map((row) => ({
        stage: String(row.stage),
        relation: String(row.relation),
        side: String(row.side),
        slice: String(row.slice),
        row_count: String(row.row_count),
        quantity: trimmedOrNull(row.quantity) ?? '',
        amount: trimmedOrNull(row.amount) ?? '',
        hash_total: String(row.hash_total),
    }));
}

async function suspense(engine: Engine): Promise<Certificate['suspense']> {
    const rows = await engine.rows(`
        select code, sum(row_count)::varchar as row_count
        from (
            select code, count(*) as row_count from suspense.usage_rows group by code
            union all
            select code, count(*) as row_count from suspense.debit_rows group by code
            union all
            select code, count(*) as row_count from suspense.unrated_usage group by code
            union all
            select code, count(*) as row_count from suspense.unpriced_fees group by code
        )
        group by code
        order by code`);
    return rows.map((row) => ({ code: String(row.code), row_count: String(row.row_count) }));
}

async function readConversions(engine: Engine): Promise<readonly Conversion[]> {
    const rows = await engine.rows(`
        select from_currency, to_currency, rate, rated_on, source, null as evidence
        from rules.currency_rates
        union all
        select from_currency, to_currency, null, null, null, evidence
        from rules.missing_conversions
        order by from_currency, to_currency`);
    const textOf = (value: unknown) => (value === null ? null : String(value));
    return rows.map((row) => ({
        from: String(row.from_currency),
        to: String(row.to_currency),
        rate: trimmedOrNull(row.rate),
        on: textOf(row.rated_on),
        source: textOf(row.source),
        evidence: textOf(row.evidence),
    }));
}

async function readCorrections(engine: Engine): Promise<readonly CorrectionTotal[]> {
    const rows = await engine.rows(`
        select backfill_id, corrects_period, payer_id, currency, count(*) as line_count,
            sum(amount) as amount
        from invoice.line_items
        where backfill_id is not null
        group by all
        order by corrects_period, backfill_id, payer_id, currency`);
    return rows.map((row) => ({
        backfill_id: String(row.backfill_id),
        corrects_period: String(row.corrects_period),
        payer_id: String(row.payer_id),
        currency: String(row.currency),
        line_count: whole(row.line_count),
        amount: money(row.amount, String(row.currency)),
    }));
}

async function tieOuts(engine: Engine): Promise<readonly TieOut[]> {
    const rows = await engine.rows(
        'select * from recon.tie_outs order by payer_id, account_id, asset',
    );
    return rows.map((row) => ({
        payer_id: String(row.payer_id),
        account_id: String(row.account_id),
        asset: String(row.asset),
        status: row.status as TieOut['status'],
        rated: trimmed(row.rated),
        debited: trimmed(row.debited),
        difference: trimmed(row.difference),
        broken: trimmed(row.broken),
        rounding: trimmed(row.rounding),
        repriced: trimmed(row.repriced),
        unexplained: trimmed(row.unexplained),
    }));
}

/** Breaks by code, and what was accepted within tolerance as AMOUNT_ROUNDING. */
async function breakTotals(engine: Engine): Promise<readonly BreakTotal[]> {
    const rows = await engine.rows(`
        select code, coalesce(asset, '') as asset, currency, count(*) as break_count,
            sum(amount) as amount,
            case when count(money_amount) = count(*) then sum(money_amount) end as money_amount
        from recon.breaks
        group by code, coalesce(asset, ''), currency
        union all
        select 'AMOUNT_ROUNDING' as code, accepted.asset,
            max(case when assets.kind = 'currency' then accepted.asset end) as currency,
            sum(accepted.match_count)::bigint as break_count,
            sum(accepted.difference) as amount,
            max(case when assets.kind = 'currency' then 1 end) * sum(accepted.difference)
                as money_amount
        from recon.accepted_differences as accepted
        inner join rules.assets as assets on accepted.asset = assets.asset
        where accepted.is_within
        group by accepted.asset
        order by code, asset, currency, break_count, amount`);
    return rows.map((row) => ({
        code: String(row.code),
        asset: String(row.asset),
        break_count: whole(row.break_count),
        amount: trimmed(row.amount),
        money_amount: trimmedOrNull(row.money_amount),
        currency: row.currency as string | null,
    }));
}

async function payerTotals(engine: Engine, hasLines: boolean): Promise<readonly PayerTotal[]> {
    const lines = hasLines
        ? 'select payer_id, count(*) as line_count, sum(amount) as amount from invoice.line_items group by payer_id'
        : 'select null as payer_id, 0 as line_count, 0 as amount where false';
    const rows = await engine.rows(`
        select holds.*, coalesce(lines.line_count, 0) as line_count,
            coalesce(lines.amount, 0) as amount
        from recon.holds as holds
        left join (${lines}) as lines on holds.payer_id = lines.payer_id
        order by holds.payer_id`);
    return rows.map((row: Row) => ({
        payer_id: String(row.payer_id),
        payer_name: String(row.payer_name),
        currency: String(row.currency),
        line_count: whole(row.line_count),
        amount_exact: trimmed(row.amount_exact),
        amount: money(row.amount, String(row.currency)),
        break_count: whole(row.break_count),
        break_money: trimmed(row.break_money),
        hold_limit: trimmed(row.hold_limit),
        unrated_count: whole(row.unrated_count),
        ...(row.fee_count === 0n ? {} : { unpriced_fee_count: whole(row.fee_count) }),
        recon_status: row.recon_status as PayerTotal['recon_status'],
    }));
}

/** How far the run can prove that nothing was lost on the way to it, in words. */
async function completeness(engine: Engine): Promise<string> {
    const row = await engine.one(`
        select count(*) filter (where wallet_id is not null) as wallets,
            count(*) filter (where wallet_id is not null and numbered_count > 0) as numbered,
            (select count(*) from recon.sequence_gaps) as gaps,
            coalesce(sum(entry_count), 0)::bigint as entries,
            coalesce(sum(entry_count) filter (where wallet_id is null), 0)::bigint as unnamed
        from (
            select wallet_id, sum(entry_count) as entry_count, sum(numbered_count) as numbered_count
            from recon.log_totals
            group by wallet_id
        )`);
    const objects = 'Every object was read whole: size, ETag and SHA-256 are pinned.';
    const usage =
        'That no usage object is missing cannot be shown: the producer sends no manifest.';
    return `${objects} ${usage} ${logCompleteness(row as unknown as LogCounts)}`;
}

interface LogCounts {
    readonly entries: bigint;
    /** Entries that name no wallet: nothing numbers them. */
    readonly unnamed: bigint;
    readonly wallets: bigint;
    readonly numbered: bigint;
    readonly gaps: bigint;
}

/** How far the debit log can prove that none of its entries is missing, in words. */
export function logCompleteness({ entries, unnamed, wallets, numbered, gaps }: LogCounts): string {
    if (entries === 0n) return 'There is no debit log.';
    const named = `${numbered} of ${wallets} wallets number their entries; ${gaps} have gaps.`;
    const nameless = `${unnamed} of ${entries} debit entries name no wallet: that none of them is missing cannot be shown.`;
    return [...(wallets > 0n ? [named] : []), ...(unnamed > 0n ? [nameless] : [])].join(' ');
}
