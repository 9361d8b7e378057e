import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../duck/engine.ts';
import { quoteText, sha256 } from '../duck/sql.ts';
import { breaksCsv } from '../export/breaks.ts';
import type { ReconStatus } from '../export/invoices.ts';
import { canonicalJson, type JsonValue } from '../export/json.ts';
import { lineItemsCsv } from '../export/line-items.ts';
import { netsuiteInvoices } from '../export/netsuite-csv.ts';
import { stripeRequests } from '../export/stripe-requests.ts';
import { breakCode } from '../report/break-codes.ts';
import { renderHtml } from '../report/html.ts';
import { buildReport } from '../report/model.ts';
import type { Break } from '../schema/break.ts';
import type { Certificate } from '../schema/certificate.ts';
import type { LineItem } from '../schema/line-item.ts';
import { partial } from '../stage/totals.ts';
import { causeFiles } from './cause-outputs.ts';
import type { Evidence } from './certify.ts';
import { lineOf, trimmed } from './decimals.ts';
import { certificateFile, type RunFolder } from './folders.ts';
import { type Followed, itemsFile, itemsText, readTolerances } from './items.ts';
import { relationCsv } from './relation-csv.ts';
import { saleFiles } from './sale-outputs.ts';
import { readStatements, statementFiles } from './statement-outputs.ts';
import { walletMovementsCsv } from './wallet-outputs.ts';

/** Lines whose payer has no debit log are delivered: nothing contradicts them. Held ones never. */
const deliverable: ReadonlySet<ReconStatus> = new Set(['clear', 'unauditable']);

/**
 * Writes everything a run leaves for people and other systems, then its certificate, and only then
 * gives the folder its name: a reader finds all of it or nothing.
 */
export async function writeOutputs(
    engine: Engine,
    run: RunFolder,
    evidence: Evidence & { readonly run_fingerprint: string },
    followed: Followed,
): Promise<Certificate> {
    const unfinished = `${run.output}.partial`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    const isNightly = evidence.pipeline === 'nightly';
    const lines = isNightly ? await readLines(engine) : [];
    const breaks = await readBreaks(engine);
    const texts: Record<string, string> = {
        'breaks.csv': breaksCsv(breaks),
        ...(await causeFiles(engine)),
        'suspense.csv': await suspenseCsv(engine),
        'repeats.csv': await repeatsCsv(engine),
        'unrated.csv': await unratedCsv(engine),
        'wallet_movements.csv': await walletMovementsCsv(engine),
        ...(isNightly
            ? {
                  ...lineFiles(lines),
                  'charge_tiers.csv': await chargeTiersCsv(engine),
                  ...(await statementFiles(engine)),
                  ...(await saleFiles(engine)),
              }
            : {}),
    };
    for (const [name, text] of Object.entries(texts)) write(join(unfinished, name), text);
    const parquet = { 'breaks.parquet': parquetOf.breaks, 'tie_outs.parquet': parquetOf.tie_outs };
    const queries = isNightly
        ? { ...parquet, 'line_items.parquet': parquetOf.line_items }
        : parquet;
    for (const [name, query] of Object.entries(queries)) {
        await engine.run(
            `copy (${query}) to ${quoteText(join(unfinished, name))} (format parquet, compression zstd)`,
        );
    }
    const names = [...Object.keys(texts), ...Object.keys(queries)].sort();
    const certificate: Certificate = {
        ...evidence,
        run_digest: digestOf(evidence, texts),
        outputs: Object.fromEntries(
            names.map((name) => [name, sha256(readFileSync(join(unfinished, name)))]),
        ),
    };
    const statements = isNightly ? { statements: await readStatements(engine) } : {};
    const report = renderHtml(buildReport({ certificate, lines, breaks, ...statements }));
    const tolerances = await readTolerances(engine);
    const items = itemsText({ ...evidence, breaks, tolerances, ...followed });
    // Beside what inputs alone decide: which code made the report, which run first saw a break.
    const beside = { 'report.html': report, [itemsFile]: items };
    for (const [name, text] of Object.entries(beside)) write(join(unfinished, name), text);
    const hashes = Object.entries(beside).map(([name, text]) => [name, sha256(text)] as const);
    const outputs = { ...certificate.outputs, ...Object.fromEntries(hashes) };
    const complete = { ...certificate, outputs };
    write(
        join(unfinished, certificateFile),
        `${canonicalJson(complete as unknown as JsonValue)}\n`,
    );
    renameSync(unfinished, run.output);
    return complete;
}

function write(path: string, text: string): void {
    writeFileSync(path, text, { flush: true });
}

function lineFiles(lines: readonly LineItem[]): Record<string, string> {
    const options = { include: deliverable };
    const files = [
        ...netsuiteInvoices(lines, options).files,
        ...stripeRequests(lines, options).files,
    ];
    return {
        'line_items.csv': lineItemsCsv(lines),
        ...Object.fromEntries(files.map(({ name, text }) => [name, text])),
    };
}

/**
 * What the run says, without how its inputs were cut into objects: lines, breaks, tie-outs, balances
 * and the control totals of everything after mediation.
 */
function digestOf(evidence: Evidence, texts: Readonly<Record<string, string>>): string {
    const totals = evidence.totals.filter(
        ({ stage, slice }) => stage > '20-mediate' && slice !== partial,
    );
    return sha256(
        JSON.stringify([
            texts['line_items.csv'] ?? '',
            texts['breaks.csv'],
            evidence.tie_outs,
            evidence.payers,
            evidence.suspense,
            totals,
            ...['balances.csv', 'commitments.csv', 'closings.csv'].map((name) => texts[name] ?? ''),
            ...(evidence.conversions ? [evidence.conversions] : []),
            ...(evidence.margins ? [texts['sale_lines.csv'], evidence.margins] : []),
        ]),
    );
}

const parquetOf = {
    // Parquet has no whole number of 128 bits: the engine would write a DOUBLE.
    line_items: `select * replace (cast(amount_minor as decimal(38, 0)) as amount_minor)
        from invoice.line_items
        order by payer_id, account_id, product, attributes, service_start, line_key`,
    breaks: `select * from recon.breaks
        order by payer_id, account_id, asset, code, break_key, break_id`,
    tie_outs: 'select * from recon.tie_outs order by payer_id, account_id, asset',
};

/** The lines of the run with amounts as text: trimmed, or with all the digits of the currency. */
export async function readLines(engine: Engine): Promise<readonly LineItem[]> {
    const rows = await engine.rows('select * from invoice.line_items order by line_key');
    return rows.map(lineOf);
}

/** The breaks of the run with what to do about each. */
export async function readBreaks(engine: Engine): Promise<readonly Break[]> {
    const rows = await engine.rows('select * from recon.breaks order by break_id');
    return rows.map((row) => ({
        ...(row as unknown as Break),
        amount: trimmed(row.amount),
        expected: trimmed(row.expected),
        actual: trimmed(row.actual),
        money_amount: row.money_amount === null ? null : trimmed(row.money_amount),
        age_days: Number.parseInt(String(row.age_days), 10),
        action: breakCode(String(row.code)).action,
    }));
}

/** Every unusable row with its evidence, in the order it was read. */
async function suspenseCsv(engine: Engine): Promise<string> {
    return relationCsv(
        engine,
        `select suspended.code, suspended.field, objects.input, objects.key,
            suspended.line_no::varchar as line, suspended.record_id, suspended.raw_text
        from (
            select * from suspense.usage_rows
            union all by name
            select * from suspense.debit_rows
        ) as suspended
        inner join raw.objects as objects on suspended.object_no = objects.object_no
        order by suspended.object_no, suspended.line_no`,
        ['code', 'field', 'input', 'key', 'line', 'record_id', 'raw_text'],
        ['line'],
    );
}

/**
 * Usage that nothing prices, over the days it was metered on. A rate in another currency has a
 * product, and none prices what is UNRATED. Then fees that nothing prices: of no day and no event.
 */
async function unratedCsv(engine: Engine): Promise<string> {
    const names = ['code', 'payer_id', 'account_id', 'product', 'meter', 'book_id', 'attributes'];
    const numbers = ['quantity', 'event_count'];
    return relationCsv(
        engine,
        `select usage.code, usage.payer_id, usage.account_id,
            coalesce(choices.product, '') as product, usage.meter, usage.book_id, usage.attributes,
            usage.unit, min(usage.event_on)::varchar as first_on,
            max(usage.event_on)::varchar as last_on, sum(usage.quantity) as quantity,
            sum(usage.event_count)::varchar as event_count
        from suspense.unrated_usage as usage
        left join rated.rate_choices as choices
            on usage.meter = choices.meter
            and usage.book_id = choices.book_id
            and usage.attributes = choices.attributes
            and usage.segment_at = choices.segment_at
        group by all
        union all
        select code, payer_id, account_id, product, meter, '', '{}', unit, '', '', 1, '0'
        from suspense.unpriced_fees
        order by payer_id, account_id, meter, book_id, attributes, product, code, unit`,
        [...names, 'unit', 'first_on', 'last_on', ...numbers],
        numbers,
    );
}

/** Every tier that usage priced by terms entered, by payer and rate. */
async function chargeTiersCsv(engine: Engine): Promise<string> {
    const decimals = [
        ...['tier_no', 'from_quantity', 'to_quantity', 'quantity', 'unit_price', 'flat_fee'],
        'amount',
    ];
    const names = ['payer_id', 'account_id', 'product', 'rate_id', 'line_id'];
    return relationCsv(
        engine,
        `select tiers.* replace (tiers.tier_no::varchar as tier_no), rates.product
        from rolled.charge_tiers as tiers
        inner join rules.rates as rates on tiers.rate_id = rates.rate_id
        order by tiers.payer_id, tiers.account_id nulls first, tiers.rate_id, tiers.line_id,
            tiers.tier_no`,
        [...names, ...decimals],
        decimals,
    );
}

/** Every copy after the first: duplicates, and conflicts with where the copy that counts is. */
async function repeatsCsv(engine: Engine): Promise<string> {
    const headers = [
        ...['kind', 'source', 'record_id', 'key', 'line', 'first_key', 'first_line', 'content'],
    ];
    return relationCsv(
        engine,
        `select repeats.kind, repeats.source, repeats.record_id, objects.key,
            repeats.line_no::varchar as line, firsts.key as first_key,
            repeats.first_line_no::varchar as first_line,
            case when repeats.kind = 'conflict' then repeats.content end as content
        from (
            select * from mediated.usage_repeats
            union all by name
            select * from mediated.debit_repeats
        ) as repeats
        inner join raw.objects as objects on repeats.object_no = objects.object_no
        inner join raw.objects as firsts on repeats.first_object_no = firsts.object_no
        order by repeats.object_no, repeats.line_no`,
        headers,
        ['line', 'first_line'],
    );
}
